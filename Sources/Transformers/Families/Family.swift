import JSON
import Layers
import Tensors

/// The data of the batch that a block needs in addition to the hidden states.
struct BlockContext {
    /// The position of each row in its own sequence.
    let positions: [Int]
    let plan: AttentionPlan
    /// Rows whose output the caller uses. The last block computes only these; nil means all rows.
    var rows: [Int]?
    /// In generation, the cache that holds keys and values. `plan` then refers to the rows of the
    /// cache.
    var cache: KeyValueCache?
}

extension BlockContext {
    func withOutputRows(_ rows: [Int]?) -> BlockContext {
        var context = self
        context.rows = rows
        return context
    }

    /// The rows of x (N, D) that ask queries: (M, D).
    func queryRows(of x: Tensor) -> Tensor { rows.map { x.gatheringRows($0) } ?? x }
    var queryPositions: [Int] { rows.map { $0.map { positions[$0] } } ?? positions }

    /// The attention plan of the query rows, with a window.
    func plan(window: Int?) -> AttentionPlan {
        var plan = rows.map { self.plan.reading($0) } ?? self.plan
        plan.window = window
        return plan
    }
}

/// The architecture of a family of checkpoints. Each family is one file, in one order: its keys of
/// `config.json`, its names and shapes, and the parts of a block.
///
/// A family holds no weights. Its functions take the parameter set that its layout describes.
protocol Family: Sendable {
    associatedtype SelfAttention: SelfAttentionSublayer
    associatedtype FeedForward: Sublayer

    /// Reading and writing of its keys of `config.json`.
    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration
    static func write(_ configuration: ModelConfiguration) -> [(String, JSON)]

    init(_ configuration: ModelConfiguration)
    var layout: ParameterLayout { get }
    var embedding: TokenEmbedding { get }
    var blocks: [Block<SelfAttention, FeedForward>] { get }
    /// The norm before the head.
    var finalNorm: Norm { get }
    /// The matrix (V, D) whose rows score the vocabulary.
    var head: Parameter { get }
}

enum Families {
    static let all: [String: any Family.Type] = [
        "llama": Llama.self, "mistral": Mistral.self, "mixtral": Mixtral.self,
        "qwen2": Qwen2.self, "qwen3": Qwen3.self, "gpt2": GPT2.self,
    ]

    /// The family of the first class of transformers' that `architectures` names and that is known
    /// here; nil if there is none.
    static func name(architectures: [String]) -> String? {
        let names = [
            "LlamaForCausalLM": "llama", "MistralForCausalLM": "mistral",
            "MixtralForCausalLM": "mixtral", "Qwen2ForCausalLM": "qwen2",
            "Qwen3ForCausalLM": "qwen3", "GPT2LMHeadModel": "gpt2",
        ]
        return architectures.lazy.compactMap { names[$0] }.first
    }

    static func named(_ name: String) throws -> any Family.Type {
        guard let family = all[name] else {
            throw ModelError.unknownFamily(name, known: all.keys.sorted())
        }
        return family
    }

    /// The family that a configuration names, with the shape of that configuration.
    static func family(_ configuration: ModelConfiguration) throws -> any Family {
        try named(configuration.modelType).init(configuration)
    }
}

extension Family {
    typealias Activations = Block<SelfAttention, FeedForward>.Activations

    /// Number of floats in a block's `Activations` for each row.
    var activationWidth: Int { blocks.first?.activationWidth ?? 0 }

    /// tokens (N) → (N, D)
    func embed(_ tokens: [Int32], _ positions: [Int], _ weights: ParameterSet) -> Tensor {
        embedding.forward(tokens, positions, weights)
    }

    func embedBackward(
        _ dx: Tensor, _ tokens: [Int32], _ positions: [Int], into gradients: inout ParameterSet
    ) {
        embedding.backward(dx, tokens, positions, into: &gradients)
    }

    /// x (N, D) → (N, D). The last block gives only the `outputRows`: (M, D).
    func forward(
        block: Int, _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, outputRows: [Int]
    ) -> (out: Tensor, activations: Activations) {
        blocks[block].forward(
            x, context.withOutputRows(rows(of: x, after: block, outputRows)), weights)
    }

    /// dy (N, D), or (M, D) for the last block → dx (N, D). Accumulates the gradients of the
    /// parameters.
    func backward(
        block: Int, _ dy: Tensor, _ activations: Activations, _ context: BlockContext,
        _ weights: ParameterSet, outputRows: [Int], into gradients: inout ParameterSet
    ) -> Tensor {
        let rows = rows(of: activations.input, after: block, outputRows)
        return blocks[block].backward(
            dy, activations, context.withOutputRows(rows), weights, into: &gradients)
    }

    /// `outputRows` for the last block, unless these are all rows; nil (all rows) for the others.
    private func rows(of x: Tensor, after block: Int, _ outputRows: [Int]) -> [Int]? {
        block == blocks.count - 1 && !outputRows.elementsEqual(0..<x.rows) ? outputRows : nil
    }

    /// The norm before the head, on the rows that are scored: (M, D) → (M, D)
    func applyFinalNorm(_ x: Tensor, _ weights: ParameterSet) -> Tensor {
        finalNorm.forward(x, weights)
    }

    func applyFinalNormBackward(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        var dx = Tensor(zeros: x.shape)
        finalNorm.backward(dy, x, weights, into: &dx, &gradients)
        return dx
    }
}
