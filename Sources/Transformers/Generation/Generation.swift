import Foundation
import Layers
import LongWork
import Tensors

/// A prompt to continue, and the key of its random numbers.
public struct GenerationRequest: Sendable {
    public var prompt: [Int32]
    /// Number t under this key decides token t, whatever else is generated beside it.
    public var key: RandomKey

    public init(prompt: [Int32], key: RandomKey) {
        self.prompt = prompt
        self.key = key
    }
}

/// The result of one request.
public struct Generation: Sendable {
    public enum Finish: String, Sendable { case stop, length, interrupted }
    /// The tokens after the prompt, without the stop token.
    public var tokens: [Int32]
    /// log p of each token under the model, in nats, before temperature and truncation.
    public var logProbs: [Float]
    public var finish: Finish

    public init(tokens: [Int32], logProbs: [Float], finish: Finish) {
        self.tokens = tokens
        self.logProbs = logProbs
        self.finish = finish
    }
}

extension LanguageModel {
    /// Rows of prompts that go through the model at a time before generation. The memory for their
    /// activations is needed only once, for any number of prompts. More rows at a time would not be
    /// faster.
    static let promptRowsTogether = 1024

    /// Continues every prompt, many at a time. Prompts share their common beginnings.
    ///
    /// - Parameters:
    ///   - stop: called after every token with the request's number and its tokens so far. If it
    ///     returns true, the response ends after its last token. Used for stop strings, which need
    ///     a tokenizer.
    ///   - progress: asked before every block and after every token of the batch, with the numbers
    ///     of finished responses and generated tokens. If it answers `.stop`, the work ends, and
    ///     unfinished responses are returned with their tokens so far, as `.interrupted`.
    /// - Throws: `ModelError` if a prompt is empty, if a token is unknown, or if prompt and
    ///   `maxTokens` together exceed the context. `.logitsNotFinite` names the first request whose
    ///   logits are not finite.
    public func generate(
        _ requests: [GenerationRequest], _ settings: SamplerSettings,
        memory: MemoryPlan = .automatic, stop: ((Int, [Int32]) -> Bool)? = nil,
        progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> [Generation] {
        try checkLengths(requests, settings)
        let weights = weightsForGeneration
        var results: [Generation] = []
        var first = 0
        while first < requests.count {
            let wave = try memory.waveSize(
                rows: requests[first...].lazy.map { $0.prompt.count + settings.maxTokens },
                rowBytes: configuration.cacheRowBytes)
            var batch = try GenerationBatch(
                model: self, weights, requests: Array(requests[first..<first + wave]),
                settings: settings)
            let before = (results.count, results.reduce(0) { $0 + $1.tokens.count })
            let offset = first
            let outcome = batch.run(
                family, stop: stop.map { stop in { stop(offset + $0, $1) } }
            ) { finished, underway, tokens in
                progress(
                    WorkProgress(
                        .generate, done: before.0 + finished, of: requests.count,
                        underway: underway, unit: .responses, tokens: before.1 + tokens))
            }
            if let broken = batch.broken {
                throw ModelError.logitsNotFinite(request: first + broken)
            }
            results += batch.results
            first += wave
            if outcome == .stop { break }
        }
        while results.count < requests.count {
            results.append(Generation(tokens: [], logProbs: [], finish: .interrupted))
        }
        return results
    }

    /// The weights that generation computes with: each is used for every token, and so rounded
    /// once.
    var weightsForGeneration: ParameterSet {
        let tables = [family.embedding.table, family.embedding.positions].compactMap { $0 }
        return parameters.roundedForProducts(
            except: tables.filter { $0.index != family.head.index })
    }

    /// Throws if the settings are out of range, a prompt is empty or too long.
    func checkLengths(_ requests: [GenerationRequest], _ settings: SamplerSettings) throws {
        try settings.check()
        for request in requests {
            if request.prompt.isEmpty { throw ModelError.emptySequence }
            let length = request.prompt.count + settings.maxTokens
            if length > configuration.longestSequence {
                throw ModelError.tooLong(tokens: length, context: configuration.longestSequence)
            }
        }
    }
}

/// Requests that are generated together: one forest of prompts, and below it one segment for each
/// response. A stage of a model computes its own blocks of it.
struct GenerationBatch {
    private struct Sequence {
        let request: Int
        let contexts: [Range<Int>]
        let slot: Int
        let promptLength: Int
        var last: Int32 = 0
    }

