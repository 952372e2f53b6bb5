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
        try settings.check()
        for request in requests {
            if request.prompt.isEmpty { throw ModelError.emptySequence }
            let length = request.prompt.count + settings.maxTokens
            if length > configuration.longestSequence {
                throw ModelError.tooLong(tokens: length, context: configuration.longestSequence)
            }
        }
        var results: [Generation] = []
        var first = 0
        while first < requests.count {
            let wave = try memory.waveSize(
                rows: requests[first...].lazy.map { $0.prompt.count + settings.maxTokens },
                rowBytes: configuration.cacheRowBytes)
            var batch = try GenerationBatch(
                model: self, requests: Array(requests[first..<first + wave]), settings: settings)
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
}

/// Requests that are generated together: one forest of prompts, and below it one segment for each
/// response.
private struct GenerationBatch {
    private struct Sequence {
        let request: Int
        let contexts: [Range<Int>]
        let slot: Int
        let promptLength: Int
        var last: Int32 = 0
    }

    let model: LanguageModel
    let requests: [GenerationRequest]
    let settings: SamplerSettings
    private(set) var results: [Generation]
    /// The first request for which the model gave non-finite logits.
    private(set) var broken: Int?
    private let forest: TokenForest
    private let ends: [Int]
    private let cache: KeyValueCache

    init(model: LanguageModel, requests: [GenerationRequest], settings: SamplerSettings) throws {
        self.model = model
        self.requests = requests
        self.settings = settings
        (forest, ends) = TokenForest.sharingPrefixes(of: requests.map(\.prompt))
        try model.check(forest)
        results = requests.map { _ in
            Generation(tokens: [], logProbs: [], finish: .interrupted)
        }
        let c = model.configuration
        cache = KeyValueCache(
            blocks: c.layers, rows: forest.tokens.count + requests.count * settings.maxTokens,
            heads: c.keyValueHeads, size: c.headSize)
    }

    /// - Parameter progress: receives the number of finished responses, the work done on the
    ///   others (1 for a whole response), and the number of generated tokens.
    mutating func run(
        _ family: some Family, stop: ((Int, [Int32]) -> Bool)?,
        progress: (_ finished: Int, _ underway: Double, _ tokens: Int) -> Continuation
    ) -> Continuation {
        var active = requests.indices.map { number in
            Sequence(
                request: number,
                contexts: forest.contexts(of: ends[number]) + [forest.segments[ends[number]].range],
                slot: forest.tokens.count + number * settings.maxTokens,
                promptLength: requests[number].prompt.count)
        }
        var (step, produced) = (0, 0)
        let lastRows = active.map { forest.lastRow(of: ends[$0.request]) ?? 0 }
        let reading = shareOfReading
        let prompts = try? readPrompts(family, last: lastRows) {
            progress(0, $0 * reading * Double(requests.count), 0)
        }
        guard var hidden = prompts else { return .stop }
        func underway(_ count: Int, _ steps: Double) -> Double {
            Double(count) * (reading + (1 - reading) * steps / Double(settings.maxTokens))
        }
        while true {
            let drawn = draw(family, hidden, active, step)
            var next: [Sequence] = []
            for (index, sequence) in active.enumerated() {
                let (token, logProb) = drawn[index]
                guard logProb.isFinite else {
                    broken = sequence.request
                    return .stop
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
            let (count, finished) = (active.count, requests.count - active.count)
            if progress(finished, underway(count, Double(step + 1)), produced) == .stop {
                return .stop
            }
            if active.isEmpty { return .more }
            let extended = try? extend(family, active, step) {
                progress(finished, underway(count, Double(step + 1) + $0), produced)
            }
            guard let extended else { return .stop }
            hidden = extended
            step += 1
        }
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
            hidden.scatterAdd(out, toRows: asked)
            first = rows.upperBound
        }
        return hidden
    }

    /// Computes one more token for each sequence: (B, D).
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
        var x = family.embed(tokens, positions, model.parameters)
        for block in 0..<model.configuration.layers {
            try Canceled.check(watch, Double(block) / Double(model.configuration.layers))
            x = family.forward(block: block, x, context, model.parameters, outputRows: rows).out
        }
        return x
    }

    private func draw(
        _ family: some Family, _ hidden: Tensor, _ active: [Sequence], _ step: Int
    ) -> [(Int32, Float)] {
        let logits = Linear.forward(
            family.applyFinalNorm(hidden, model.parameters), weight: model.parameters[family.head],
            model.parameters.arithmetic)
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
