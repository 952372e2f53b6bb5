import Testing

@testable import Alignment

@Suite struct StatisticsTests {
    /// Tests/Oracles/alignment.py wilson.
    @Test(arguments: [
        (70.0, 100, 0.6041514536665332, 0.7810511470506724),
        (0, 10, 0.0, 0.2775327998628892),
        (10, 10, 0.7224672001371107, 1),
        (360.5, 500, 0.6801162470788196, 0.7585137944371743),
    ])
    func `Wilson's interval`(successes: Double, count: Int, lower: Double, upper: Double) throws {
        let interval = try #require(Interval.wilson(successes: successes, of: count))
        #expect(abs(interval.lower - lower) < 1e-12)
        #expect(abs(interval.upper - upper) < 1e-12)
    }

    @Test func `no comparison has no interval`() {
        #expect(Interval.wilson(successes: 0, of: 0) == nil)
        #expect(LengthControl(outcomes: [], differences: []) == nil)
        #expect(LengthControl(outcomes: [1], differences: [1, 2]) == nil)
    }

    /// Tests/Oracles/alignment.py length: L-BFGS on the same function, torch 2.13.0, float64.
    @Test func `the length-controlled rate is the regression's at zero difference`() throws {
        let control = try #require(
            LengthControl(
                outcomes: [1, 1, 0.5, 0, 1, 0, 1, 1, 0, 0.5, 1, 0],
                differences: [30, 12, 0, -8, 25, 4, -6, 18, -20, 2, 9, -11]))
        #expect(abs(control.rate - 0.5000456129752742) < 1e-7)
        #expect(abs(control.interval.lower - 0.19618603288596564) < 1e-6)
        #expect(abs(control.interval.upper - 0.8038715049964141) < 1e-6)
        #expect(abs(control.slope - 2.1994985200650623) < 1e-6)
    }

    /// The same comparisons ten times are no more evidence than once.
    @Test func `repeated observations do not narrow the interval`() throws {
        let (outcomes, differences) = ([1.0, 1, 0.5, 0, 1, 0], [30.0, 12, 0, -8, 25, 4])
        func control(_ times: Int, _ observations: Int?) throws -> LengthControl {
            try #require(
                LengthControl(
                    outcomes: Array([[Double]](repeating: outcomes, count: times).joined()),
                    differences: Array([[Double]](repeating: differences, count: times).joined()),
                    observations: observations))
        }
        let (plain, counted) = (try control(10, nil).interval, try control(10, 6).interval)
        let once = try control(1, nil).interval
        #expect(plain.upper - plain.lower < 0.6 * (once.upper - once.lower))
        #expect(counted.upper - counted.lower > 0.9 * (once.upper - once.lower))
    }

    @Test func `with equal lengths the controlled rate is the raw one, drawn to a half by one tie`()
        throws
    {
        let outcomes = Array(repeating: 1.0, count: 72) + Array(repeating: 0.0, count: 28)
        let control = try #require(
            LengthControl(outcomes: outcomes, differences: Array(repeating: 0, count: 100)))
        #expect(abs(control.rate - 72.5 / 101) < 1e-9)
        #expect(control.slope == 0)
    }

    @Test func `wins that only length explains are taken away`() throws {
        // The longer response wins four times out of five, and the first response is longer nine
        // times out of ten.
        let differences = (0..<200).map { $0 % 10 == 0 ? -20.0 : 20.0 }
        let outcomes = (0..<200).map { index in
            let longerWins = (index / 10 + index) % 5 != 0
            return (differences[index] > 0) == longerWins ? 1.0 : 0.0
        }
        let raw = outcomes.reduce(0, +) / 200
        let control = try #require(LengthControl(outcomes: outcomes, differences: differences))
        #expect(raw > 0.7)
        #expect(control.slope > 1)
        #expect(abs(control.rate - 0.5) < 0.06)
        #expect(control.interval.lower < 0.5)
    }

    @Test func `the unit of length does not matter`() throws {
        let outcomes = [1, 0, 1, 1, 0.5, 0, 1]
        let differences: [Double] = [3, -2, 1, 5, 0, 2, -1]
        let one = try #require(LengthControl(outcomes: outcomes, differences: differences))
        let other = try #require(
            LengthControl(outcomes: outcomes, differences: differences.map { 100 * $0 }))
        #expect(abs(one.rate - other.rate) < 1e-12)
    }

    @Test func `a rate exists even when every comparison is won`() throws {
        let control = try #require(
            LengthControl(
                outcomes: Array(repeating: 1, count: 500),
                differences: (0..<500).map { Double($0) - 250 }))
        #expect(control.rate > 0.98 && control.rate < 1)
        #expect(control.interval.lower > 0.9)
    }

    static func pair(_ id: Int, first: String, second: String) -> ResponsePair {
        ResponsePair(
            id: "q\(id)",
            constitution: Constitution(slots: []), first: first, second: second)
    }

    @Test func `verdicts count half a tie and leave out what has no judgement`() {
        let judgements: [Judgement?] = [.win, .win, .tie, .loss, nil]
        let verdicts = Verdicts(
            judge: "test",
            comparisons: judgements.enumerated().map { index, judgement in
                Comparison(
                    pair: Self.pair(index, first: "one two three", second: " one \n"),
                    judgement: judgement, exclusion: judgement == nil ? .unknownPrinciples : nil,
                    malformed: [index == 0, false])
            })
        #expect(verdicts.wins == 2 && verdicts.ties == 1 && verdicts.losses == 1)
        #expect(verdicts.count == 4)
        #expect(verdicts.winRate == 2.5 / 4)
        #expect(verdicts.firstLengths.words == 3)
        #expect(verdicts.firstLengths.characters == 13)
        #expect(verdicts.secondLengths.characters == 3)
        #expect(verdicts.firstMalformed == 0.25)
        #expect(verdicts.secondMalformed == 0)
        #expect(verdicts.exclusions.map(\.count) == [1])
    }

    @Test func `no comparison gives no rate`() {
        let verdicts = Verdicts(judge: "test", comparisons: [])
        #expect(verdicts.winRate == nil)
        #expect(verdicts.interval == nil)
        #expect(verdicts.lengthControlled == nil)
        #expect(verdicts.firstMalformed == nil)
    }
}