    /// Looks tokens up.
    let model: LanguageModel
    /// Of the blocks and the head.
    private let weights: ParameterSet
    let requests: [GenerationRequest]
    let settings: SamplerSettings
    private(set) var results: [Generation]
    /// The first request for which the model gave non-finite logits.
    private(set) var broken: Int?
    /// Number of generated tokens.
    private(set) var produced = 0
    private let passage: Passage
    private let forest: TokenForest
    private let ends: [Int]
    private let cache: KeyValueCache
    private var active: [Sequence] = []
    private var step = 0
    /// Tokens of the last step, in the stage that draws.
    private var drawn: [(Int32, Float)] = []

    init(
        model: LanguageModel, _ weights: ParameterSet, requests: [GenerationRequest],
        settings: SamplerSettings, passage: Passage? = nil
    ) throws {
        self.model = model
        self.weights = weights
        self.requests = requests
        self.settings = settings
        self.passage = passage ?? Passage(whole: model.configuration.layers)
        (forest, ends) = TokenForest.sharingPrefixes(of: requests.map(\.prompt))
        try model.check(forest)
        results = requests.map { _ in
            Generation(tokens: [], logProbs: [], finish: .interrupted)
        }
        let c = model.configuration
        cache = KeyValueCache(
            blocks: self.passage.stage.blocks,
            rows: forest.tokens.count + requests.count * settings.maxTokens,
            heads: c.keyValueHeads, size: c.headSize)
    }

    /// Number of responses that are complete.
    var finished: Int { requests.count - active.count }

    /// The work done on the others, 1 for a whole response.
    ///
    /// - Parameter share: the share of the next token that is computed.
    func underway(_ share: Double = 0) -> Double {
        let steps = Double(step) + share
        return Double(active.count)
            * (shareOfReading + (1 - shareOfReading) * steps / Double(settings.maxTokens))
    }

    /// - Parameter progress: receives the number of finished responses, the work done on the
    ///   others (1 for a whole response), and the number of generated tokens.
    mutating func run(
        _ family: some Family, stop: ((Int, [Int32]) -> Bool)?,
        progress: (_ finished: Int, _ underway: Double, _ tokens: Int) -> Continuation
    ) -> Continuation {
        do {
            let reading = shareOfReading * Double(requests.count)
            try start(family) { progress(0, $0 * reading, 0) }
            while true {
                try takeTokens(stop)
                if broken != nil { return .stop }
                let (count, tokens) = (finished, produced)
                if progress(count, underway(), tokens) == .stop { return .stop }
                if active.isEmpty { return .more }
                let before = self
                try extend(family) { progress(count, before.underway($0), tokens) }
            }
        } catch {
            return .stop
        }
    }

    /// Reads the prompts and draws the first tokens.
    mutating func start(_ family: some Family, _ watch: Watch) throws(Canceled) {
        active = requests.indices.map { number in
            Sequence(
                request: number,
                contexts: forest.contexts(of: ends[number]) + [forest.segments[ends[number]].range],
                slot: forest.tokens.count + number * settings.maxTokens,
                promptLength: requests[number].prompt.count)
        }
        let last = active.map { forest.lastRow(of: ends[$0.request]) ?? 0 }
        try draw(family, try readPrompts(family, last: last, watch))
    }

    /// Adds the drawn tokens to the responses, and ends those that are complete.
    ///
    /// - Returns: whether there are others.
    @discardableResult
    mutating func takeTokens(_ stop: ((Int, [Int32]) -> Bool)?) throws(Canceled) -> Bool {
        let drawn = try receiveTokens()
        var next: [Sequence] = []
        for (index, sequence) in active.enumerated() {
            let (token, logProb) = drawn[index]
            guard logProb.isFinite else {
                broken = sequence.request
                return false
            }
            if settings.stopTokens.contains(token) {
                results[sequence.request].finish = .stop
                continue
            }
            results[sequence.request].tokens.append(token)
            results[sequence.request].logProbs.append(logProb)
            produced += 1
            if let stop, stop(sequence.request, results[sequence.request].tokens) {
                results[sequence.request].finish = .stop
            } else if step + 1 == settings.maxTokens {
                results[sequence.request].finish = .length
            } else {
                next.append(sequence)
                next[next.count - 1].last = token
            }
        }
        active = next
        step += 1
        return !active.isEmpty
    }

    /// Computes one more token for each response.
    mutating func extend(_ family: some Family, _ watch: Watch) throws(Canceled) {
        try draw(family, try extend(family, active, step - 1, watch))
    }

    /// The share of the work that reads the prompts, if no response ends early. A step for few
    /// sequences reads all weights for few rows, and so costs about ten rows more.
    private var shareOfReading: Double {
        let rows = Double(forest.tokens.count)
        return rows / (rows + Double(settings.maxTokens) * Double(requests.count + 10))
    }

