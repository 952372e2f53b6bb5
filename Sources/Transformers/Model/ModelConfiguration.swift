import Foundation
import JSON

/// The shape of a model, from `config.json` of a Hugging Face directory.
public struct ModelConfiguration: Sendable, Equatable {
    /// The layers whose attention is limited to the sliding window.
    public enum WindowedLayers: Sendable, Equatable {
        case all
        /// Layers of this number and above.
        case from(Int)
        /// One flag a layer; layers beyond the list have no window.
        case listed([Bool])
    }

    public var modelType: String
    public var hiddenSize: Int
    public var layers: Int
    public var heads: Int
    public var keyValueHeads: Int
    public var headSize: Int
    public var feedForwardSize: Int
    public var vocabularySize: Int
    /// The longest sequence, in tokens, of the file's `max_position_embeddings`.
    public var contextLength: Int
    public var normEpsilon: Double
    public var ropeTheta: Double
    public var ropeScaling: RopeScaling?
    /// Whether rotary frequencies are rounded to bfloat16. PyTorch rounds them when a program casts
    /// a whole model (`model.to(torch.bfloat16)`), but not when it loads a model in that type. Only
    /// with this rounding does `sami` reproduce the results of such a program. The key
    /// `rotary_dtype` of `config.json`; only `sami` uses it.
    public var roundsRotary = false
    /// Low-rank adapters beside the weights; not a part of `config.json`.
    public var adapter: AdapterConfiguration?
    /// A token sees itself and the `slidingWindow` − 1 tokens before it; nil: all tokens before it.
    public var slidingWindow: Int?
    public var windowedLayers: WindowedLayers
    /// Biases of the attention's projections, if the family allows both.
    public var attentionBias: Bool
    /// Biases of the feed-forward layers, if the family allows both.
    public var feedForwardBias: Bool
    /// Number of feed-forward networks in a layer, of which each token visits a few; 0 for a single
    /// network that every token visits.
    public var experts: Int
    public var expertsPerToken: Int
    public var tiedHead: Bool
    public var initializerRange: Double
    public var beginToken: Int32?
    public var endTokens: [Int32]
    private var original = OriginalFile()

    public init(
        modelType: String = "llama", hiddenSize: Int, layers: Int, heads: Int,
        keyValueHeads: Int? = nil, headSize: Int? = nil, feedForwardSize: Int,
        vocabularySize: Int, contextLength: Int = 2048, normEpsilon: Double = 1e-5,
        ropeTheta: Double = 10_000, ropeScaling: RopeScaling? = nil, slidingWindow: Int? = nil,
        windowedLayers: WindowedLayers = .all, attentionBias: Bool = false,
        feedForwardBias: Bool = false, experts: Int = 0, expertsPerToken: Int = 0,
        tiedHead: Bool = true, initializerRange: Double = 0.02, beginToken: Int32? = 1,
        endTokens: [Int32] = [2]
    ) {
        self.modelType = modelType
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.headSize = headSize ?? hiddenSize / max(1, heads)
        self.feedForwardSize = feedForwardSize
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.normEpsilon = normEpsilon
        self.ropeTheta = ropeTheta
        self.ropeScaling = ropeScaling
        self.slidingWindow = slidingWindow
        self.windowedLayers = windowedLayers
        self.attentionBias = attentionBias
        self.feedForwardBias = feedForwardBias
        self.experts = experts
        self.expertsPerToken = expertsPerToken
        self.tiedHead = tiedHead
        self.initializerRange = initializerRange
        self.beginToken = beginToken
        self.endTokens = endTokens
    }

    /// The window of a layer; nil if the layer sees all tokens before.
    public func window(layer: Int) -> Int? {
        switch windowedLayers {
        case .all: slidingWindow
        case .from(let first): layer >= first ? slidingWindow : nil
        case .listed(let flags): flags.indices.contains(layer) && flags[layer] ? slidingWindow : nil
        }
    }

    /// The longest sequence that a user may request: a scaled rotary embedding extends the original
    /// context by its factor.
    public var longestSequence: Int {
        switch ropeScaling {
        case .linear(let factor), .dynamic(let factor):
            Int(min(Double(1 << 30), Double(contextLength) * max(1, factor)))
        case .yarn(let yarn):
            max(contextLength, Int(min(Double(1 << 30), Double(yarn.original) * yarn.factor)))
        default: contextLength
        }
    }

    // MARK: - config.json

