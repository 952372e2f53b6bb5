import Foundation
import LongWork
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Generation compared with scoring the finished sequences, and the effects of its settings.
@Suite struct GenerationTests {
    private static let vocabulary = 60

    private func tokens(_ count: Int, _ seed: UInt64) -> [Int32] {
        TinyModels.tokens(count, seed: seed, vocabulary: Self.vocabulary)
    }

    private func model(_ family: String = "llama", context: Int = 4096) throws -> LanguageModel {
        try TinyModels.model(
            family, seed: 3, width: 16, vocabulary: Self.vocabulary, context: context)
    }

    private func requests(_ count: Int = 5) -> [GenerationRequest] {
        (0..<count).map {
            GenerationRequest(
                prompt: tokens(4 + $0 % 7, UInt64($0)), key: RandomKey(seed: UInt64($0)))
        }
    }

    /// Log-probs of the whole vocabulary after `sequence`.
    private func logProbs(_ model: LanguageModel, after sequence: [Int32]) throws -> [Float] {
        var forest = TokenForest()
        forest.append(sequence)
        return try model.logProbs(
            forest,
            (0..<Int32(Self.vocabulary)).map { Target(row: sequence.count - 1, token: $0) })
    }

    @Test(arguments: [nil, 300])
    func promptsLongerThanWhatGoesTogetherAreReadWhole(window: Int?) throws {
        var configuration = TinyModels.configuration(
            window == nil ? "llama" : "mistral", width: 16, vocabulary: Self.vocabulary,
            context: 4096)
        configuration.slidingWindow = window
        let model = try TinyModels.model(configuration, seed: 3)
        // Two prompts that share more rows than go together, one of few rows, and one that ends in
        // the middle.
        let shared = tokens(1500, 1)
        let prompts = [
            shared + tokens(700, 2), shared + tokens(20, 3), tokens(5, 4),
            Array(shared.prefix(1024)),
        ]
        let found = try model.generate(
            prompts.enumerated().map {
                GenerationRequest(prompt: $1, key: RandomKey(seed: UInt64($0)))
            }, SamplerSettings(maxTokens: 6))
        for (prompt, generation) in zip(prompts, found) {
            #expect(generation.tokens.count == 6)
            let (forest, targets) = TokenForest.continuing(prompt, with: generation.tokens)
            let scored = try model.logProbs(forest, targets)
            // Cached keys and values are kept in 16-bit integers.
            #expect(zip(scored, generation.logProbs).allSatisfy { abs($0 - $1) < 2e-3 })
        }
    }

    @Test(arguments: TinyModels.families)
    func logProbsAreThoseOfScoringTheFinishedSequence(family: String) throws {
        let model = try model(family, context: 64)
        let requests = requests()
        let found = try model.generate(requests, SamplerSettings(temperature: 1.3, maxTokens: 12))
        for (request, generation) in zip(requests, found) {
            #expect(generation.finish == .length && generation.tokens.count == 12)
            let (forest, targets) = TokenForest.continuing(request.prompt, with: generation.tokens)
            let scored = try model.logProbs(forest, targets)
            #expect(zip(scored, generation.logProbs).allSatisfy { abs($0 - $1) < 2e-3 })
        }
    }

    @Test func topKDrawsAmongTheLikeliestAlone() throws {
        let model = try model()
        let requests = requests(8)
        let found = try model.generate(
            requests, SamplerSettings(temperature: 2, topK: 3, maxTokens: 10))
        var ranks = Set<Int>()
        for (request, generation) in zip(requests, found) {
            for (place, token) in generation.tokens.enumerated() {
                let before = request.prompt + generation.tokens.prefix(place)
                let scores = try logProbs(model, after: before)
                ranks.insert(scores.count { $0 > scores[Int(token)] })
            }
        }
        #expect(ranks == [0, 1, 2])
    }

    @Test func topPDrawsFromTheSmallestSetWithThatProbability() throws {
        let model = try model()
        let requests = requests(8)
        let found = try model.generate(requests, SamplerSettings(topP: 0.6, maxTokens: 10))
        var second = 0
        for (request, generation) in zip(requests, found) {
            for (place, token) in generation.tokens.enumerated() {
                let before = request.prompt + generation.tokens.prefix(place)
                let scores = try logProbs(model, after: before)
                let likelier = scores.filter { $0 > scores[Int(token)] }
                // The tokens before it do not yet reach the probability.
                #expect(likelier.reduce(0) { $0 + exp($1) } < 0.6 + 1e-3)
                if !likelier.isEmpty { second += 1 }
            }
        }
        #expect(second > 10)
    }

    @Test func aStopTokenEndsAResponseAndIsNoPartOfIt() throws {
        let model = try model()
        let whole = try model.generate(requests(), SamplerSettings(maxTokens: 20))
        // A token that occurs in the middle of some response.
        let stop = whole[2].tokens[7]
        let found = try model.generate(
            requests(), SamplerSettings(maxTokens: 20, stopTokens: [stop]))
        for (whole, found) in zip(whole, found) {
            let end = whole.tokens.firstIndex(of: stop)
            #expect(found.tokens == Array(whole.tokens.prefix(end ?? 20)))
            #expect(found.logProbs.count == found.tokens.count)
            #expect(found.finish == (end == nil ? .length : .stop))
        }
        #expect(found[2].tokens.count <= 7)
    }

