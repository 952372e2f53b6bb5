import Layers
import NumberTypes
import Tensors

/// The memory that a piece of work needs, computed without allocating it.
///
/// Weights are counted as they are stored, keys and values in the form of `QuantizedKVRows`. All
/// other data are float32: activations, logits, gradients, and the optimizer state.
public struct MemoryEstimate: Sendable, Equatable {
    /// Work on a model. Lengths are in tokens. Prompts are counted as if they had no common
    /// beginning.
    public enum Work: Sendable, Equatable {
        /// `batch` prompts, continued together.
        case generating(batch: Int, prompt: Int, new: Int)
        /// The log-probs S (C, R) of one query.
        case scoring(constitutions: Int, responses: Int, prompt: Int, response: Int)
        /// Gradients of one query's S (C, R) and a step; `moments` is 1 for RMSprop, 2 for AdamW.
        /// Without kept activations every block is recomputed.
        case training(
            constitutions: Int, responses: Int, prompt: Int, response: Int, moments: Int,
            keepsActivations: Bool)
    }

    /// Bytes, by purpose.
    public var weights = 0
    /// The trained weights, in float32. `weights` then counts the base beside them, as it is
    /// stored.
    public var trainedWeights = 0
    /// Copies of float32 weights, rounded once for the products of a generation in bfloat16.
    public var roundedWeights = 0
    /// Keys and values of all tokens read and generated.
    public var cache = 0
    public var activations = 0
    public var logits = 0
    public var gradients = 0
    public var moments = 0
    /// The program itself, and freed memory that it keeps for later tensors.
    public var program = 128 << 20

    public var total: Int {
        parts.reduce(0) { sum, part in
            let (total, overflow) = sum.addingReportingOverflow(part.bytes)
            return overflow ? .max : total
        }
    }

    /// The parts that are not zero, each with its name.
    public var parts: [(name: String, bytes: Int)] {
        [
            ("weights", weights), ("trained weights", trainedWeights),
            ("rounded weights", roundedWeights), ("cache", cache),
            ("activations", activations), ("logits", logits), ("gradients", gradients),
            ("moments", moments), ("program", program),
        ].filter { $0.1 > 0 }.map { (name: $0.0, bytes: $0.1) }
    }

    public func fits(_ available: Int) -> Bool { total <= available }

    /// - Parameter arithmetic: of the model's products.
    /// - Throws: `ModelError.unknownFamily`.
    public init(
        _ configuration: ModelConfiguration, _ format: StoredFormat, _ work: Work,
        _ arithmetic: Arithmetic = .float32
    ) throws {
        let sizes = try ModelSizes(configuration)
        weights = bytes(
            sizes.parameters / Double(format.group), format.groupBytes)
        switch work {
        case .generating(let batch, let prompt, let new):
            let rows = min(
                Double(batch) * Double(prompt), Double(LanguageModel.promptRowsTogether))
            cache = bytes(
                Double(batch) * (Double(prompt) + Double(new)), configuration.cacheRowBytes)
            activations = bytes(rows * sizes.forwardRow)
            logits = bytes(Double(batch) * sizes.vocabulary)
            if arithmetic.isBFloat16, format == .float32 {
                roundedWeights = bytes(sizes.parameters, 2)
            }
        case .scoring(let constitutions, let responses, let prompt, let response):
            let rows = Self.rows(constitutions, responses, prompt, response)
            activations = bytes(rows * sizes.forwardRow)
            logits = bytes(sizes.logits)
        case .training(
            let constitutions, let responses, let prompt, let response, let moments,
            let keepsActivations):
            let rows = Self.rows(constitutions, responses, prompt, response)
            let kept = keepsActivations ? sizes.block : sizes.width
            activations = bytes(
                rows * (Double(configuration.layers) * kept + 2 * sizes.block + 6 * sizes.width))
            let scored = Double(constitutions) * Double(responses) * Double(response)
            let mostLogits = ScoredHead.Kept.mostLogits(isFrozen: configuration.adapter != nil)
            let keptLogits = min(scored * sizes.vocabulary, Double(mostLogits))
            logits = bytes(2 * sizes.logits + keptLogits)
            gradients = bytes(sizes.trainable)
            self.moments = bytes(Double(moments) * sizes.trainable)
            trainedWeights = bytes(sizes.trainable)
        }
    }

    /// The largest number of `1...limit` whose estimate fits, 0 where none does. More must never
    /// need less.
    public static func largest(
        _ limit: Int, fitting available: Int, _ estimate: (Int) throws -> MemoryEstimate
    ) rethrows -> Int {
        var (low, high) = (0, max(0, limit))
        while low < high {
            let middle = low + (high - low + 1) / 2
            if try estimate(middle).fits(available) { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Rows of a forest with every prompt once, and every response below it.
    private static func rows(
        _ constitutions: Int, _ responses: Int, _ prompt: Int, _ response: Int
    ) -> Double {
        Double(constitutions) * (Double(prompt) + Double(responses) * Double(response))
    }
}

/// Bytes of so many elements, limited to the largest `Int`.
private func bytes(_ elements: Double, _ size: Int = 4) -> Int {
    Int(min(elements * Double(size), 0x1p60))
}

/// The sizes of a model's parts, in floats.
private struct ModelSizes {
    let parameters, trainable, width, vocabulary: Double
    /// One row of the activations that a block keeps for its backward pass.
    let block: Double
    /// One row of the data that exist at the same time in a forward pass.
    let forwardRow: Double

    init(_ c: ModelConfiguration) throws {
        let family = try Families.family(c)
        parameters = Double(family.layout.count)
        trainable = Double(family.layout.trainableCount)
        width = Double(c.hiddenSize)
        vocabulary = Double(c.vocabularySize)
        block = Double(family.activationWidth)
        let inner = Double(c.feedForwardSize) * Double(max(1, c.expertsPerToken))
        forwardRow = block + inner + 3 * width
    }

    /// Logits are computed in chunks of rows.
    var logits: Double { Double(ScoredHead.chunkRows(vocabulary: Int(vocabulary))) * vocabulary }
}

extension ModelConfiguration {
    /// Bytes that the keys and values of one token take in a cache, over all blocks.
    var cacheRowBytes: Int {
        2 * layers * keyValueHeads * QuantizedKVRows.bytes(of: headSize)
    }

    /// The names and shapes of this configuration's weights, without the weights.
    /// - Throws: `ModelError.unknownFamily`.
    public func parameterLayout() throws -> ParameterLayout { try Families.family(self).layout }

    /// The shapes of some published checkpoints, by name, for planning and benchmarks.
    public static let published: [String: ModelConfiguration] = [
        "mistral-7b": ModelConfiguration(
            modelType: "mistral", hiddenSize: 4096, layers: 32, heads: 32, keyValueHeads: 8,
            feedForwardSize: 14_336, vocabularySize: 32_000, contextLength: 32_768,
            slidingWindow: 4096, tiedHead: false),
        "mixtral-8x7b": ModelConfiguration(
            modelType: "mixtral", hiddenSize: 4096, layers: 32, heads: 32, keyValueHeads: 8,
            feedForwardSize: 14_336, vocabularySize: 32_000, contextLength: 32_768,
            ropeTheta: 1e6, experts: 8, expertsPerToken: 2, tiedHead: false),
        "llama3-70b": ModelConfiguration(
            modelType: "llama", hiddenSize: 8192, layers: 80, heads: 64, keyValueHeads: 8,
            feedForwardSize: 28_672, vocabularySize: 128_256, contextLength: 8192,
            ropeTheta: 500_000, tiedHead: false, beginToken: 128_000, endTokens: [128_001]),
    ]
}
