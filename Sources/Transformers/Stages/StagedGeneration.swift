import LongWork
import Tensors

extension StagedModel {
    /// The stage's part of `LanguageModel.generate`. Every stage keeps keys and values of its own
    /// blocks. The last one draws the tokens and tells them to the others, so that all end with the
    /// same responses.
    ///
    /// The requests go through the stages in as many groups as there are stages: while one stage
    /// computes a step of one group, the next computes the step of the group before.
    ///
    /// - Parameters:
    ///   - memory: the same in all stages; it decides how many responses are generated together.
    ///   - groups: how many groups are on their way; nil for one a stage.
    ///   - stop: the same in all stages.
    public func generate(
        _ requests: [GenerationRequest], _ settings: SamplerSettings, memory: MemoryPlan,
        groups: Int? = nil, _ link: any StageLink, stop: ((Int, [Int32]) -> Bool)? = nil,
        progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> [Generation] {
        try model.checkLengths(requests, settings)
        let weights = model.weightsForGeneration
        var results: [Generation] = []
        var first = 0
        var isCanceled = false
        while first < requests.count, !isCanceled {
            let wave = try memory.waveSize(
                rows: requests[first...].lazy.map { $0.prompt.count + settings.maxTokens },
                rowBytes: cacheRowBytes)
            var run = try StagedWave(
                self, weights, Array(requests[first..<first + wave]), settings,
                groups: groups ?? stage.count, link)
            let before = (count: results.count, tokens: results.reduce(0) { $0 + $1.tokens.count })
            let offset = first
            isCanceled = try run.run(
                model.family, stop: stop.map { stop in { stop(offset + $0, $1) } }
            ) { finished, underway, tokens in
                progress(
                    WorkProgress(
                        .generate, done: before.count + finished, of: requests.count,
                        underway: underway, unit: .responses, tokens: before.tokens + tokens))
            }
            if let broken = run.broken {
                throw ModelError.logitsNotFinite(request: first + broken)
            }
            results += run.results
            first += wave
        }
        while results.count < requests.count {
            results.append(Generation(tokens: [], logProbs: [], finish: .interrupted))
        }
        return results
    }

    /// Bytes of one row of the cache in the stage with the most blocks.
    private var cacheRowBytes: Int {
        let c = model.configuration
        return max(1, c.cacheRowBytes / max(1, c.layers) * mostBlocks)
    }
}

/// Responses that are generated together, in groups that follow one another through the stages.
private struct StagedWave {
    private var groups: [GenerationBatch]
    /// The first request of each group.
    private let starts: [Int]

    init(
        _ staged: StagedModel, _ weights: ParameterSet, _ requests: [GenerationRequest],
        _ settings: SamplerSettings, groups count: Int, _ link: any StageLink
    ) throws {
        let count = min(max(1, count), requests.count)
        let bounds = (0...count).map { requests.count * $0 / count }
        starts = Array(bounds.dropLast())
        groups = try (0..<count).map {
            try GenerationBatch(
                model: staged.model, weights,
                requests: Array(requests[bounds[$0]..<bounds[$0 + 1]]), settings: settings,
                passage: staged.passage(link))
        }
    }

    var results: [Generation] { groups.flatMap(\.results) }

    /// The first request for which the model gave non-finite logits.
    var broken: Int? {
        zip(groups, starts).lazy.compactMap { group, start in group.broken.map { start + $0 } }
            .first
    }

    /// - Returns: whether it was stopped.
    mutating func run(
        _ family: some Family, stop: ((Int, [Int32]) -> Bool)?,
        progress: (_ finished: Int, _ underway: Double, _ tokens: Int) -> Continuation
    ) throws -> Bool {
        func watch(_ all: [GenerationBatch]) -> Continuation {
            progress(
                all.reduce(0) { $0 + $1.finished }, all.reduce(0) { $0 + $1.underway() },
                all.reduce(0) { $0 + $1.produced })
        }
        do throws(Canceled) {
            for number in groups.indices {
                try groups[number].start(family) { _ in progress(0, 0, 0) }
            }
            // All stages take the groups in this order, whichever responses have ended.
            var left = Array(groups.indices)
            while !left.isEmpty {
                for number in left {
                    let start = starts[number]
                    let goesOn = try groups[number].takeTokens(
                        stop.map { stop in { stop(start + $0, $1) } })
                    if groups[number].broken != nil { return false }
                    if watch(groups) == .stop { return true }
                    guard goesOn else {
                        left.removeAll { $0 == number }
                        continue
                    }
                    let all = groups
                    try groups[number].extend(family) { _ in watch(all) }
                }
            }
            return false
        } catch {
            return true
        }
    }
}
