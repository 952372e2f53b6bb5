import LongWork
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Alignment

/// Other processes that compute right, and end before they take a step.
private final class LostCrew: TrainingCrew {
    let count = 2
    let dividesLayers = false

    func logProbs(
        of forests: [ScoredForest], _ model: LanguageModel,
        progress: (CrewProgress) -> Continuation
    ) throws -> [[Float]] {
        try forests.map { try model.alone.logProbs($0.forest, $0.targets) }
    }

    func gradients(
        _ backward: Backward, of batches: [ContrastBatch], model: LanguageModel,
        reference: LanguageModel?, progress: (CrewProgress) -> Continuation
    ) throws -> Gradients {
        try backward.gradients(of: batches, model: model.alone, reference: reference?.alone)
    }

    func prepareStep(
        _ model: LanguageModel, _ state: OptimizerState, _ goesOn: () -> Continuation
    ) -> CrewStep {
        CrewStep(weights: [], moments: [:], steps: state.steps)
    }

    func take(
        _ step: CrewStep, _ update: Update, factor: Double, _ model: LanguageModel,
        _ state: OptimizerState
    ) throws { throw Canceled() }
}

@Suite struct LostCrewTests {
    /// This process has taken the step, whatever becomes of the others.
    @Test(arguments: [1, 2])
    func `a crew that is lost in a step ends the training after it, even the last one`(
        steps: Int
    ) throws {
        let reference = try Reference()
        var settings = TrainSettings()
        (settings.accumulate, settings.steps) = (1, steps)
        settings.update = Update(learningRate: 1e-3)
        let trainer = Trainer(settings)
        let batches = [try reference.batch()]
        let whole = try trainer.train(reference.model, on: batches, key: RandomKey(seed: 1))
        #expect(!whole.isStopped && whole.log.count == steps)

        var model = reference.model
        model.crew = LostCrew()
        let cut = try trainer.train(model, on: batches, key: RandomKey(seed: 1))
        #expect(cut.isStopped && cut.log.count == 1 && cut.state.step == 1)
        let rest = try trainer.train(
            cut.model.alone, on: batches, from: cut.state, key: RandomKey(seed: 1))
        #expect(!rest.isStopped && rest.log.count == steps - 1)
        #expect(rest.model.parameters.tensors == whole.model.parameters.tensors)
    }
}
