import LongWork
import Tensors

/// The way between the stages of a model, in whatever processes or threads they are.
///
/// Tensors from one stage to another arrive in the order in which they were sent. A stage that is
/// told to stop ends its work by `Canceled`; whoever stops one stage stops all of them.
public protocol StageLink: AnyObject {
    /// Sends a tensor. Returns before it has arrived, so that two stages may send to each other at
    /// the same time; waits only if too many are on their way.
    func send(_ tensor: Tensor, to stage: Int) throws(Canceled)

    /// Waits for the next tensor from a stage.
    ///
    /// - Parameter shape: the shape that it must have. Another one means that the stages do not
    ///   compute the same work, which no input causes: then the work cannot go on.
    func receive(_ shape: [Int], from stage: Int) throws(Canceled) -> Tensor
}

/// A stage and its way to the others. A whole model has no others.
struct Passage {
    let stage: LayerStage
    let link: (any StageLink)?

    init(whole layers: Int) {
        (stage, link) = (LayerStage(whole: layers), nil)
    }

    init(_ stage: LayerStage, _ link: any StageLink) {
        (self.stage, self.link) = (stage, link)
    }

    /// The rows (N, D) that the stage begins with.
    func input(
        _ family: some Family, _ tokens: [Int32], _ positions: [Int], _ model: LanguageModel
    ) throws(Canceled) -> Tensor {
        guard !stage.isFirst, let link else {
            return family.embed(tokens, positions, model.parameters)
        }
        return try link.receive(
            [tokens.count, model.configuration.hiddenSize], from: stage.number - 1)
    }

    /// Sends the rows (N, D) that leave the stage to the next one.
    func pass(_ x: Tensor) throws(Canceled) {
        if !stage.isLast { try link?.send(x, to: stage.number + 1) }
    }
}