    /// Returns the final hidden states at the `last` rows of the prompts: (B, D).
    private func readPrompts(
        _ family: some Family, last: [Int], _ watch: Watch
    ) throws(Canceled) -> Tensor {
        var hidden = Tensor(zeros: [last.count, model.configuration.hiddenSize])
        let positions = forest.positions
        var first = 0
        while first < forest.tokens.count {
            let rows = first..<min(first + LanguageModel.promptRowsTogether, forest.tokens.count)
            cache.destinations = [rows]
            let asked = last.indices.filter { rows.contains(last[$0]) }
            let out = try forward(
                family, Array(forest.tokens[rows]), Array(positions[rows]),
                forest.plan(of: rows, window: nil), outputRows: asked.map { last[$0] - first }
            ) {
                watch((Double(first) + $0 * Double(rows.count)) / Double(forest.tokens.count))
            }
            if passage.stage.isLast { hidden.scatterAdd(out, toRows: asked) }
            first = rows.upperBound
        }
        return hidden
    }

    /// The final hidden states of one more token for each sequence: (B, D).
    private func extend(
        _ family: some Family, _ active: [Sequence], _ step: Int, _ watch: Watch
    ) throws(Canceled) -> Tensor {
        cache.destinations = active.map { $0.slot + step..<$0.slot + step + 1 }
        let spans = active.enumerated().map { row, sequence in
            AttentionPlan.Span(
                queries: row..<row + 1, contexts: sequence.contexts,
                own: sequence.slot..<sequence.slot + step + 1)
        }
        return try forward(
            family, active.map(\.last), active.map { $0.promptLength + step },
            AttentionPlan(spans: spans, groups: [], window: nil),
            outputRows: Array(active.indices), watch)
    }

    private func forward(
        _ family: some Family, _ tokens: [Int32], _ positions: [Int], _ plan: AttentionPlan,
        outputRows rows: [Int], _ watch: Watch
    ) throws(Canceled) -> Tensor {
        let context = BlockContext(positions: positions, plan: plan, cache: cache)
        let blocks = passage.stage.blocks
        var x = try passage.input(family, tokens, positions, model)
        for block in blocks {
            try Canceled.check(watch, Double(block - blocks.lowerBound) / Double(blocks.count))
            x = family.forward(block: block, x, context, weights, outputRows: rows).out
        }
        try passage.pass(x)
        return x
    }

    /// The last stage draws the next tokens and tells them to the others.
    private mutating func draw(_ family: some Family, _ hidden: Tensor) throws(Canceled) {
        guard passage.stage.isLast else { return }
        drawn = draw(family, hidden, active, step)
        guard let link = passage.link else { return }
        let told = Tensor(drawn.flatMap { [Float($0.0), $0.1] }, shape: [drawn.count, 2])
        for stage in 0..<passage.stage.number { try link.send(told, to: stage) }
    }

    private func receiveTokens() throws(Canceled) -> [(Int32, Float)] {
        guard !passage.stage.isLast, let link = passage.link else { return drawn }
        let told = try link.receive([active.count, 2], from: passage.stage.count - 1)
        let values = told.values
        // A vocabulary is smaller than the integers that a float32 holds. Without a log-prob the
        // token has no meaning.
        return active.indices.map {
            (Int32(exactly: values[2 * $0]) ?? 0, values[2 * $0 + 1])
        }
    }

    private func draw(
        _ family: some Family, _ hidden: Tensor, _ active: [Sequence], _ step: Int
    ) -> [(Int32, Float)] {
        let logits = Linear.forward(
            family.applyFinalNorm(hidden, weights), weight: weights[family.head],
            weights.arithmetic)
        let width = logits.columns
        // A maximum may ignore a NaN, so the code searches for non-finite logits.
        let isSound = logits.nonFiniteCount == 0
        let keys = active.map { requests[$0.request].key }
        let rows = SampledRows(count: active.count)
        logits.withUnsafeBufferPointer { all in
            let settings = settings
            Workers.each(active.count) { row, _ in
                let logits = UnsafeBufferPointer(rebasing: all[row * width..<(row + 1) * width])
                let drawn = settings.draw(logits, uniform: keys[row].uniform(UInt64(step)))
                let isBroken = !isSound && logits.contains { !$0.isFinite }
                rows.set(row, drawn.token, isBroken ? .nan : drawn.logProb)
            }
        }
        return rows.values
    }
}

/// The drawn tokens; each worker writes its own rows.
private final class SampledRows: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<(Int32, Float)>

    init(count: Int) {
        storage = .allocate(capacity: count)
        storage.initialize(repeating: (0, 0))
    }
    deinit { storage.deallocate() }

    func set(_ row: Int, _ token: Int32, _ logProb: Float) { storage[row] = (token, logProb) }
    var values: [(Int32, Float)] { Array(storage) }
}
