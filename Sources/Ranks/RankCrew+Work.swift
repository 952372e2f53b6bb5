import Alignment
import Foundation
import LongWork
import Tensors
import TextModels
import Transformers

/// The work that is divided, and how: in contiguous shares that depend on nothing but the work and
/// the number of ranks.
extension RankCrew {
    public func logProbs(
        of forests: [ScoredForest], _ model: LanguageModel,
        progress: (CrewProgress) -> Continuation
    ) throws -> [[Float]] {
        if dividesLayers {
            return try logProbsByLayers(of: forests, model, progress: progress)
        }
        let sent = try sent(model) { progress(CrewProgress()) }
        let shares = RankShares(forests.map(\.forest.tokens.count), ranks: ranks.count)
        return try run(
            shares.tasks {
                .score(.init(model: sent, forests: forests[$0].map(SentForest.init)))
            }, progress: { progress(CrewProgress($0.values)) },
            result: { replies in
                try shares.joined(replies) { reply, share in
                    guard case .scored(let found) = reply, found.count == share.count else {
                        return nil
                    }
                    return zip(found.map(\.numbers), forests[share]).allSatisfy {
                        $0.count == $1.targets.count
                    } ? found.map(\.numbers) : nil
                }
            })
    }

    public func generate(
        _ requests: [GenerationRequest], _ settings: SamplerSettings, stops: CompletionStops,
        _ model: LanguageModel, progress: (CrewProgress) -> Continuation
    ) throws -> [Generation] {
        try settings.check()
        let sampling = Sampling(
            temperature: settings.temperature, topK: settings.topK, topP: settings.topP,
            minP: settings.minP, maxTokens: settings.maxTokens)
        if dividesLayers {
            return try generateByLayers(
                requests, sampling, stopTokens: settings.stopTokens, stops: stops, model,
                progress: progress)
        }
        let sent = try sent(model) { progress(CrewProgress()) }
        let tokenizer = try number(of: stops.tokenizer) { progress(CrewProgress()) }
        let shares = RankShares(
            requests.map { $0.prompt.count + settings.maxTokens }, ranks: ranks.count)
        return try run(
            shares.tasks { share in
                .generate(
                    .init(
                        model: sent,
                        prompts: requests[share].map { PackedNumbers($0.prompt) },
                        keys: PackedNumbers(requests[share].map(\.key.number)),
                        sampling: sampling,
                        stopTokens: PackedNumbers(settings.stopTokens.sorted()),
                        tokenizer: tokenizer, stops: stops.strings))
            }, progress: { progress(CrewProgress($0.values)) },
            result: { replies in
                try shares.joined(replies) { reply, share in
                    try reply.generations(share)
                }
            })
    }

    public func gradients(
        _ backward: Backward, of batches: [ContrastBatch], model: LanguageModel,
        reference: LanguageModel?, progress: (CrewProgress) -> Continuation
    ) throws -> Gradients {
        if dividesLayers {
            return try gradientsByLayers(
                backward, of: batches, model: model, reference: reference, progress: progress)
        }
        func goesOn() -> Continuation { progress(CrewProgress()) }
        let sent = try sent(model, goesOn)
        let reference = try reference.map { try self.sent($0, goesOn) }
        let extent = StepExtent(batches)
        let sizes = batches.map { batch in
            batch.sequences.reduce(0) { $0 + $1.tokens.count }
        }
        let all = Double(max(1, sizes.reduce(0, +)))
        let shares = RankShares(sizes, ranks: ranks.count)
        var sum = Gradients(model, divergence: reference == nil ? nil : 0)
        let buckets = GradientBuckets(sum.parameters.tensors.map(\.count))
        var received = 0
        let added = try run(
            shares.tasks(includingEmpty: true) { share, rank in
                .gradients(
                    .init(
                        model: sent, reference: reference, objective: backward.objective,
                        score: backward.score, beta: backward.beta,
                        packRows: backward.packRows, extent: extent,
                        batches: batches[share].map(SentBatch.init), sendsSum: rank == 1))
            },
            parts: { message in
                try buckets.put(
                    message.payload, bucket: Int(message.after), into: &sum.parameters)
                received += 1
            },
            progress: { reports in
                var progressed = CrewProgress()
                for (rank, report) in reports where shares.ranges.indices.contains(rank - 1) {
                    let own = sizes[shares.ranges[rank - 1]].reduce(0, +)
                    progressed.underway += report.underway * Double(own) / all
                    progressed.tokens += report.tokens
                }
                return progress(progressed)
            },
            result: { replies in
                let sums = try replies.sorted { $0.key < $1.key }.map { try GradientSums($0.value) }
                guard received == buckets.ranges.count else {
                    throw RankError.badMessage("\(received) buckets of gradients")
                }
                return sums
            })
        for sums in added { sums.add(to: &sum) }
        sum.queries = batches.count
        return sum
    }

    public func prepareStep(
        _ model: LanguageModel, _ state: OptimizerState, _ goesOn: () -> Continuation
    ) throws -> CrewStep {
        if dividesLayers { return try prepareStepByLayers(model, state, goesOn) }
        return CrewStep(
            weights: try numbers(of: model.parameters.tensors, goesOn),
            moments: try state.moments.mapValues { try numbers(of: $0.tensors, goesOn) },
            steps: state.steps)
    }

