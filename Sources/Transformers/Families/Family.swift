import Layers
import Tensors

/// What a block needs to know of the batch beside its input.
struct BlockContext {
    /// The position of each row in its own sequence.
    let positions: [Int]
    let plan: AttentionPlan
    /// Rows that are read behind a block, which are all it need give; nil for all.
    var rows: [Int]?
    /// In generation: where keys and values are kept, which `plan` then refers to.
    var cache: KeyValueCache?
}

extension BlockContext {
    func reading(_ rows: [Int]?) -> BlockContext {
        var context = self
        context.rows = rows
        return context
    }

    /// The rows of x (N, D) whose queries are asked: (M, D).
    func asked(of x: Tensor) -> Tensor { rows.map { Embedding.gather($0, from: x) } ?? x }
    var askedPositions: [Int] { rows.map { $0.map { positions[$0] } } ?? positions }

    /// Who attends to whom among the asked rows, under a window.
    func plan(window: Int?) -> AttentionPlan {
        var plan = rows.map { self.plan.reading($0) } ?? self.plan
        plan.window = window
        return plan
    }
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
        blocks[block].forward(x, context.reading(rows(of: x, behind: block, read)), weights)
    }

    /// dy (N, D), of the last block (M, D) → dx (N, D); adds to the gradients.
    func backward(
        block: Int, _ dy: Tensor, _ activations: Activations, _ context: BlockContext,
        _ weights: ParameterSet, read: [Int], into gradients: inout ParameterSet
    ) -> Tensor {
        let rows = rows(of: activations.input, behind: block, read)
        return blocks[block].backward(
            dy, activations, context.reading(rows), weights, into: &gradients)
    }

    /// Behind the last block those that are read, unless these are all.
    private func rows(of x: Tensor, behind block: Int, _ read: [Int]) -> [Int]? {
        block == blocks.count - 1 && !read.elementsEqual(0..<x.rows) ? read : nil
    }

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
