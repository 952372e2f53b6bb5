import LongWork
import Tensors
import Tokenizers
import Transformers

/// Samples what a judge compares: a response of each of two models to the same query under the same
/// constitution.
///
/// Nothing is rejected here. A response that is empty, cut off or ill-formed is what the model says.
public struct PairSampler: Sendable {
    public var settings: RolloutSettings
    public var prompts: Prompts

    public init(_ settings: RolloutSettings = RolloutSettings(), prompts: Prompts) {
        self.settings = settings
        self.prompts = prompts
    }

    /// One pair a constitution of each group.
    ///
    /// Both models draw with the same random numbers, so that models which agree say the same and
    /// the comparison has less noise; two equal models tie everywhere.
    ///
    /// - Parameters:
    ///   - done: the pairs that an interrupted run had reported.
    ///   - observe: called after every portion with all pairs so far, which is what to save.
    /// - Returns: the pairs, and the queries that do not fit the context of both models.
    /// - Throws: `AlignmentError.stopped`, `.overflow` under `overflow=error`, `.groupQuery`;
    ///   `ModelError`.
    public func pairs(
        _ queries: [Query], _ constitutions: [ConstitutionGroup], first: LanguageModel,
        second: LanguageModel, tokenizer: Tokenizer, key: RandomKey,
        memory: MemoryPlan = .automatic, from done: [ResponsePair] = [],
        progress: (WorkProgress) -> Continuation = { _ in .more },
        cancel: () -> Continuation = { .more },
        observe: ([ResponsePair]) throws -> Void = { _ in }
    ) throws -> (pairs: [ResponsePair], skipped: [Rollouts.Rejected]) {
        guard !queries.isEmpty, !constitutions.isEmpty else { throw AlignmentError.noQueries }
        if let group = constitutions.first(where: { !queries.indices.contains($0.query) }) {
            throw AlignmentError.groupQuery(group.query, queries: queries.count)
        }
        func sampler(_ model: LanguageModel) -> TextSampler {
            TextSampler(
                prompts: prompts, settings: settings, model: model, tokenizer: tokenizer,
                memory: memory)
        }
        let context = min(
            first.configuration.longestSequence, second.configuration.longestSequence)
        var requests: [SampleRequest] = []
        var skipped: [Rollouts.Rejected] = []
        for group in constitutions {
            let query = queries[group.query]
            let longest = group.constitutions.map { sampler(first).length(query, $0) }.max() ?? 0
            guard longest <= context else {
                skipped.append(
                    Rollouts.Rejected(
                        id: query.id, query: group.query, reason: .overflow,
                        text:
                            "prompt and response may take \(longest) tokens, the context has \(context)"
                    ))
                continue
            }
            for (index, constitution) in group.constitutions.enumerated() {
                let key = key.child(UInt64(group.query)).child(UInt64(index))
                requests.append(
                    SampleRequest(query: query, constitution: constitution, key: key))
            }
        }
        if settings.overflow == .error, !skipped.isEmpty {
            throw AlignmentError.overflow(
                queries: skipped.map(\.id), context: context, maxTokens: settings.maxTokens)
        }
        var pairs = Array(done.prefix(requests.count))
        var tokens = 0
        while pairs.count < requests.count {
            let portion = Array(requests[pairs.count...].prefix(128))
            var texts: [[SampledText]] = []
            for (side, model) in [first, second].enumerated() {
                let before = 2 * pairs.count + side * portion.count
                var finished = 0
                var last = 0
                texts.append(
                    try sampler(model).sample(portion, cancel: cancel) { step in
                        finished = step.done
                        last = step.tokens
                        return progress(
                            WorkProgress(
                                .rollout, done: before + finished, of: 2 * requests.count,
                                unit: .responses, tokens: tokens + last))
                    })
                tokens += last
                if texts[side].contains(where: { $0.finish == .interrupted }) {
                    throw AlignmentError.stopped(
                        .rollout, done: before + finished, of: 2 * requests.count)
                }
            }
            pairs += portion.indices.map { index in
                ResponsePair(
                    id: portion[index].query.id, asked: portion[index].query,
                    constitution: portion[index].constitution, first: texts[0][index].text,
                    second: texts[1][index].text)
            }
            try observe(pairs)
        }
        return (pairs, skipped)
    }
}
