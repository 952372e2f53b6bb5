import Layers
import NumberTypes
import Tensors

/// A causal language model: a configuration, the family that computes it, and its weights.
///
/// A model is a value. Copies share their weights until one of them is trained, so the base, the
/// reference and every iteration take memory only for the weights that differ.
public struct LanguageModel: Sendable {
    public private(set) var configuration: ModelConfiguration
    public private(set) var parameters: ParameterSet
    private(set) var family: any Family
    /// The processes that compute for the model; nil if this one does.
    public var crew: (any Crew)?
    /// The folder of the files in which borrowed weights lie (`Tensor.isBorrowed`), so that other
    /// processes can map them too; nil if they are not known to lie in one.
    public var folder: String?

    /// Random weights of a given shape: normal with the configuration's `initializer_range` (less
    /// where a sublayer ends in the residual stream), norms one, biases zero.
    public init(
        _ configuration: ModelConfiguration, key: RandomKey, format: StoredFormat = .float32
    ) throws {
        family = try Families.family(configuration)
        self.configuration = configuration
        let tensors = family.layout.entries.enumerated().map { index, entry in
            entry.initialized(key.child(UInt64(index)), for: configuration).converted(to: format)
        }
        parameters = ParameterSet(layout: family.layout, tensors: tensors)
    }

    /// A model with given weights. Throws `ModelError` if a tensor is missing, unknown or of the
    /// wrong shape.
    public init(
        _ configuration: ModelConfiguration, tensors: [String: Tensor], source: String
    ) throws {
        try self.init(
            configuration, shapes: tensors.mapValues(\.shape), source: source
        ) { tensors[$0] }
    }

    /// A model with weights in mapped files. All errors are found before any weight is read.
    init(
        _ configuration: ModelConfiguration, entries: [String: ModelDirectory.Stored],
        source: String
    ) throws {
        try self.init(
            configuration, shapes: entries.mapValues(\.entry.shape), source: source
        ) { name in
            guard let stored = entries[name] else { return nil }
            guard let tensor = stored.archive.tensor(name) else {
                throw ModelError.unreadTensorType(
                    file: stored.archive.file, name: name, type: stored.entry.typeName)
            }
            return tensor
        }
    }

    /// A model whose weights come from `tensor`, which gives one of the right shape for every entry
    /// of the layout.
    init(
        _ configuration: ModelConfiguration,
        tensor: (_ index: Int, _ entry: ParameterLayout.Entry) throws -> Tensor
    ) throws {
        family = try Families.family(configuration)
        self.configuration = configuration
        parameters = ParameterSet(
            layout: family.layout, tensors: try family.layout.entries.enumerated().map(tensor))
    }

    private init(
        _ configuration: ModelConfiguration, shapes: [String: [Int]], source: String,
        tensor: (String) throws -> Tensor?
    ) throws {
        var configuration = configuration
        if configuration.tiedHead, try Self.hasOwnHead(configuration, shapes, tensor) {
            configuration.tiedHead = false
        }
        family = try Families.family(configuration)
        self.configuration = configuration
        // For each name of the layout: the name and the shape in the file.
        var left = family.withoutBuffers(
            Dictionary(
                uniqueKeysWithValues: shapes.map { ($0.key, (name: $0.key, shape: $0.value)) }))
        var names: [String] = []
        for entry in family.layout.entries {
            guard let found = left.removeValue(forKey: entry.name) else {
                throw ModelError.missingTensor(
                    file: source, name: entry.name, shape: entry.shape)
            }
            guard found.shape == entry.shape else {
                throw ModelError.misshapenTensor(
                    file: source, name: entry.name, wanted: entry.shape, found: found.shape)
            }
            names.append(found.name)
        }
        // A copy of the embedding.
        if configuration.tiedHead { left.removeValue(forKey: Self.head) }
        if let extra = left.keys.min() { throw ModelError.extraTensor(file: source, name: extra) }
        let tensors = try zip(names, family.layout.entries).map { name, entry in
            guard let tensor = try tensor(name) else {
                throw ModelError.missingTensor(
                    file: source, name: entry.name, shape: entry.shape)
            }
            return tensor
        }
        parameters = ParameterSet(layout: family.layout, tensors: tensors)
    }

    private static let head = "lm_head.weight"

