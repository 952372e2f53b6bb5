import LongWork
import Tensors
import TextModels
import Transformers

/// The state of sampling after a portion of the queries.
public struct RolloutState: Sendable, Codable {
    public var rollouts: Rollouts
    /// Index of the next query, among those that fit the context.
    public var next: Int

    public init(rollouts: Rollouts = Rollouts(groups: []), next: Int = 0) {
        self.rollouts = rollouts
        self.next = next
    }
}

/// Samples the responses of queries under their constitutions, `y ~ π(· | c, x)`.
public struct RolloutSampler: Sendable {
    public var settings: RolloutSettings
    /// An additional check for malformed responses, such as a grammar.
    public var isMalformed: (@Sendable (String, Query) -> Bool)?

    public init(
        _ settings: RolloutSettings = RolloutSettings(),
        isMalformed: (@Sendable (String, Query) -> Bool)? = nil
    ) {
        self.settings = settings
        self.isMalformed = isMalformed
    }

    /// The key's child `q`, `i`, `m` decides the random numbers of response `m` of constitution `i`
    /// of the query at place `q` of the list, whatever else is sampled beside it.
    ///
    /// - Parameters:
    ///   - text: the model that responds, or that scores the responses of another voice.
    ///   - voice: responds in place of the model.
    ///   - state: of an interrupted run; the continued run ends in the same rollouts as an
    ///     uninterrupted run.
    ///   - progress: asked before every block of the model and after every token.
    ///   - observe: called after every portion of queries with the state, for saving.
    /// - Returns: the queries that passed every check, and the reasons for the others. After a
    ///   stop, queries with missing responses are left out.
    /// - Throws: `AlignmentError.overflow` under `overflow=error`, `.sampleCount`, `.unknownQuery`,
    ///   `.duplicateQuery`; `ModelError` for settings out of range.
    public func sample(
        _ queries: [Query], _ constitutions: [ConstitutionGroup], with text: TextModel,
        voice: Voice? = nil, key: RandomKey, memory: MemoryPlan = .automatic,
        from state: RolloutState? = nil,
        progress: (WorkProgress) -> Continuation = { _ in .more },
        observe: (RolloutState) throws -> Void = { _ in }
    ) throws -> Rollouts {
        guard !constitutions.isEmpty else { throw AlignmentError.noQueries }
        guard settings.samples >= 1, settings.samples <= Composer.largestCount else {
            throw AlignmentError.sampleCount(settings.samples)
        }
        let queries = try QueryList(queries)
        let sampler = ResponseSampler(
            text: text, sampling: settings.sampling, memory: memory, voice: voice)
        var result = Rollouts(groups: [], settings: settings, voice: voice?.name)
        let fitting = try fitting(constitutions, queries, sampler, into: &result)

        // Before the first portion the saved state holds nothing to continue from.
        var state = state.flatMap { $0.next > 0 ? $0 : nil } ?? RolloutState(rollouts: result)
        let total = fitting.reduce(0) { $0 + responses(of: $1) }
        var tokens = 0
        while state.next < fitting.count {
            let portion = portion(fitting[state.next...], of: text.model)
            let done = fitting[..<state.next].reduce(0) { $0 + responses(of: $1) }
            var last = 0
            let sampled = try sampler.sample(portion.flatMap { requests($0, key) }) { step in
                last = step.tokens
                return progress(
                    WorkProgress(
                        .rollout, done: done + step.done, of: total, underway: step.underway,
                        unit: .responses, tokens: tokens + last))
            }
            tokens += last
            var result = state.rollouts
            var rest = sampled[...]
            for prepared in portion {
                let own = Array(rest.prefix(responses(of: prepared)))
                rest = rest.dropFirst(own.count)
                if own.contains(where: { $0.finish == .interrupted }) {
                    result.isStopped = true
                    continue
                }
                collect(prepared, own, sampler, into: &result)
            }
            if result.isStopped { return result }
            state = RolloutState(rollouts: result, next: state.next + portion.count)
            try observe(state)
        }
        return state.rollouts
    }

    /// The constitutions of one query with their prompts. Each prompt is rendered and encoded once.
    private struct Prepared {
        var group: ConstitutionGroup
        var query: Query
        /// The query's place in the list.
        var place: Int
        /// One for each constitution.
        var prompts: [RolloutPrompt]
        var training: [RenderedPrompt]
    }

    private func responses(of prepared: Prepared) -> Int {
        prepared.prompts.count * settings.samples
    }

    /// The next queries to sample together: complete queries, as many as the model processes at
    /// once.
    private func portion(
        _ queries: ArraySlice<Prepared>, of model: LanguageModel
    ) -> ArraySlice<Prepared> {
        var count = 0
        var requests = 0
        for query in queries {
            requests += responses(of: query)
            if requests > 128 * model.processes, count > 0 { break }
            count += 1
        }
        return queries.prefix(count)
    }

