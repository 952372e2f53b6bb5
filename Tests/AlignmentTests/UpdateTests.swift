import Optimizers
import Tensors
import TestSupport
import Testing
import Transformers

@testable import Alignment

@Suite struct UpdateTests {
    func largestChange(_ a: LanguageModel, _ b: LanguageModel) -> Double {
        zip(a.parameters.tensors, b.parameters.tensors).map { one, two in
            zip(one.values, two.values).map { Double(abs($0 - $1)) }.max() ?? 0
        }.max() ?? 0
    }

    @Test func `RMSprop's first step is ten times the learning rate, and a ramp takes that back`()
        throws
    {
        let reference = try Reference()
        let gradients = try Backward().gradients(
            of: [reference.batch()], model: reference.model)
        for (ramp, wanted) in [(false, 1e-2), (true, 1e-3)] {
            var (model, state) = (reference.model, OptimizerState())
            let update = Update(
                optimizer: Optimizer(.rmsprop, ["ramp": ramp ? 1 : 0]), learningRate: 1e-3)
            let report = try update.apply(gradients.parameters, to: &model, state: &state)
            #expect(abs(largestChange(model, reference.model) / wanted - 1) < 1e-2)
            #expect(report.gradientNorm == gradients.norm)
            #expect(report.clipFactor == 1)
            #expect(state.steps == 1)
        }
    }

    @Test func `clipping shortens gradients and says by how much`() throws {
        let reference = try Reference()
        let gradients = try Backward().gradients(
            of: [reference.batch()], model: reference.model)
        var (model, state) = (reference.model, OptimizerState())
        let report = try Update(learningRate: 1e-3, clip: gradients.norm / 4).apply(
            gradients.parameters, to: &model, state: &state)
        #expect(abs(report.clipFactor - 0.25) < 1e-9)
        let squares = try #require(state.moments["squares"])
        // squares = 0.01·g², so that its root's norm is a tenth of the clipped gradient's.
        let norm = squares.tensors.flatMap(\.values).reduce(0.0) { $0 + Double($1) }.squareRoot()
        #expect(abs(norm / (0.1 * gradients.norm / 4) - 1) < 1e-4)
    }

