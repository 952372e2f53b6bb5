import Layers
import Tensors

/// A causal language model: a configuration, the family that computes with it, and its weights.
///
/// It is a value. Copies share their weights until one of them is trained, so keeping the base, the
/// reference and every iteration costs only what differs.
public struct LanguageModel: Sendable {
    public let configuration: ModelConfiguration
    public private(set) var parameters: ParameterSet
    let family: any Family

    /// Random weights of a given shape: normal with the configuration's `initializer_range` (less where
    /// a branch ends in the residual stream), norms one, biases zero.
    public init(_ configuration: ModelConfiguration, key: RandomKey) throws {
        family = try Families.family(configuration)
        self.configuration = configuration
        parameters = ParameterSet(zeros: family.layout)
        let deviation = configuration.initializerRange
        for (index, entry) in family.layout.entries.enumerated() {
            let key = key.child(UInt64(index))
            switch entry.start {
            case .zeros: break
            case .ones: parameters.tensors[index] = Tensor(repeating: 1, shape: entry.shape)
            case .normal: parameters.tensors[index].fill(normal: key, deviation: deviation)
            case .residual:
                parameters.tensors[index].fill(
                    normal: key,
                    deviation: deviation / (2 * Double(configuration.layers)).squareRoot())
            }
        }
    }

    /// Given weights. Throws `ModelError` when a tensor is missing, misshapen or unknown.
    public init(
        _ configuration: ModelConfiguration, tensors: [String: Tensor], source: String
    ) throws {
        family = try Families.family(configuration)
        self.configuration = configuration
        var left = family.withoutBuffers(tensors)
        let ordered = try family.layout.entries.map { entry in
            guard let tensor = left.removeValue(forKey: entry.name) else {
                throw ModelError.missingTensor(
                    file: source, name: entry.name, shape: entry.shape)
            }
            guard tensor.shape == entry.shape else {
                throw ModelError.misshapenTensor(
                    file: source, name: entry.name, wanted: entry.shape, found: tensor.shape)
            }
            return tensor
        }
        // A tied head is sometimes stored a second time; it says nothing new.
        if configuration.tiedHead { left.removeValue(forKey: "lm_head.weight") }
        if let extra = left.keys.min() { throw ModelError.extraTensor(file: source, name: extra) }
        parameters = ParameterSet(layout: family.layout, tensors: ordered)
    }

    /// The same model with other weights of the same layout.
    public func with(_ parameters: ParameterSet) -> LanguageModel {
        var copy = self
        if parameters.layout == self.parameters.layout { copy.parameters = parameters }
        return copy
    }

    /// Changes the weights in place, which a training step does without a copy.
    public mutating func update<Result>(
        _ body: (inout ParameterSet) throws -> Result
    ) rethrows -> Result {
        try body(&parameters)
    }

    public var parameterCount: Int { parameters.count }

    /// Throws unless this model can take the forest and the targets.
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

extension Tensor {
    fileprivate mutating func fill(normal key: RandomKey, deviation: Double) {
        withUnsafeMutableBufferPointer { elements in
            for i in elements.indices {
                elements[i] = Float(key.normal(UInt64(i)) * deviation)
            }
        }
    }
}

extension Family {
    /// Tensors under the names of the layout, without what other programs store beside the weights:
    /// tables of angles, causal masks, and a tied head a second time. Files that hold the bare
    /// decoder leave out the first part of every name.
    fileprivate func withoutBuffers<Value>(_ tensors: [String: Value]) -> [String: Value] {
        let isWeight = Set(layout.entries.map(\.name))
        let prefixes = Set(isWeight.compactMap { $0.split(separator: ".").first.map { $0 + "." } })
            .subtracting(["lm_head."])
        var result: [String: Value] = [:]
        for (name, value) in tensors {
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

    private static func isBuffer(_ name: String) -> Bool {
        ["rotary_emb.inv_freq", "attn.bias", "attn.masked_bias"].contains {
            name == $0 || name.hasSuffix("." + $0)
        }
    }
}
