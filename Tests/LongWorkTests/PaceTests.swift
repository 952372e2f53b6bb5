import LongWork
import Testing

@Suite struct PaceTests {
    private func report(_ step: Int, _ done: Int, tokens: Int) -> WorkProgress {
        WorkProgress(
            .train, done: done, of: 4, unit: .queries, tokens: tokens, step: .init(step, of: 10))
    }

    @Test func `rate and time left are those of the whole run, also in later steps`() throws {
        var pace = Pace(startingAt: 100)
        // Ten steps of four queries, 50 tokens and half a second a query.
        var seconds = 100.0
        for step in 1...3 {
            for query in 1...4 {
                seconds += 0.5
                pace.update(report(step, query, tokens: query * 50), at: seconds)
                #expect(pace.tokensPerSecond == 100, "step \(step), query \(query)")
                let left = Double(40 - (step - 1) * 4 - query) * 0.5
                #expect(abs(try #require(pace.secondsLeft) - left) < 1e-9)
            }
        }
    }

    @Test func `a resumed run does not count the steps that it did not do`() throws {
        var pace = Pace(startingAt: 0)
        pace.update(report(6, 2, tokens: 100), at: 1)
        #expect(pace.tokensPerSecond == 100)
        // Half a step took a second, four and a half are left.
        #expect(abs(try #require(pace.secondsLeft) - 9) < 1e-9)
    }

    @Test func `a resumed run without steps does not count the units that it did not do`() throws {
        var pace = Pace(startingAt: 0)
        func report(_ done: Int, tokens: Int) -> WorkProgress {
            WorkProgress(.pretrain, done: done, of: 100, unit: .steps, tokens: tokens)
        }
        pace.update(report(60, tokens: 0), at: 0)
        #expect(pace.secondsLeft == nil)
        pace.update(report(70, tokens: 50), at: 5)
        #expect(pace.tokensPerSecond == 10)
        #expect(abs(try #require(pace.secondsLeft) - 15) < 1e-9)
    }

    @Test func `another phase begins a new run`() throws {
        var pace = Pace(startingAt: 0)
        pace.update(
            WorkProgress(.rollout, done: 8, of: 8, unit: .responses, tokens: 8000), at: 20)
        pace.update(report(1, 1, tokens: 10), at: 21)
        #expect(pace.tokensPerSecond == 10)
        #expect(abs(try #require(pace.secondsLeft) - 39) < 1e-9)
    }

    @Test func `work on unfinished units counts, and its estimate may fall`() throws {
        var pace = Pace(startingAt: 0)
        func report(_ done: Int, _ underway: Double, tokens: Int) -> WorkProgress {
            WorkProgress(
                .propose, done: done, of: 4, underway: underway, unit: .pairs, tokens: tokens)
        }
        pace.update(report(0, 1, tokens: 10), at: 2)
        #expect(try #require(pace.secondsLeft) == 6)
        pace.update(report(1, 0.5, tokens: 30), at: 4)
        pace.update(report(1, 0, tokens: 40), at: 5)
        #expect(pace.tokensPerSecond == 8)
        #expect(try #require(pace.secondsLeft) == 15)
    }

    @Test func `nothing is said before the first unit is done`() {
        var pace = Pace(startingAt: 0)
        #expect(pace.secondsLeft == nil && pace.tokensPerSecond == nil)
        pace.update(WorkProgress(.score, done: 0, of: 0, unit: .queries), at: 1)
        #expect(pace.secondsLeft == nil && pace.tokensPerSecond == nil)
        #expect(WorkProgress(.score, done: 0, of: 0, unit: .queries).fraction == 0)
    }
}