    /// In columns: first the first responses of all constitutions, then the second responses, and
    /// so on.
    private func requests(
        _ prepared: Prepared, _ key: RandomKey
    ) -> [(prompt: RolloutPrompt, key: RandomKey)] {
        let key = key.child(UInt64(prepared.place))
        return (0..<settings.samples).flatMap { sample in
            prepared.prompts.enumerated().map { index, prompt in
                (prompt, key.child(UInt64(index)).child(UInt64(sample)))
            }
        }
    }

    /// The queries whose prompts leave room for the longest response; the others are counted.
    private func fitting(
        _ groups: [ConstitutionGroup], _ queries: QueryList, _ sampler: ResponseSampler,
        into result: inout Rollouts
    ) throws -> [Prepared] {
        let text = sampler.text
        var fitting: [Prepared] = []
        for group in groups {
            let query = try queries[group.query]
            let prepared = Prepared(
                group: group, query: query, place: try queries.place(of: query.id),
                prompts: try group.constitutions.map { try sampler.prompt(query, $0) },
                training: try group.training.map {
                    try text.prompts.trainingPrompt(query, $0, chat: text.chat)
                })
            let longest =
                (prepared.prompts.map(\.prompt.tokens.count)
                + prepared.training.map { text.prompt($0).tokens.count }).max() ?? 0
            if longest + settings.sampling.maxTokens <= text.context {
                fitting.append(prepared)
            } else {
                result.rejected.append(
                    Rollouts.Rejected(
                        overflowOf: query.id,
                        tokens: longest + settings.sampling.maxTokens, context: text.context))
            }
        }
        if settings.overflow == .error, !result.rejected.isEmpty {
            throw AlignmentError.overflow(
                queries: result.rejected.map(\.id.text), context: text.context,
                maxTokens: settings.sampling.maxTokens)
        }
        return fitting
    }

    private func collect(
        _ prepared: Prepared, _ sampled: [SampledResponse], _ sampler: ResponseSampler,
        into result: inout Rollouts
    ) {
        let text = sampler.text
        let query = prepared.query
        let count = prepared.prompts.count
        for (column, response) in sampled.enumerated() {
            let isTwin = sampled.enumerated().contains { other, text in
                other < column && other % count != column % count
                    && text.text.utf8.elementsEqual(response.text.utf8)
            }
            if sampler.voice != nil, let tokens = overflow(of: response, prepared, text) {
                result.rejected.append(
                    Rollouts.Rejected(
                        overflowOf: query.id, tokens: tokens, context: text.context))
                return
            }
            if let reason = rejection(of: response, query, sampler.voice?.prompts ?? text.prompts)
                ?? (isTwin ? .identical : nil)
            {
                result.rejected.append(
                    Rollouts.Rejected(
                        id: query.id, reason: reason, constitution: column % count,
                        text: response.text))
                return
            }
        }
        let responses = sampled.enumerated().map { column, sampled in
            sampler.voice == nil
                ? response(sampled, column, to: prepared.training[column % count], of: count, text)
                : Response(
                    content: .text(sampled.text), constitution: column % count,
                    sample: column / count)
        }
        result.queries.append(query)
        result.groups.append(
            RolloutGroup(
                id: query.id, constitutions: prepared.group.constitutions,
                prompts: prepared.training, responses: responses))
    }

    private func response(
        _ sampled: SampledResponse, _ column: Int, to prompt: RenderedPrompt, of count: Int,
        _ text: TextModel
    ) -> Response {
        var response = Response(
            content: .text(sampled.text), constitution: column % count, sample: column / count,
            sampled: sampled.tokens)
        if prompt.chat != nil {
            response.scored = sampled.chatTokens
        } else {
            // The prompt and the response in the encoding of `ContrastBatch`.
            let scored = text.tokenizer.encode(
                beginning: prompt.text + prompt.separator + sampled.text)
            let kept = sampled.tokens.prefix(sampled.textTokens)
            response.isRetokenized = !scored.suffix(kept.count).elementsEqual(kept)
        }
        return response
    }

    /// The length of the longest prompt and a response that another voice wrote, in tokens of the
    /// model that scores it; nil if they fit.
    private func overflow(
        of sampled: SampledResponse, _ prepared: Prepared, _ text: TextModel
    ) -> Int? {
        let prompt = prepared.training.map { text.prompt($0).tokens.count }.max() ?? 0
        let tokens = prompt + text.tokenizer.encode(sampled.text, special: false).count + 1
        return tokens > text.context ? tokens : nil
    }

    private func rejection(
        of sampled: SampledResponse, _ query: Query, _ prompts: Prompts
    ) -> RolloutRejection? {
        if sampled.isOverflow { return .overflow }
        if sampled.text.isEmpty { return .empty }
        if settings.requiresEnd, sampled.finish == .length { return .unfinished }
        if prompts.isBroken(sampled.text) || isMalformed?(sampled.text, query) == true {
            return .malformed
        }
        return nil
    }
}

extension Rollouts.Rejected {
    /// A query whose longest prompt and response do not fit the context.
    init(overflowOf query: QueryID, tokens: Int, context: Int) {
        self.init(
            id: query, reason: .overflow,
            text: "prompt and response may take \(tokens) tokens, the context has \(context)")
    }
}