    @Test func `a step that ruins the weights leaves model and optimizer as before`() throws {
        let reference = try Reference()
        let gradients = try Backward().gradients(
            of: [reference.batch()], model: reference.model)
        var (model, state) = (reference.model, OptimizerState())
        #expect(throws: AlignmentError.self) {
            try Update(learningRate: 1e38).apply(
                gradients.parameters, to: &model, state: &state)
        }
        #expect(largestChange(model, reference.model) == 0)
        #expect(state.steps == 0 && state.moments.isEmpty)
        for rate in [-1, .nan, .infinity] {
            #expect(throws: AlignmentError.self) {
                try Update(learningRate: rate).apply(
                    gradients.parameters, to: &model, state: &state)
            }
        }
    }

    @Test func `training to ruin stops with a sentence`() throws {
        let reference = try Reference()
        var settings = TrainSettings()
        settings.accumulate = 1
        settings.steps = 5
        settings.update.learningRate = 1e38
        #expect(throws: AlignmentError.self) {
            try Trainer(settings).train(
                reference.model, on: [reference.group], tokenizer: nil, key: RandomKey(seed: 1))
        }
    }

    func settings(_ steps: Int) -> TrainSettings {
        var settings = TrainSettings()
        settings.accumulate = 2
        settings.steps = steps
        settings.update = Update(
            optimizer: .adamw(), learningRate: 1e-3, clip: 1)
        settings.schedule = .cosine
        settings.warmup = 2
        settings.beta = 0.1
        return settings
    }

    @Test func `a run continued from any step ends in the same bits`() throws {
        let reference = try Reference()
        let groups = [reference.group, reference.other, reference.group]
        let trainer = Trainer(settings(5))
        let key = RandomKey(seed: 9)
        let whole = try trainer.train(
            reference.model, on: groups, tokenizer: nil, reference: reference.model, key: key)
        #expect(whole.log.count == 5)
        for stop in 1...4 {
            let part = try trainer.train(
                reference.model, on: groups, tokenizer: nil, reference: reference.model, key: key,
                step: { record, _, _ in record.step == stop ? .stop : .more })
            #expect(part.isStopped && part.state.step == stop)
            let rest = try trainer.train(
                part.model, on: groups, tokenizer: nil, reference: reference.model,
                from: part.state, key: key)
            #expect(rest.model.parameters.tensors == whole.model.parameters.tensors)
            #expect(part.log + rest.log == whole.log)
        }
    }

    @Test func `training lowers the loss, and the penalty holds the model back`() throws {
        let reference = try Reference()
        func train(_ beta: Double) throws -> TrainResult {
            var settings = settings(12)
            settings.accumulate = 1
            settings.schedule = .constant
            settings.beta = beta
            return try Trainer(settings).train(
                reference.model, on: [reference.group], tokenizer: nil,
                reference: reference.model, key: RandomKey(seed: 2))
        }
        let held = try train(3)
        let free = try train(0.001)
        let first = try #require(free.log.first?.contrast.loss)
        let last = try #require(free.log.last)
        #expect(last.contrast.loss < 0.7 * first)
        #expect(last.contrast.bound > 0)
        #expect(try #require(held.log.last?.divergence) < (try #require(last.divergence)))
    }

    @Test func `epochs take every query once, and what is left over makes a smaller step`() throws {
        let reference = try Reference()
        let groups = (0..<5).map { index in
            var group = reference.group
            group.id = "q\(index)"
            return group
        }
        var settings = TrainSettings()
        settings.accumulate = 2
        settings.epochs = 1
        settings.update.learningRate = 0
        let result = try Trainer(settings).train(
            reference.model, on: groups, tokenizer: nil, key: RandomKey(seed: 1))
        #expect(result.log.map(\.contrast.queries) == [2, 2, 1])
        #expect(result.log.last?.epoch == 1)
        settings.epochs = 0.4
        #expect(try settings.extent(5) == (2, 1))
        settings.epochs = 2
        #expect(try settings.extent(5) == (10, 5))
        settings.epochs = 0.001
        #expect(try settings.extent(5) == (1, 1))
    }

    @Test func `numbers that cannot be are refused before any work`() throws {
        let bad: [(inout TrainSettings) -> Void] = [
            { $0.accumulate = 0 }, { $0.steps = 0 }, { $0.epochs = 0 }, { $0.epochs = .nan },
            { $0.warmup = -1 }, { $0.beta = -0.1 }, { $0.beta = .nan },
            { $0.update.clip = -1 }, { $0.update.learningRate = .nan },
            { $0.update.optimizer["alpha"] = 1 }, { $0.update.optimizer["epsilon"] = -1 },
            { $0.accumulate = Int.max }, { $0.steps = Int.max }, { $0.epochs = 1e300 },
        ]
        for (index, change) in bad.enumerated() {
            var settings = TrainSettings()
            change(&settings)
            #expect(throws: AlignmentError.self, "number \(index)") { try settings.extent(10) }
        }
    }

    @Test func `a stop is heard within a step as well as after one`() throws {
        let reference = try Reference()
        func train(_ packRows: Int, stopAt: Int) throws -> TrainResult {
            var calls = 0
            var last = (step: 1, done: 0)
            var trainer = Trainer(settings(4))
            trainer.packRows = packRows
            return try trainer.train(
                reference.model, on: [reference.group, reference.other], tokenizer: nil,
                reference: reference.model, key: RandomKey(seed: 1),
                progress: { report in
                    // Counts the ends of packs, not the blocks within them.
                    let place = (step: report.step?.number ?? 0, done: report.done)
                    calls += place != last && place.done > 0 ? 1 : 0
                    last = place
                    return calls == stopAt ? .stop : .more
                })
        }
        // Two queries a step, one after the other: the third call is in the middle of the second
        // step.
        let dropped = try train(1, stopAt: 3)
        #expect(dropped.isStopped && dropped.state.step == 1 && dropped.log.count == 1)
        let kept = try train(1, stopAt: 4)
        #expect(kept.isStopped && kept.state.step == 2)
        let together = try train(1024, stopAt: 1)
        #expect(together.isStopped && together.state.step == 1)
        let last = try train(1024, stopAt: 4)
        #expect(!last.isStopped && last.state.step == 4)
    }

    @Test func `a penalty without a base is refused`() throws {
        let reference = try Reference()
        #expect(throws: AlignmentError.needsReference) {
            try Backward(beta: 0.1).gradients(of: [reference.batch()], model: reference.model)
        }
        #expect(throws: AlignmentError.noRollouts) {
            try Backward().gradients(of: [], model: reference.model)
        }
    }
}