    @Test func aStopThatTheCallerDecidesEndsThatResponseAlone() throws {
        let model = try model()
        let whole = try model.generate(requests(), SamplerSettings(maxTokens: 12))
        let found = try model.generate(
            requests(), SamplerSettings(maxTokens: 12),
            stop: { request, tokens in request == 1 && tokens.count == 4 })
        #expect(found[1].tokens == Array(whole[1].tokens.prefix(4)) && found[1].finish == .stop)
        for other in [0, 2, 3, 4] { #expect(found[other].tokens == whole[other].tokens) }
    }

    @Test func anInterruptGivesBackWhatThereIs() throws {
        let model = try model()
        let whole = try model.generate(requests(), SamplerSettings(maxTokens: 12))
        let calls = Mutex(0)
        let found = try model.generate(
            requests(), SamplerSettings(maxTokens: 12),
            progress: { _ in
                calls.withLock {
                    $0 += 1
                    return $0 == 3 ? .stop : .more
                }
            })
        for (whole, found) in zip(whole, found) {
            #expect(found.finish == .interrupted && found.tokens.count < 12)
            #expect(found.tokens == Array(whole.tokens.prefix(found.tokens.count)))
        }
        #expect(found.contains { !$0.tokens.isEmpty })
    }

    @Test func requestsThatCannotBeAreRefusedBeforeAnyWork() throws {
        let model = try model(context: 20)
        func refuse(_ prompt: [Int32], _ settings: SamplerSettings) {
            #expect(throws: ModelError.self) {
                try model.generate(
                    [GenerationRequest(prompt: prompt, key: RandomKey(seed: 1))], settings)
            }
        }
        refuse([], SamplerSettings(maxTokens: 4))
        refuse([60], SamplerSettings(maxTokens: 4))
        refuse([-1], SamplerSettings(maxTokens: 4))
        refuse(tokens(17, 1), SamplerSettings(maxTokens: 4))
        refuse(tokens(4, 1), SamplerSettings(topP: 0, maxTokens: 4))
        #expect(try model.generate([], SamplerSettings()).isEmpty)
    }

    /// Kernels sum in an order that depends on the number of rows, so the waves of requests decide
    /// the last bits. The memory budget alone decides the waves.
    @Test func `the budget decides which responses are generated together, and so the bits`() throws
    {
        let model = try TinyModels.model(
            "llama", seed: 3, width: 64, vocabulary: Self.vocabulary, context: 4096)
        let settings = SamplerSettings(maxTokens: 6)
        let requests = requests(30)
        let row = model.configuration.cacheRowBytes
        let small = MemoryPlan(budget: 3 * 16 * row)
        let rows = requests.map { $0.prompt.count + settings.maxTokens }
        #expect(try small.waveSize(rows: rows, rowBytes: row) < 6)
        #expect(
            try MemoryPlan(budget: 1 << 40).waveSize(
                rows: [Int](repeating: 9, count: 300), rowBytes: row) == 128)
        #expect(throws: ModelError.self) {
            try MemoryPlan(budget: row).waveSize(rows: rows, rowBytes: row)
        }
        func generate(_ memory: MemoryPlan) throws -> [Generation] {
            try model.generate(requests, settings, memory: memory)
        }
        let first = try generate(small)
        for memory in [small, MemoryPlan(budget: small.budget + row - 1)] {
            let again = try generate(memory)
            #expect(again.map(\.tokens) == first.map(\.tokens))
            #expect(again.map(\.logProbs) == first.map(\.logProbs))
        }
        // All together: the same up to rounding, as long as the same tokens are drawn.
        for (one, other) in zip(first, try generate(MemoryPlan(budget: 1 << 30)))
        where one.tokens == other.tokens {
            #expect(zip(one.logProbs, other.logProbs).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }

    @Test func `a stop within a pass keeps what was generated`() throws {
        let model = try model()
        let settings = SamplerSettings(maxTokens: 12)
        let whole = try model.generate(requests(), settings)
        // Two blocks a pass: the first reads the prompts, then every pass gives a token.
        for limit in [0, 1, 7] {
            var asked = 0
            var last = -1.0
            let found = try model.generate(
                requests(), settings,
                progress: { report in
                    #expect(report.fraction >= last)
                    last = report.fraction
                    asked += 1
                    return asked > limit ? .stop : .more
                })
            #expect(asked == limit + 1)
            for (whole, found) in zip(whole, found) {
                #expect(found.finish == .interrupted)
                #expect(found.tokens == Array(whole.tokens.prefix(found.tokens.count)))
            }
        }
    }

    @Test func `a canceled score or gradient gives no result`() throws {
        let model = try model()
        var forest = TokenForest()
        forest.append(tokens(9, 1))
        let targets = [Target(row: 3, token: 5)]
        var asked = 0
        #expect(throws: Canceled.self) {
            try model.logProbs(forest, targets) { _ in
                asked += 1
                return asked == 2 ? .stop : .more
            }
        }
        #expect(asked == 2)
        var shares: [Double] = []
        _ = try model.logProbs(forest, targets) { share in
            shares.append(share)
            return .more
        }
        #expect(shares.first == 0 && shares == shares.sorted() && shares.allSatisfy { $0 < 1 })
        var gradients = ParameterSet(zeros: model.parameters.layout)
        #expect(throws: Canceled.self) {
            try model.backpropagate(
                forest, targets, into: &gradients, watch: { _ in .stop }, { _ in [1] })
        }
    }
}

extension TokenForest {
    /// One sequence, and the tokens of its response as targets.
    fileprivate static func continuing(
        _ prompt: [Int32], with response: [Int32]
    ) -> (TokenForest, [Target]) {
        var forest = TokenForest()
        forest.append(prompt + response.dropLast())
        return (
            forest,
            response.enumerated().map { Target(row: prompt.count - 1 + $0, token: $1) }
        )
    }
}