    public func take(
        _ step: CrewStep, _ update: Update, factor: Double, _ model: LanguageModel,
        _ state: OptimizerState
    ) throws {
        if dividesLayers { return try takeByLayers(step, update, factor: factor, model, state) }
        let before = SentModel(model, tensors: step.weights)
        let work = RankTask.Update(
            model: before, update: update, factor: factor, steps: step.steps,
            moments: step.moments,
            changed: numbers(ofComputed: model.parameters.trainable.tensors),
            changedMoments: state.moments.mapValues { numbers(ofComputed: $0.tensors) })
        let tasks = Dictionary(
            uniqueKeysWithValues: (1...ranks.count).map { ($0, RankTask.Work.update(work)) })
        try run(
            tasks, progress: { _ in .more },
            result: { replies in
                for reply in replies.values {
                    guard case .updated = reply else {
                        throw RankError.badMessage("another reply than that of a step")
                    }
                }
            })
    }
}

extension RankReply {
    /// The responses to a share of the requests; nil if it is another reply.
    ///
    /// - Throws: `ModelError.logitsNotFinite` with the number among all requests.
    func generations(_ share: Range<Int>) throws -> [Generation]? {
        switch self {
        case .generated(let found) where found.count == share.count: found.map(\.generation)
        case .notFinite(let request) where request < share.count && request >= 0:
            throw ModelError.logitsNotFinite(request: share.lowerBound + request)
        default: nil
        }
    }
}

/// What a rank says of its queries' gradients, beside the gradients themselves.
struct GradientSums {
    private let loss: Double
    private let contrasts: [Contrast]
    private let divergence: Double?
    private let tokens: Int

    /// - Throws: `Canceled` if the rank was; `RankError.badMessage` for another reply.
    init(_ reply: RankReply?) throws {
        switch reply {
        case .gradients(let loss, let contrasts, let divergence, let tokens):
            (self.loss, self.contrasts) = (loss, contrasts)
            (self.divergence, self.tokens) = (divergence, tokens)
        case .canceled: throw Canceled()
        default: throw RankError.badMessage("another reply than gradients")
        }
    }

    func add(to gradients: inout Gradients) {
        gradients.loss += loss
        gradients.contrasts += contrasts
        gradients.tokens += tokens
        if let divergence { gradients.divergence = (gradients.divergence ?? 0) + divergence }
    }
}

/// A division of work into one contiguous range for each rank, with about the same size in each.
struct RankShares {
    /// One for each rank, from rank 1 on; empty for a rank without work.
    let ranges: [Range<Int>]

    /// - Parameter sizes: of the parts, in any unit.
    init(_ sizes: [Int], ranks: Int) {
        let all = sizes.reduce(0, +)
        var ranges: [Range<Int>] = []
        var (start, sum) = (0, 0)
        for rank in 1...max(1, ranks) {
            var end = start
            // A part belongs to the rank in whose share its middle lies.
            while end < sizes.count,
                rank == ranks || (2 * sum + sizes[end]) * ranks <= 2 * all * rank
            {
                sum += sizes[end]
                end += 1
            }
            ranges.append(start..<end)
            start = end
        }
        self.ranges = ranges
    }

    func tasks(_ work: (Range<Int>) -> RankTask.Work) -> [Int: RankTask.Work] {
        tasks(includingEmpty: false) { range, _ in work(range) }
    }

    func tasks(
        includingEmpty: Bool, _ work: (_ share: Range<Int>, _ rank: Int) -> RankTask.Work
    ) -> [Int: RankTask.Work] {
        var tasks: [Int: RankTask.Work] = [:]
        for (index, range) in ranges.enumerated() where includingEmpty || !range.isEmpty {
            tasks[index + 1] = work(range, index + 1)
        }
        return tasks
    }

    /// The results of all ranks, in the order of the work.
    ///
    /// - Parameter results: those of one reply; nil if it is another one than was asked for.
    /// - Throws: `Canceled` if a rank was; `RankError.badMessage`.
    func joined<Result>(
        _ replies: [Int: RankReply], _ results: (RankReply, Range<Int>) throws -> [Result]?
    ) throws -> [Result] {
        var all: [Result] = []
        for (index, range) in ranges.enumerated() where !range.isEmpty {
            guard let reply = replies[index + 1] else { throw Canceled() }
            if case .canceled = reply { throw Canceled() }
            guard let found = try results(reply, range) else {
                throw RankError.badMessage("another reply than was asked for")
            }
            all += found
        }
        return all
    }
}

extension CrewProgress {
    init(_ reports: some Sequence<RankProgress>) {
        self.init()
        for report in reports {
            finished += report.finished
            underway += report.underway
            tokens += report.tokens
        }
    }
}

extension ParameterSet {
    /// Replaces a tensor by received elements.
    mutating func receive(_ index: Int, _ bytes: Data) throws {
        guard tensors.indices.contains(index), bytes.count == tensors[index].count * 4 else {
            throw RankError.badMessage("\(bytes.count) bytes of a gradient")
        }
        update(index) { tensor in
            tensor.withUnsafeMutableBufferPointer { target in
                _ = bytes.copyBytes(to: target)
            }
        }
    }
}
