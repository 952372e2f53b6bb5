import LongWork
import Tensors
import Testing
import TextModels
import Transformers

@testable import Alignment

/// Knows "Say WORD." and "Avoid WORD.".
struct WordMeasure: Measure {
    func adherence(of response: String, to principle: String, for query: Query) -> Adherence {
        let words = principle.dropLast().split(separator: " ")
        guard words.count == 2 else { return .unknown }
        switch words[0] {
        case "Say": return response.contains(words[1]) ? .follows : .breaks
        case "Avoid": return response.contains(words[1]) ? .breaks : .follows
        default: return .unknown
        }
    }
    func isMalformed(_ response: String, for query: Query) -> Bool { response.contains("#") }
}

@Suite struct JudgeTests {
    static let query = Query(id: "q", form: .post, text: "P")

    static func judge() throws -> MeasuredJudge {
        try MeasuredJudge(WordMeasure(), queries: [query])
    }

    static func pair(_ principles: [String], _ first: String, _ second: String) -> ResponsePair {
        ResponsePair(
            id: query.id,
            constitution: Constitution(
                slots: principles.map { Slot(text: $0, polarity: .principle) }),
            first: first, second: second)
    }

    @Test func `more principles followed is a win, as many a tie`() throws {
        let both = ["Say arr.", "Avoid tea."]
        let verdicts = try Self.judge().judge([
            Self.pair(both, "arr", "tea arr"), Self.pair(both, "tea", "#"),
            Self.pair(both, "arr", "arr"),
        ])
        #expect(verdicts.comparisons.map(\.judgement) == [.win, .loss, .tie])
        #expect(verdicts.comparisons[0].scores == [2, 1])
        #expect(verdicts.winRate == 0.5)
        #expect(verdicts.secondMalformed == 1.0 / 3)
        #expect(
            verdicts.principles == [
                PrincipleTally(principle: "Say arr.", count: 3, first: 2.0 / 3, second: 2.0 / 3),
                PrincipleTally(principle: "Avoid tea.", count: 3, first: 2.0 / 3, second: 2.0 / 3),
            ])
    }

    @Test func `a stop in a measure keeps the comparisons before it`() throws {
        struct Stopping: Measure {
            func adherence(of response: String, to: String, for: Query) throws -> Adherence {
                if response == "stop" { throw Canceled() }
                return .follows
            }
            func isMalformed(_ response: String, for query: Query) -> Bool { false }
        }
        let verdicts = try MeasuredJudge(Stopping(), queries: [Self.query]).judge([
            Self.pair(["Say arr."], "arr", "oh"), Self.pair(["Say arr."], "arr", "stop"),
        ])
        #expect(verdicts.isStopped && verdicts.comparisons.count == 1)
        #expect(verdicts.principles.map(\.count) == [1])
    }

    @Test func `a principle the measure does not know is said and left out`() throws {
        let verdicts = try Self.judge().judge([
            Self.pair(["Be a good friend.", "Say arr."], "arr", "oh"),
            Self.pair(["Be a good friend."], "arr", "oh"),
        ])
        #expect(verdicts.unknownPrinciples == ["Be a good friend."])
        #expect(verdicts.wins == 1 && verdicts.count == 1)
        #expect(verdicts.exclusions.map { "\($0.reason) \($0.count)" } == ["unknownPrinciples 1"])
        #expect(throws: AlignmentError.noQueries) { try Self.judge().judge([]) }
    }

    @Test func `a stop keeps what is judged`() throws {
        let pairs = (0..<9).map { _ in Self.pair(["Say arr."], "arr", "") }
        let verdicts = try Self.judge().judge(
            pairs, progress: { $0.done == 4 ? .stop : .more })
        #expect(verdicts.isStopped && verdicts.wins == 4)
    }

    @Test func `the likelihood judge prefers what the constitution makes likelier`() throws {
        // The random weights prefer one side; a sum over separate sequences shows which.
        let babbler = try Babbler.words()
        let model = try LanguageModel(
            ModelConfiguration(
                hiddenSize: 32, layers: 2, heads: 2, feedForwardSize: 64, vocabularySize: 259,
                contextLength: 200, initializerRange: 0.4, endTokens: [2]),
            key: RandomKey(seed: 8))
        let judge = try LikelihoodJudge(
            babbler.text().with(model), queries: [Self.query])
        var pairs = [("abc.", "de."), ("fgh.", "ha ha."), ("same.", "same.")].map { first, second in
            var pair = Self.pair([], first, second)
            pair.constitution = Constitution(
                slots: [Slot(text: "Do x.", polarity: .principle, opposite: "Avoid x.")])
            return pair
        }
        pairs.append(Self.pair(["No opposite is known."], "a.", "b."))
        pairs.append(pairs[0])
        pairs[4].first = " "
        pairs.append(pairs[0])
        pairs[5].second = String(repeating: "long ", count: 50)
        let verdicts = try judge.judge(pairs)

        func logProb(_ response: String, _ constitution: Constitution) throws -> Double {
            let prompt = try Prompts.tiny.trainingPrompt(
                Self.query, constitution, chat: nil
            ).text
            let tokens = babbler.tokenizer.encode(prompt + " " + response)
            var forest = TokenForest()
            forest.append(tokens)
            let start = babbler.tokenizer.encode(prompt).count
            return try model.logProbs(
                forest, (start..<tokens.count).map { Target(row: $0 - 1, token: tokens[$0]) }
            ).reduce(0.0) { $0 + Double($1) }
        }
        for comparison in verdicts.comparisons.prefix(2) {
            let constitution = comparison.pair.constitution
            let opposed = try #require(constitution.antithesis)
            let margins = try [comparison.pair.first, comparison.pair.second].map {
                try logProb($0, constitution) - logProb($0, opposed)
            }
            #expect(abs(comparison.scores[0] - margins[0]) < 1e-3)
            #expect(abs(comparison.scores[1] - margins[1]) < 1e-3)
            #expect(comparison.judgement == (margins[0] > margins[1] ? .win : .loss))
        }
        #expect(verdicts.comparisons[2].judgement == .tie)
        #expect(
            verdicts.comparisons.map(\.exclusion) == [
                nil, nil, nil, .noAntithesis, .empty, .overflow,
            ])
        #expect(verdicts.count == 3)
    }

    @Test func `a model ties with itself everywhere`() throws {
        let babbler = try Babbler.words()
        let groups = try Composer(count: 1, principles: 1, polarity: .distinct).compose(
            Babbler.queries, from: Babbler.pairs, key: RandomKey(seed: 2))
        var settings = RolloutSettings()
        settings.sampling.maxTokens = 40
        let (pairs, skipped) = try PairSampler(settings).pairs(
            Babbler.queries, groups, first: .init(babbler.text()), second: .init(babbler.text()),
            key: RandomKey(seed: 3))
        #expect(pairs.count == 12 && skipped.isEmpty)
        #expect(pairs.allSatisfy { $0.first == $0.second && !$0.first.isEmpty })
        #expect(Set(pairs.map(\.first)).count > 6)
        #expect(throws: AlignmentError.self) {
            try PairSampler(settings).pairs(
                Babbler.queries, groups, first: .init(babbler.text()),
                second: .init(babbler.text()),
                key: RandomKey(seed: 3)
            ) { _ in .stop }
        }
    }

    @Test func `pairs that do not fit are named`() throws {
        let babbler = try Babbler.words()
        var queries = Array(Babbler.queries.prefix(2))
        queries[0].text = String(repeating: "x", count: 300)
        let groups = try Composer(count: 1, principles: 1, polarity: .positive).compose(
            queries, from: Babbler.pairs, key: RandomKey(seed: 2))
        var settings = RolloutSettings()
        settings.sampling.maxTokens = 40
        let (pairs, skipped) = try PairSampler(settings).pairs(
            queries, groups, first: .init(babbler.text()), second: .init(babbler.text()),
            key: RandomKey(seed: 3))
        #expect(pairs.map(\.id) == ["q1"] && skipped.map(\.id) == ["q0"])
        settings.overflow = .error
        #expect(throws: AlignmentError.overflow(queries: ["q0"], context: 200, maxTokens: 40)) {
            try PairSampler(settings).pairs(
                queries, groups, first: .init(babbler.text()), second: .init(babbler.text()),
                key: RandomKey(seed: 3))
        }
    }

    @Test func `agreement of judges is corrected by that of chance`() throws {
        func verdicts(_ judgements: [Judgement?]) -> Verdicts {
            Verdicts(
                judge: "j",
                comparisons: judgements.enumerated().map { place, judgement in
                    Comparison(
                        pair: JudgeTests.pair(["Say arr."], "a\(place)", "b"),
                        judgement: judgement)
                })
        }
        // 2 x 2 with 20, 5, 10, 15: share 0.7, chance 0.5, kappa 0.4 (a textbook's example).
        let one: [Judgement?] =
            Array(repeating: .win, count: 25) + Array(repeating: .loss, count: 25)
        let two: [Judgement?] =
            Array(repeating: .win, count: 20) + Array(repeating: .loss, count: 5)
            + Array(repeating: .win, count: 10) + Array(repeating: .loss, count: 15)
        let agreement = try #require(JudgeAgreement(verdicts(one), verdicts(two)))
        #expect(agreement.count == 50 && agreement.unmatched == 0)
        #expect(abs(agreement.share - 0.7) < 1e-12 && abs(agreement.chance - 0.5) < 1e-12)
        #expect(abs(try #require(agreement.kappa) - 0.4) < 1e-12)
        let interval = try #require(agreement.interval)
        #expect(abs(interval.lower - 0.14595) < 1e-4 && abs(interval.upper - 0.65405) < 1e-4)
        // Full agreement on few pairs is no certainty: 12 verdicts, one of them a win, and Wilson's
        // lower bound 0.7575 of the share.
        let most = [Judgement](repeating: .loss, count: 11) + [.win]
        let full = try #require(JudgeAgreement(verdicts(most), verdicts(most)))
        let certain = try #require(full.interval)
        let chance = (11.0 * 11 + 1) / 144
        #expect(full.kappa == 1 && certain.upper == 1)
        #expect(abs(certain.lower - (0.75751 - chance) / (1 - chance)) < 1e-3)
        // One verdict only has no kappa; other pairs do not count.
        let same = try #require(
            JudgeAgreement(verdicts([.tie, nil, .tie]), verdicts([.tie, .tie])))
        #expect(same.kappa == nil && same.count == 1 && same.unmatched == 2)
        #expect(JudgeAgreement(verdicts([nil]), verdicts([.win])) == nil)
    }

    @Test func `a loaded model as an engine stops at the given strings`() throws {
        let table: [Character: [(Character, Double)]] = [
            "\n": [("a", 1)], "a": [("b", 1)], "b": [("c", 1)], "c": [("a", 1)],
        ]
        let babbler = try Babbler(table)
        let engine = LoadedEngine(babbler.text())
        let requests = (0..<2).map { _ in TextRequest(.text("Go:\n"), key: RandomKey(seed: 1)) }
        func written(_ stops: [String]) throws -> [WrittenText] {
            try engine.write(
                requests, Sampling(temperature: 0, maxTokens: 7), stops: stops
            ) { _ in .more }
        }
        #expect(
            try written(["\n\n"])
                == Array(repeating: WrittenText(text: "abcabca", ending: .length), count: 2))
        #expect(try written(["ca"])[0] == WrittenText(text: "ab"))
        let long = TextRequest(
            .text(String(repeating: "x", count: 300)), key: RandomKey(seed: 1))
        let mixed = try engine.write([long] + requests, Sampling(temperature: 0), stops: ["ca"]) {
            _ in .more
        }
        #expect(mixed.map(\.ending) == [.overflow, .stop, .stop] && mixed[1].text == "ab")
        // A prompt near the end of the context does not shorten the others.
        let near = TextRequest(
            .text(String(repeating: "x", count: babbler.text().context - 3)),
            key: RandomKey(seed: 1))
        let texts = try engine.write(
            [near] + requests, Sampling(temperature: 0, maxTokens: 7), stops: []
        ) { _ in .more }
        #expect(texts[0].text.count <= 3 && texts[1].text == "abcabca")
        #expect(throws: Canceled.self) {
            try engine.write(requests, Sampling(), stops: []) { _ in .stop }
        }
    }
}
