import LongWork
import Tensors
import TextModels
import Transformers

/// Samples the responses that a judge compares: one response of each of two models to the same
/// query under the same constitution.
///
/// No response is rejected: an empty, unfinished or malformed response counts as the model's
/// response.
public struct PairSampler: Sendable {
    public var settings: RolloutSettings

    public init(_ settings: RolloutSettings = RolloutSettings()) { self.settings = settings }

    /// One side of a comparison: a model, or another voice.
    public struct Side: Sendable {
        /// The model that responds. For a voice, the model whose context bounds the prompts.
        var text: TextModel
        var voice: Voice?

        public init(_ text: TextModel, voice: Voice? = nil) {
            self.text = text
            self.voice = voice
        }
    }

    /// One pair for each constitution of each group. Each side uses its own prompts and its own
    /// tokenizer.
    ///
    /// Both models draw with the same random numbers. Models that agree then give equal responses,
    /// and the comparison has less noise. Two equal models tie everywhere.
    ///
    /// - Parameters:
    ///   - done: the pairs that an interrupted run reported.
    ///   - progress: asked before every block of a model and after every token.
    ///   - observe: called after every portion with all pairs so far, for saving as `done`.
    /// - Returns: the pairs, and the queries that do not fit the context of both models.
    /// - Throws: `AlignmentError.stopped`, `.overflow` under `overflow=error`, `.unknownQuery`,
    ///   `.duplicateQuery`; `ModelError`.
    public func pairs(
        _ queries: [Query], _ constitutions: [ConstitutionGroup], first: Side,
        second: Side, key: RandomKey, memory: MemoryPlan = .automatic,
        from done: [ResponsePair] = [],
        progress: (WorkProgress) -> Continuation = { _ in .more },
        observe: ([ResponsePair]) throws -> Void = { _ in }
    ) throws -> (pairs: [ResponsePair], skipped: [Rollouts.Rejected]) {
        guard !constitutions.isEmpty else { throw AlignmentError.noQueries }
        let queries = try QueryList(queries)
        let samplers = [first, second].map {
            ResponseSampler(
                text: $0.text, sampling: settings.sampling, memory: memory, voice: $0.voice)
        }
        let (requests, skipped) = try requests(queries, constitutions, samplers, key)
        var pairs = Array(done.prefix(requests.count))
        var tokens = 0
        while pairs.count < requests.count {
            let portion = Array(requests[pairs.count...].prefix(128 * first.text.model.processes))
            var sides: [[SampledResponse]] = []
            for (side, sampler) in samplers.enumerated() {
                let before = 2 * pairs.count + side * portion.count
                var finished = 0
                var last = 0
                let sampled = try sampler.sample(
                    portion.map { ($0.prompts[side], $0.key) }
                ) { step in
                    finished = step.done
                    last = step.tokens
                    return progress(
                        WorkProgress(
                            .rollout, done: before + finished, of: 2 * requests.count,
                            underway: step.underway, unit: .responses, tokens: tokens + last))
                }
                tokens += last
                if sampled.contains(where: { $0.finish == .interrupted }) {
                    throw AlignmentError.stopped(
                        .rollout, done: before + finished, of: 2 * requests.count)
                }
                sides.append(sampled)
            }
            pairs += portion.enumerated().map { index, request in
                ResponsePair(
                    id: request.query.id, query: request.query,
                    constitution: request.constitution, first: sides[0][index].text,
                    second: sides[1][index].text)
            }
            try observe(pairs)
        }
        return (pairs, skipped)
    }

    private struct Request {
        var query: Query
        var constitution: Constitution
        /// One sampler for each side.
        var prompts: [RolloutPrompt]
        var key: RandomKey
    }

    private func requests(
        _ queries: QueryList, _ groups: [ConstitutionGroup], _ samplers: [ResponseSampler],
        _ key: RandomKey
    ) throws -> (requests: [Request], skipped: [Rollouts.Rejected]) {
        var requests: [Request] = []
        var skipped: [Rollouts.Rejected] = []
        for group in groups {
            let query = try queries[group.query]
            let key = key.child(UInt64(try queries.place(of: query.id)))
            let own = try group.constitutions.enumerated().map { index, constitution in
                Request(
                    query: query, constitution: constitution,
                    prompts: try samplers.map { try $0.prompt(query, constitution) },
                    key: key.child(UInt64(index)))
            }
            let overflow = samplers.indices.lazy.compactMap { side in
                let longest =
                    (own.map { $0.prompts[side].prompt.tokens.count }.max() ?? 0)
                    + settings.sampling.maxTokens
                let context = samplers[side].text.context
                return longest <= context
                    ? nil
                    : Rollouts.Rejected(
                        overflowOf: query.id, tokens: longest, context: context)
            }.first
            if let overflow { skipped.append(overflow) } else { requests += own }
        }
        if settings.overflow == .error, !skipped.isEmpty {
            throw AlignmentError.overflow(
                queries: skipped.map(\.id.text),
                context: samplers.map(\.text.context).min() ?? 0,
                maxTokens: settings.sampling.maxTokens)
        }
        return (requests, skipped)
    }
}
