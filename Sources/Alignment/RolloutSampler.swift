import LongWork
import Tensors
import Tokenizers
import Transformers

/// Where sampling stands after a portion of the queries.
public struct RolloutState: Sendable, Codable {
    public var rollouts: Rollouts
    /// The next of the queries that fit the context.
    public var next: Int

    public init(rollouts: Rollouts = Rollouts(groups: []), next: Int = 0) {
        self.rollouts = rollouts
        self.next = next
    }
}

/// Samples the responses of queries under their constitutions, `y ~ π(· given c, x)`.
public struct RolloutSampler: Sendable {
    public var settings: RolloutSettings
    public var prompts: Prompts
    /// A stricter notion of an ill-formed response, such as a grammar's.
    public var isMalformed: (@Sendable (String, Query) -> Bool)?

    public init(
        _ settings: RolloutSettings = RolloutSettings(), prompts: Prompts,
        isMalformed: (@Sendable (String, Query) -> Bool)? = nil
    ) {
        self.settings = settings
        self.prompts = prompts
        self.isMalformed = isMalformed
    }

    /// Response `m` of constitution `i` of query `q` is decided by the key's child `q`, `i`, `m`,
    /// whatever else is sampled beside it.
    ///
    /// - Parameters:
    ///   - state: of an interrupted run; it ends in the same rollouts as one that was not.
    ///   - observe: called after every portion of queries with what is to be saved for that.
    /// - Returns: the queries that passed every check, and why others did not. A stop leaves out
    ///   the queries whose responses are not all there.
    /// - Throws: `AlignmentError.overflow` under `overflow=error`, `.sampleCount`, `.groupQuery`;
    ///   `ModelError` for settings that cannot be.
    public func sample(
        _ queries: [Query], _ constitutions: [ConstitutionGroup], model: LanguageModel,
        tokenizer: Tokenizer, key: RandomKey, memory: MemoryPlan = .automatic,
        from state: RolloutState? = nil,
        progress: (WorkProgress) -> Continuation = { _ in .more },
        cancel: () -> Continuation = { .more },
        observe: (RolloutState) throws -> Void = { _ in }
    ) throws -> Rollouts {
        guard !queries.isEmpty, !constitutions.isEmpty else { throw AlignmentError.noQueries }
        guard settings.samples >= 1, settings.samples <= Composer.largestCount else {
            throw AlignmentError.sampleCount(settings.samples)
        }
        if let group = constitutions.first(where: { !queries.indices.contains($0.query) }) {
            throw AlignmentError.groupQuery(group.query, queries: queries.count)
        }
        let sampler = TextSampler(
            prompts: prompts, settings: settings, model: model, tokenizer: tokenizer,
            memory: memory)
        var result = Rollouts(groups: [], settings: settings)
        let fitting = try split(constitutions, queries, sampler, into: &result)

        // Before the first portion there is nothing to go on from, not even what does not fit.
        var state = state.flatMap { $0.next > 0 ? $0 : nil } ?? RolloutState(rollouts: result)
        let total = fitting.reduce(0) { $0 + $1.constitutions.count * settings.samples }
        var tokens = 0
        while state.next < fitting.count {
            let portion = portion(fitting[state.next...])
            let done = fitting[..<state.next].reduce(0) {
                $0 + $1.constitutions.count * settings.samples
            }
            var last = 0
            let texts = try sampler.sample(requests(portion, queries, key), cancel: cancel) {
                step in
                last = step.tokens
                return progress(
                    WorkProgress(
                        .rollout, done: done + step.done, of: total, unit: .responses,
                        tokens: tokens + last))
            }
            tokens += last
            var result = state.rollouts
            var rest = texts[...]
            for group in portion {
                let count = group.constitutions.count * settings.samples
                let own = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
                if own.contains(where: { $0.finish == .interrupted }) {
                    result.isStopped = true
                    continue
                }
                collect(group, queries[group.query], own, into: &result)
            }
            if result.isStopped { return result }
            state = RolloutState(rollouts: result, next: state.next + portion.count)
            try observe(state)
        }
        return state.rollouts
    }

    /// The next queries that are sampled together: whole ones, as many as the model takes at once.
    private func portion(_ groups: ArraySlice<ConstitutionGroup>) -> ArraySlice<ConstitutionGroup> {
        var count = 0
        var requests = 0
        for group in groups {
            requests += group.constitutions.count * settings.samples
            if requests > 128, count > 0 { break }
            count += 1
        }
        return groups.prefix(count)
    }

    private func requests(
        _ groups: ArraySlice<ConstitutionGroup>, _ queries: [Query], _ key: RandomKey
    ) -> [SampleRequest] {
        var requests: [SampleRequest] = []
        for group in groups {
            let key = key.child(UInt64(group.query))
            for sample in 0..<settings.samples {
                for (index, constitution) in group.constitutions.enumerated() {
                    requests.append(
                        SampleRequest(
                            query: queries[group.query], constitution: constitution,
                            key: key.child(UInt64(index)).child(UInt64(sample))))
                }
            }
        }
        return requests
    }

    /// The groups whose prompts leave room for the longest response; the others are counted.
    private func split(
        _ groups: [ConstitutionGroup], _ queries: [Query], _ sampler: TextSampler,
        into result: inout Rollouts
    ) throws -> [ConstitutionGroup] {
        let context = sampler.model.configuration.longestSequence
        var fitting: [ConstitutionGroup] = []
        for group in groups {
            let query = queries[group.query]
            let trained = group.training.map {
                sampler.tokenizer.encode(prompts.trainingPrompt(query, $0)).count
                    + settings.maxTokens
            }
            let longest =
                (group.constitutions.map { sampler.length(query, $0) } + trained).max() ?? 0
            if longest <= context {
                fitting.append(group)
                continue
            }
            result.rejected.append(
                Rollouts.Rejected(
                    id: query.id, query: group.query, reason: .overflow,
                    text:
                        "prompt and response may take \(longest) tokens, the context has \(context)"
                ))
        }
        if settings.overflow == .error, !result.rejected.isEmpty {
            throw AlignmentError.overflow(
                queries: result.rejected.map(\.id), context: context,
                maxTokens: settings.maxTokens)
        }
        return fitting
    }

    private func collect(
        _ group: ConstitutionGroup, _ query: Query, _ texts: [SampledText],
        into result: inout Rollouts
    ) {
        let count = group.constitutions.count
        for (column, sampled) in texts.enumerated() {
            let isTwin = texts.enumerated().contains { other, text in
                other < column && other % count != column % count && text.text == sampled.text
            }
            if let reason = rejection(of: sampled, query) ?? (isTwin ? .identical : nil) {
                result.rejected.append(
                    Rollouts.Rejected(
                        id: query.id, query: group.query, reason: reason,
                        constitution: column % count, text: sampled.text))
                return
            }
        }
        let responses = texts.enumerated().map { column, sampled in
            Response(
                passage: .text(sampled.text), constitution: column % count,
                sample: column / count, sampledTokens: sampled.tokens)
        }
        result.groups.append(
            RolloutGroup(
                id: query.id, query: group.query, asked: query,
                constitutions: group.constitutions,
                prompts: group.training.map { .text(prompts.trainingPrompt(query, $0)) },
                joint: prompts.joint, responses: responses))
    }

    private func rejection(of sampled: SampledText, _ query: Query) -> RolloutRejection? {
        if sampled.text.isEmpty { return .empty }
        if settings.requiresEnd, sampled.finish == .length { return .unfinished }
        if prompts.isBroken(sampled.text) || isMalformed?(sampled.text, query) == true {
            return .malformed
        }
        return nil
    }
}