    /// Whether a file whose configuration ties head and embedding holds a head that differs, as
    /// after a training of the head alone. Such a head counts, as in transformers 5. Many files
    /// store a tied head a second time.
    private static func hasOwnHead(
        _ configuration: ModelConfiguration, _ shapes: [String: [Int]],
        _ tensor: (String) throws -> Tensor?
    ) throws -> Bool {
        guard shapes[head] != nil else { return false }
        let family = try Families.family(configuration)
        let name = family.layout.entries[family.embedding.table.index].name
        // Files of the bare decoder omit the first part.
        let names = [name, String(name.drop { $0 != "." }.dropFirst())]
        guard let name = names.first(where: { shapes[$0] != nil }),
            let embedding = try tensor(name), let own = try tensor(head)
        else { return false }
        return !own.hasElements(of: embedding)
    }

    /// The same model with other weights, which must have the same layout.
    public func with(_ parameters: ParameterSet) -> LanguageModel {
        precondition(
            parameters.layout == self.parameters.layout
                && parameters.tensors.count == self.parameters.tensors.count,
            "the weights of a model have its layout and are all there")
        var copy = self
        copy.parameters = parameters
        return copy
    }

    /// The same model with other values of its parameters that train. Given tensors of frozen
    /// parameters replace those too.
    /// - Throws: `ModelError` if a parameter that trains is missing, or a tensor is unknown or of
    ///   the wrong shape.
    public func with(
        trained tensors: [String: Tensor], source: String
    ) throws -> LanguageModel {
        var all = tensors
        for (entry, own) in zip(parameters.layout.entries, parameters.tensors)
        where !entry.isTrainable && all[entry.name] == nil {
            all[entry.name] = own
        }
        var copy = try LanguageModel(configuration, tensors: all, source: source)
        copy.parameters = copy.parameters.relabeled(parameters.layout)
        copy.parameters.arithmetic = parameters.arithmetic
        copy.crew = crew
        copy.folder = folder
        return copy
    }

    /// The same model of which only the parameters train whose name `isTrainable` accepts. The
    /// others are frozen: no gradient or moment of them exists, and the backward pass ends at the
    /// lowest block that trains.
    public func training(_ isTrainable: (String) -> Bool) -> LanguageModel {
        var copy = self
        copy.parameters = parameters.relabeled(parameters.layout.training(isTrainable))
        return copy
    }

    /// A model of another layout, whose tensors come from `tensor`.
    func replacing(
        _ configuration: ModelConfiguration, _ family: any Family,
        tensor: (Int, ParameterLayout.Entry) throws -> Tensor
    ) rethrows -> LanguageModel {
        var copy = self
        copy.configuration = configuration
        copy.family = family
        copy.parameters = ParameterSet(
            layout: family.layout, tensors: try family.layout.entries.enumerated().map(tensor))
        copy.parameters.arithmetic = parameters.arithmetic
        return copy
    }

    /// The same weights with rotary frequencies rounded to bfloat16; see
    /// `ModelConfiguration.roundsRotary`.
    public func roundingRotary() throws -> LanguageModel {
        var copy = self
        copy.configuration.roundsRotary = true
        copy.family = try Families.family(copy.configuration)
        return copy
    }

    /// Changes the weights in place, so that a training step needs no copy.
    public mutating func update<Result, Failure: Error>(
        _ body: (inout ParameterSet) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(&parameters)
    }

    public var parameterCount: Int { parameters.layout.count }

    /// How most of the weights are stored.
    public var weightFormat: StoredFormat {
        StoredFormat.computed.max { elements(in: $0) < elements(in: $1) } ?? .float32
    }

    private func elements(in format: StoredFormat) -> Int {
        parameters.tensors.reduce(0) { $1.format == format ? $0 + $1.count : $0 }
    }

    /// Bytes that the weights take, in memory or in the pages of their file.
    public var weightBytes: Int { parameters.bytes }

    /// The same weights in another stored format, rounded to nearest. In blocks, vectors and small
    /// matrices stay as they are.
    ///
    /// Training needs float32: a step of 5e-7 on a weight of 0.02 is a hundredth of the resolution
    /// of bfloat16 there, and would be lost to rounding. So `update` converts every weight that it
    /// changes to float32. There is no second master copy. A model that should continue in a 16-bit
    /// type is converted after training.
    public func converted(to format: StoredFormat) -> LanguageModel {
        var result = self
        for i in result.parameters.tensors.indices {
            result.parameters.tensors[i] = parameters.tensors[i].converted(to: format)
        }
        return result
    }

