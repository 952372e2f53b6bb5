import LongWork
import Optimizers
import Tensors
import Testing
import TextModels
import Transformers

@testable import Alignment

@Suite struct IterateTests {
    struct Run {
        let babbler: Babbler
        var plan: IterationPlan
        let iteration: Iteration

        init(_ change: (inout IterationPlan) -> Void = { _ in }) throws {
            babbler = try Babbler.words()
            plan = IterationPlan()
            plan.iterations = 2
            plan.queries = 5
            plan.compose = Composer(count: 2, principles: 2)
            plan.rollout.sampling.maxTokens = 40
            plan.train.accumulate = 2
            plan.train.steps = 3
            plan.train.update = Update(
                optimizer: .adamw(), learningRate: 1e-3)
            plan.train.beta = 0.05
            change(&plan)
            iteration = Iteration(plan, sources: [.pairs(Babbler.pairs)])
        }

        func queries(_ iteration: Int) -> [Query] {
            (0..<plan.queries).map {
                Query(id: "\(iteration)-\($0)", form: .post, text: "P\(iteration)\($0)")
            }
        }

        func callAsFunction(
            from state: IterationState? = nil,
            observe: (IterationEvent, IterationState) throws -> Continuation = { _, _ in .more }
        ) throws -> (state: IterationState, isStopped: Bool) {
            try iteration.run(
                base: babbler.text(),
                from: state ?? IterationState(base: babbler.model), key: RandomKey(seed: 11),
                queries: queries, observe: observe)
        }
    }

    @Test func `iterations roll out with the last model on new queries and train from the base`()
        throws
    {
        let run = try Run()
        var events: [String] = []
        var policies: [LanguageModel] = []
        let (state, isStopped) = try run { event, state in
            switch event {
            case .rolledOut(let rollouts):
                #expect(rollouts.groups.allSatisfy { $0.id.text.hasPrefix("\(state.iteration)-") })
                policies.append(state.policy)
                events.append("rolled out")
            case .trained(let record):
                #expect(state.train?.step == record.step && state.model != nil)
                events.append("step \(record.step)")
            case .finished(let record): events.append("finished \(record.iteration)")
            }
            return .more
        }
        #expect(!isStopped && state.iteration == 3)
        #expect(
            events == [
                "rolled out", "step 1", "step 2", "step 3", "finished 1",
                "rolled out", "step 1", "step 2", "step 3", "finished 2",
            ])
        #expect(state.log.map(\.iteration) == [1, 2])
        #expect(state.log.allSatisfy { $0.rolledOut == 5 && $0.kept + $0.rejected.count == 5 })
        let base = run.babbler.model.parameters.tensors
        #expect(policies[0].parameters.tensors == base)
        #expect(policies[1].parameters.tensors != base)
        // From the base again: the penalty of the first step of the second iteration is zero.
        #expect(abs(state.log[1].steps[0].divergence ?? 1) < 1e-6)
    }

    @Test func `from=previous goes on with the last model`() throws {
        let (state, _) = try Run { $0.from = .previous }()
        #expect(try #require(state.log[1].steps[0].divergence) > 1e-6)
    }

    @Test func `a run continued from any state it reported ends in the same bits`() throws {
        let run = try Run()
        let whole = try run().state
        for stop in [1, 3, 4, 5, 7, 9] {
            var seen = 0
            var saved: IterationState?
            let part = try run { _, state in
                seen += 1
                guard seen == stop else { return .more }
                saved = state
                return .stop
            }
            // After a stop at the very last step nothing remains to do.
            let isStopped = part.isStopped
            #expect(isStopped == (stop != 9), "stopped after event \(stop)")
            for state in [try #require(saved), part.state].prefix(stop == 3 ? 2 : 1) {
                let end = try run(from: state).state
                let isSame =
                    end.policy.parameters.tensors == whole.policy.parameters.tensors
                    && end.log == whole.log
                #expect(isSame, "stopped after event \(stop)")
            }
        }
    }

    @Test func `an iteration without a usable query says what became of them`() throws {
        let run = try Run { $0.rollout.sampling.maxTokens = 1 }
        do {
            _ = try run()
            Issue.record("nothing was thrown")
        } catch let error as AlignmentError {
            guard case .allRejected(let iteration, let counts) = error else {
                throw error
            }
            #expect(iteration == 1 && counts.values.reduce(0, +) == 5)
            #expect("\(error)".contains("5 unfinished") || "\(error)".contains("empty"))
        }
    }

    @Test func `presets say what the paper says`() {
        let paper = IterationPlan(.paper)
        #expect(paper.iterations == 3 && paper.queries == 2000 && paper.from == .base)
        #expect(paper.compose.count == 2 && paper.compose.polarity == .positive)
        #expect(paper.rollout.sampling.temperature == 0 && paper.rollout.sampling.maxTokens == 350)
        #expect(paper.rollout.sampling.topP == 0.9)
        #expect(paper.train.accumulate == 16 && paper.train.beta == 0)
        #expect(paper.train.update.optimizer.rule.name == "rmsprop")
        #expect(paper.train.update.learningRate == 5e-7)
        #expect((1...4).map { paper.settings($0).epochs } == [0.12, 0.25, 0.38, 0.38])
        #expect(paper.train.score == ScoreSettings())
        #expect(IterationPlan(.tiny).settings(2).steps == IterationPlan.tiny.train.steps)
    }
}
