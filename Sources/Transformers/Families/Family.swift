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

/// The arithmetic of a family of checkpoints: one file each, in one order: names and shapes,
/// embedding, a block forward and backward, the end.
///
/// A family holds no weights: it is given the set that its layout describes.
protocol Family: Sendable {
    /// What a block's backward pass needs from its forward pass.
    associatedtype Activations: Sendable

    init(_ configuration: ModelConfiguration) throws
    var layout: ParameterLayout { get }
    /// The matrix (V, D) whose rows score the vocabulary.
    var head: Parameter { get }
    var window: Int? { get }
    /// Floats that `Activations` hold for each row.
    var activationWidth: Int { get }
    /// The standard deviation that random weights start with; nil for weights that start at one.
    func initialDeviation(_ parameter: Int) -> Double?

    /// tokens (N) → (N, D)
    func embed(_ tokens: [Int32], _ positions: [Int], _ weights: ParameterSet) -> Tensor
    func embedBackward(
        _ dx: Tensor, _ tokens: [Int32], _ positions: [Int], into gradients: inout ParameterSet)

    /// x (N, D) → (N, D)
    func forward(
        block: Int, _ x: Tensor, _ context: BlockContext, _ weights: ParameterSet
    ) -> (out: Tensor, activations: Activations)
    /// dy (N, D) → dx (N, D); adds to the gradients.
    func backward(
        block: Int, _ dy: Tensor, _ activations: Activations, _ context: BlockContext,
        _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor

    /// The last norm, on the rows that are scored: (M, D) → (M, D)
    func finish(_ x: Tensor, _ weights: ParameterSet) -> Tensor
    func finishBackward(
        _ dy: Tensor, _ x: Tensor, _ weights: ParameterSet, into gradients: inout ParameterSet
    ) -> Tensor
}

enum Families {
    /// The family that a configuration names.
    static func family(_ configuration: ModelConfiguration) throws -> any Family {
        switch configuration.modelType {
        case "llama": try Llama(configuration)
        default:
            throw ModelError.unknownFamily(configuration.modelType, known: ["llama"])
        }
    }
}