    /// Whether both are the same model: equal names, shapes and numbers.
    package func hasWeights(of other: LanguageModel) -> Bool {
        parameters.layout == other.parameters.layout
            && zip(parameters.tensors, other.parameters.tensors).allSatisfy {
                $0.address == $1.address || $0.hasElements(of: $1)
            }
    }

    /// Throws if this model cannot process the forest or the targets.
    func check(_ forest: TokenForest, _ targets: [Target] = []) throws {
        if forest.tokens.isEmpty { throw ModelError.emptySequence }
        if forest.longestSequence > configuration.longestSequence {
            throw ModelError.tooLong(
                tokens: forest.longestSequence, context: configuration.longestSequence)
        }
        func check(_ token: Int32) throws {
            guard token >= 0, token < configuration.vocabularySize else {
                throw ModelError.tokenOutsideVocabulary(
                    token, vocabulary: configuration.vocabularySize)
            }
        }
        for token in forest.tokens { try check(token) }
        for target in targets {
            try check(target.token)
            guard forest.tokens.indices.contains(target.row) else {
                throw ModelError.targetOutsideForest(row: target.row, rows: forest.tokens.count)
            }
        }
    }
}

/// The elements to fill with random numbers; each worker writes its own range.
private struct FilledElements: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
}

extension ParameterLayout.Entry {
    /// Random numbers as training from nothing begins with.
    func initialized(_ key: RandomKey, for configuration: ModelConfiguration) -> Tensor {
        let deviation = configuration.initializerRange
        var tensor = Tensor(uninitialized: shape)
        switch start {
        case .zeros: tensor.clear()
        case .ones: tensor = Tensor(repeating: 1, shape: shape)
        case .normal: tensor.fill(normal: key, deviation: deviation)
        case .residual:
            tensor.fill(
                normal: key,
                deviation: deviation / (2 * Double(configuration.layers)).squareRoot())
        case .fanIn: tensor.fill(uniform: key, limit: 1 / Double(tensor.columns).squareRoot())
        }
        return tensor
    }
}

extension Tensor {
    fileprivate mutating func fill(normal key: RandomKey, deviation: Double) {
        fill { Float(key.normal($0) * deviation) }
    }

    fileprivate mutating func fill(uniform key: RandomKey, limit: Double) {
        fill { Float((2 * key.uniform($0) - 1) * limit) }
    }

    private mutating func fill(_ element: @Sendable (UInt64) -> Float) {
        let target = FilledElements(pointer: mutablePointer())
        Workers.split(count, grain: 1 << 12) { range in
            for i in range { target.pointer[i] = element(UInt64(i)) }
        }
    }
}

extension Family {
    /// Removes the tensors that other programs store in addition to the weights: tables of angles,
    /// causal masks, and a second copy of a tied head. Files of the bare decoder omit the first
    /// part of every name, which is added here; PyTorch's wrappers put parts of their own into
    /// names, which are removed.
    fileprivate func withoutBuffers<Value>(_ tensors: [String: Value]) -> [String: Value] {
        let isWeight = Set(layout.entries.map(\.name))
        let prefixes = Set(isWeight.compactMap { $0.split(separator: ".").first.map { $0 + "." } })
            .subtracting(["lm_head."])
        var result: [String: Value] = [:]
        for (stored, value) in tensors {
            let plain = Self.unwrapped(stored)
            let isFree = tensors[plain] == nil && result[plain] == nil
            let name = isFree ? plain : stored
            if isWeight.contains(name) {
                result[name] = value
            } else if let full = prefixes.lazy.map({ $0 + name }).first(where: isWeight.contains),
                tensors[full] == nil
            {
                result[full] = value
            } else if !Self.isBuffer(name) {
                result[name] = value
            }
        }
        return result
    }

    /// A name without the parts that `torch.compile` and `DataParallel` add.
    private static func unwrapped(_ name: String) -> String {
        var name = name.replacing("_orig_mod.", with: "")
        while name.hasPrefix("module.") { name.removeFirst("module.".count) }
        return name
    }

    private static func isBuffer(_ name: String) -> Bool {
        ["rotary_emb.inv_freq", "attn.bias", "attn.masked_bias"].contains {
            name == $0 || name.hasSuffix("." + $0)
        }
    }
}
