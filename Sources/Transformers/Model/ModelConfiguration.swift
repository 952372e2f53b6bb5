import Foundation

/// The shape of a model: what `config.json` of a Hugging Face directory says.
public struct ModelConfiguration: Sendable, Equatable {
    public var modelType: String
    public var hiddenSize: Int
    public var layers: Int
    public var heads: Int
    public var keyValueHeads: Int
    public var headSize: Int
    public var feedForwardSize: Int
    public var vocabularySize: Int
    /// The longest sequence, in tokens, that positions are defined for.
    public var contextLength: Int
    public var normEpsilon: Double
    public var ropeTheta: Double
    public var tiedHead: Bool
    public var initializerRange: Double
    public var beginToken: Int32?
    public var endTokens: [Int32]

    public init(
        modelType: String = "llama", hiddenSize: Int, layers: Int, heads: Int,
        keyValueHeads: Int? = nil, headSize: Int? = nil, feedForwardSize: Int,
        vocabularySize: Int, contextLength: Int = 2048, normEpsilon: Double = 1e-5,
        ropeTheta: Double = 10_000, tiedHead: Bool = true, initializerRange: Double = 0.02,
        beginToken: Int32? = 1, endTokens: [Int32] = [2]
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
        self.tiedHead = tiedHead
        self.initializerRange = initializerRange
        self.beginToken = beginToken
        self.endTokens = endTokens
    }

    /// Reads `config.json`.
    /// - Parameter name: what errors call the text, usually its path.
    /// - Throws: `ModelError` naming the field that is missing, of the wrong kind or out of range.
    public init(json: Data, name: String) throws {
        let fields: Fields
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            fields = try decoder.decode(Fields.self, from: json)
        } catch {
            throw ModelError.badConfiguration(file: name, problem: Self.sentence(for: error))
        }
        func need(_ value: Int?, _ key: String, atMost limit: Int = 1 << 24) throws -> Int {
            guard let value else {
                throw ModelError.badConfiguration(file: name, problem: "\"\(key)\" is missing")
            }
            guard value >= 1, value <= limit else {
                throw ModelError.badConfiguration(
                    file: name, problem: "\"\(key)\" is \(value), outside 1...\(limit)")
            }
            return value
        }
        modelType = fields.modelType ?? "llama"
        hiddenSize = try need(fields.hiddenSize, "hidden_size")
        layers = try need(fields.numHiddenLayers, "num_hidden_layers", atMost: 4096)
        heads = try need(fields.numAttentionHeads, "num_attention_heads", atMost: 1 << 16)
        keyValueHeads = try need(
            fields.numKeyValueHeads ?? heads, "num_key_value_heads", atMost: 1 << 16)
        headSize = try need(fields.headDim ?? hiddenSize / heads, "head_dim", atMost: 1 << 16)
        feedForwardSize = try need(fields.intermediateSize, "intermediate_size")
        vocabularySize = try need(fields.vocabSize, "vocab_size")
        contextLength = try need(
            fields.maxPositionEmbeddings ?? 2048, "max_position_embeddings")
        normEpsilon = fields.rmsNormEps ?? 1e-6
        ropeTheta = fields.ropeTheta ?? 10_000
        tiedHead = fields.tieWordEmbeddings ?? false
        initializerRange = fields.initializerRange ?? 0.02
        beginToken = fields.bosTokenId?.tokens.first
        endTokens = fields.eosTokenId?.tokens ?? []
        try check(fields, name)
    }

    private func check(_ fields: Fields, _ name: String) throws {
        func refuse(_ problem: String) throws -> Never {
            throw ModelError.badConfiguration(file: name, problem: problem)
        }
        if heads % keyValueHeads != 0 {
            try refuse("\(heads) heads cannot share \(keyValueHeads) key/value heads evenly")
        }
        if headSize % 2 != 0 {
            try refuse("a head of \(headSize) elements cannot be rotated in pairs")
        }
        guard normEpsilon > 0, normEpsilon.isFinite else {
            try refuse("\"rms_norm_eps\" is \(normEpsilon), not above zero")
        }
        guard ropeTheta > 0, ropeTheta.isFinite else {
            try refuse("\"rope_theta\" is \(ropeTheta), not above zero")
        }
        if let activation = fields.hiddenAct, activation != "silu" {
            try refuse("\"hidden_act\" is \"\(activation)\"; \"silu\" is what works")
        }
        if fields.attentionBias == true || fields.mlpBias == true {
            try refuse("biases in attention or feed-forward layers are not supported yet")
        }
        if let scaling = fields.ropeScaling {
            let type = scaling.ropeType ?? scaling.type ?? "default"
            if type != "default" {
                try refuse("\"rope_scaling\" of type \"\(type)\" is not supported yet")
            }
        }
        for token in endTokens + (beginToken.map { [$0] } ?? []) {
            guard token >= 0, token < vocabularySize else {
                try refuse("token \(token) is outside the vocabulary of \(vocabularySize)")
            }
        }
    }

    /// The text of a `config.json` that describes this shape.
    public var json: Data {
        let fields = Fields(
            architectures: ["LlamaForCausalLM"], modelType: modelType, hiddenSize: hiddenSize,
            numHiddenLayers: layers, numAttentionHeads: heads,
            numKeyValueHeads: keyValueHeads, headDim: headSize,
            intermediateSize: feedForwardSize, vocabSize: vocabularySize,
            maxPositionEmbeddings: contextLength, rmsNormEps: normEpsilon,
            ropeTheta: ropeTheta, tieWordEmbeddings: tiedHead,
            initializerRange: initializerRange, hiddenAct: "silu",
            bosTokenId: beginToken.map { .one($0) },
            eosTokenId: endTokens.isEmpty
                ? nil : endTokens.count == 1 ? .one(endTokens[0]) : .several(endTokens),
            torchDtype: "float32")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return (try? encoder.encode(fields)) ?? Data()
    }

    private static func sentence(for error: any Error) -> String {
        switch error {
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context):
            let path = context.codingPath.map { snakeCase($0.stringValue) }.joined(separator: ".")
            return "\"\(path)\" has a value of the wrong kind"
        default: return "it is not a JSON object"
        }
    }

    /// The key as it stands in the file.
    private static func snakeCase(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }
}

/// The keys of `config.json`, under their own names but for the underscores.
private struct Fields: Codable {
    struct Scaling: Codable {
        var ropeType: String?
        var type: String?
    }
    enum TokenOrTokens: Codable {
        case one(Int32)
        case several([Int32])
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let token = try? container.decode(Int32.self) {
                self = .one(token)
            } else {
                self = .several(try container.decode([Int32].self))
            }
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .one(let token): try container.encode(token)
            case .several(let tokens): try container.encode(tokens)
            }
        }
        var tokens: [Int32] {
            switch self {
            case .one(let token): [token]
            case .several(let tokens): tokens
            }
        }
    }
    var architectures: [String]?
    var modelType: String?
    var hiddenSize: Int?
    var numHiddenLayers: Int?
    var numAttentionHeads: Int?
    var numKeyValueHeads: Int?
    var headDim: Int?
    var intermediateSize: Int?
    var vocabSize: Int?
    var maxPositionEmbeddings: Int?
    var rmsNormEps: Double?
    var ropeTheta: Double?
    var ropeScaling: Scaling?
    var tieWordEmbeddings: Bool?
    var initializerRange: Double?
    var hiddenAct: String?
    var attentionBias: Bool?
    var mlpBias: Bool?
    var bosTokenId: TokenOrTokens?
    var eosTokenId: TokenOrTokens?
    var torchDtype: String?
}
