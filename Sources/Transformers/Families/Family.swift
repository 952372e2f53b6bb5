import Layers
import Tensors

/// What a block needs to know of the batch beside its input.
struct BlockContext {
    /// The position of each row in its own sequence.
    let positions: [Int]
    let plan: AttentionPlan
    /// In generation: where keys and values are kept, which `plan` then refers to.
    var cache: KeyValueCache?
}

/// The arithmetic of a family of checkpoints: one file each, in one order: its keys of `config.json`,
/// names and shapes, the parts of a block.
///
/// A family holds no weights: it is given the set that its layout describes.
protocol Family: Sendable {
    associatedtype Mixing: Branch
    associatedtype FeedForward: Branch

    /// Its keys of `config.json`, both ways.
    static func read(_ keys: ConfigurationKeys) throws -> ModelConfiguration
    static func write(_ configuration: ModelConfiguration) -> [(String, JSON)]

    init(_ configuration: ModelConfiguration)
    var layout: ParameterLayout { get }
    var embedding: TokenEmbedding { get }
    var blocks: [Block<Mixing, FeedForward>] { get }
    /// The norm before the head.
    var end: Norm { get }
    /// The matrix (V, D) whose rows score the vocabulary.
    var head: Parameter { get }
}

enum Families {
    static let all: [String: any Family.Type] = [
        "llama": Llama.self, "mistral": Mistral.self, "mixtral": Mixtral.self,
        "qwen2": Qwen2.self, "qwen3": Qwen3.self, "gpt2": GPT2.self,
    ]

    static func named(_ name: String) throws -> any Family.Type {
        guard let family = all[name] else {
            throw ModelError.unknownFamily(name, known: all.keys.sorted())
        }
        return family
    }

    /// The family that a configuration names, in its shape.
    static func family(_ configuration: ModelConfiguration) throws -> any Family {
        try named(configuration.modelType).init(configuration)
    }
}

extension Family {
    typealias Activations = Block<Mixing, FeedForward>.Activations

    /// Windows belong to blocks: every block sets its own in the plan.
    var window: Int? { nil }
    /// Floats that a block's `Activations` hold for each row.
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

    /// x (N, D) → (N, D); of the last block only the rows that are `read`: (M, D).
    func forward(
        block: Int, _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet, read: [Int]
    ) -> (out: Tensor, activations: Activations) {
        blocks[block].forward(x, context, weights, rows: isLast(block) ? read : nil)
    }

    /// dy (N, D), of the last block (M, D) → dx (N, D); adds to the gradients.
    func backward(
        block: Int, _ dy: Tensor, _ activations: Activations, _ context: BlockContext,
        _ weights: ParameterSet, read: [Int], into gradients: inout ParameterSet
    ) -> Tensor {
        blocks[block].backward(
            dy, activations, context, weights, rows: isLast(block) ? read : nil, into: &gradients)
    }

    private func isLast(_ block: Int) -> Bool { block == blocks.count - 1 }

    /// The last norm, on the rows that are scored: (M, D) → (M, D)
    func finish(_ x: Tensor, _ weights: ParameterSet) -> Tensor { end.forward(x, weights) }

    func finishBackward(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor {
        var dx = Tensor(zeros: x.shape)
        end.backward(dy, x, weights, into: &dx, &gradients)
        return dx
    }
}