    /// Reads `config.json`.
    /// - Parameters:
    ///   - name: the name of the text in errors, usually its path.
    ///   - isAccepted: whether the text was read before, as in a workspace: then unknown keys are
    ///     passed over, and a missing `model_type` is `llama`, as in earlier versions of `sami`.
    /// - Throws: `ModelError`, which names the key that is missing, of the wrong type, out of
    ///   range, in contradiction to another, or not known.
    public init(json: Data, name: String, isAccepted: Bool = false) throws {
        let object: JSON
        do throws(JSON.Problem) {
            object = try JSON.read(json, limits: .init(depth: 64))
        } catch {
            throw ModelError.badConfiguration(
                file: name, problem: "it is not JSON: \(error)")
        }
        let keys = try ConfigurationKeys(object, file: name, isAccepted: isAccepted)
        if keys.value("quantization_config") != nil {
            throw keys.refusal(
                "its weights are quantized (\"quantization_config\"), which is not supported; "
                    + "take the original in float32, bfloat16 or float16")
        }
        let modelType =
            if let named = try keys.text("model_type") { named } else {
                try Families.name(architectures: keys.texts("architectures") ?? [])
                    ?? (isAccepted ? "llama" : Self.missingType(keys))
            }
        self = try Families.named(modelType).read(keys)
        self.modelType = modelType
        original = OriginalFile(text: json)
        try check(keys)
        try keys.refuseUnknown()
    }

    private static func missingType(_ keys: ConfigurationKeys) throws -> String {
        throw keys.refusal(
            "\"model_type\" is missing, and \"architectures\" names no family either; add "
                + "\"model_type\": one of " + Families.all.keys.sorted().joined(separator: ", "))
    }

    private func check(_ keys: ConfigurationKeys) throws {
        if heads % keyValueHeads != 0 {
            throw keys.refusal(
                "\(heads) heads cannot share \(keyValueHeads) key/value heads evenly")
        }
        for token in endTokens + (beginToken.map { [$0] } ?? []) {
            guard token >= 0, token < vocabularySize else {
                throw keys.refusal(
                    "token \(token) is outside the vocabulary of \(vocabularySize)")
            }
        }
        // Sizes are limited one by one; their products must fit in an `Int` too.
        let largest = max(feedForwardSize, vocabularySize, heads.multiplied(headSize), hiddenSize)
        let total = largest.multiplied(hiddenSize).multiplied(layers).multiplied(max(1, experts))
        guard total < 1 << 48 else {
            throw keys.refusal("it describes more weights than any machine holds")
        }
    }

    /// The text of a `config.json` for this shape: the file that it came from, with only the later
    /// changes made.
    public var json: Data { json(elementType: nil) }

    /// The same, with the type of the stored weights.
    func json(elementType: String?) -> Data {
        let elementType = elementType ?? (original.text == nil ? "float32" : nil)
        var members: [JSON.Member] = []
        var before: [JSON.Member] = []
        if let text = original.text, let object = try? JSON.read(text),
            let found = object.members,
            let was = try? ModelConfiguration(json: text, name: "config.json", isAccepted: true)
        {
            members = found
            before = was.keys
        }
        var isChanged = original.text == nil
        func set(_ key: String, _ value: JSON) {
            isChanged = true
            if let place = members.firstIndex(where: { $0.key == key }) {
                members[place].value = value
            } else {
                members.append(.init(key, value))
            }
        }
        for member in keys where !before.contains(member) { set(member.key, member.value) }
        if let elementType {
            // transformers 5 renamed torch_dtype to dtype.
            let key = members.contains { $0.key == "dtype" } ? "dtype" : "torch_dtype"
            let value = JSON.string(elementType)
            if members.first(where: { $0.key == key })?.value != value { set(key, value) }
        }
        if let text = original.text, !isChanged { return text }
        return Data((JSON.object(members).pretty + "\n").utf8)
    }

    private var keys: [JSON.Member] {
        guard let family = try? Families.named(modelType) else { return [] }
        return family.write(self).map { JSON.Member($0.0, $0.1) }
    }
}

/// The text that a configuration was read from. It is not part of the configuration's identity:
/// configurations that differ only in this text are equal.
private struct OriginalFile: Sendable, Equatable {
    var text: Data?
    static func == (left: OriginalFile, right: OriginalFile) -> Bool { true }
}

extension Int {
    /// The product, or the largest `Int` on overflow.
    func multiplied(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
