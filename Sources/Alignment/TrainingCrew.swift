import LongWork
import Transformers

/// A crew that trains: each process computes the gradients of some of a step's queries and receives
/// the sum of all, or computes those of its own layers. It takes the step itself, so that weights
/// are sent once.
public protocol TrainingCrew: Crew {
    /// `Backward.gradients`, divided over the processes, which keep the sum for `take`.
    ///
    /// - Parameter progress: the share of the work that is finished is all underway.
    /// - Throws: `Canceled`; an error that names the process that failed.
    func gradients(
        _ backward: Backward, of batches: [ContrastBatch], model: LanguageModel,
        reference: LanguageModel?, progress: (CrewProgress) -> Continuation
    ) throws -> Gradients

    /// Before this process takes the step on the last gradients.
    ///
    /// - Parameters:
    ///   - state: moments that the processes lack are sent.
    ///   - goesOn: asked while they are.
    /// - Throws: `Canceled`.
    func prepareStep(
        _ model: LanguageModel, _ state: OptimizerState, _ goesOn: () -> Continuation
    ) throws -> CrewStep

    /// After it: the processes take the same step.
    func take(
        _ step: CrewStep, _ update: Update, factor: Double, _ model: LanguageModel,
        _ state: OptimizerState) throws
}

/// A step that is about to be taken: how the processes know the tensors that it changes.
public struct CrewStep: Sendable {
    /// The numbers of the model's tensors.
    package var weights: [Int]
    /// The numbers of the optimizer's moments, by name.
    package var moments: [String: [Int]]
    /// Steps that the optimizer took before.
    package var steps: Int

    package init(weights: [Int], moments: [String: [Int]], steps: Int) {
        self.weights = weights
        self.moments = moments
        self.steps = steps
    }
}

/// The queries of a step, of which a process may compute a part.
package struct StepExtent: Sendable, Codable, Hashable {
    package var queries: Int
    /// Rows that predict a scored token.
    package var scoredRows: Int

    package init(_ batches: [ContrastBatch]) { self.init(ForestPack.packs(batches, rows: 0)) }

    init(_ packs: [ForestPack]) {
        queries = packs.reduce(0) { $0 + $1.parts.count }
        scoredRows = packs.reduce(0) { $0 + $1.scoredRows }
    }
}
