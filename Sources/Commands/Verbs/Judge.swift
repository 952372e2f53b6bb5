import Alignment
import CommandLanguage
import Rendering
import ShippedWorld
import Tensors
import TextModels
import Tokenizers
import Transformers
import Values

extension CommandTable {
    static let judgeCommand = Command(
        "judge", .method, "which of two models follows constitutions better?",
        about: """
            Both models answer the same queries under the same constitutions. measured: a \
            program counts the principles that are followed; likelihood: the frozen base says \
            which response has the larger log p(y|c) - log p(y|not c). A model or a server reads \
            both responses, in both orders: verdicts that differ make a tie, texts without a \
            verdict leave their pair out, and both are counted. It also reads some responses \
            beside themselves, which shows how much a place alone decides.
            """,
        makes: ["verdicts"],
        operands: [.optional("queries", .object("queries"), "in place of `queries`")],
        options: [
            OptionSpecification(
                "judge",
                .either(
                    [
                        Choice("measured", "the shipped world's programs (default)"),
                        Choice("likelihood", "the base model"),
                    ], .value), "who judges: one of these, a model or a server"),
            OptionSpecification(
                "against", .value, "the other model, or a server; default: `base`"),
            OptionSpecification(
                "question", .path,
                "a file with the question to a judge that reads: {constitution}, {query}, {first}, "
                    + "{second}"),
            OptionSpecification(
                "controls", .number,
                "responses that such a judge reads beside themselves; default: 10"),
            OptionSpecification(
                "verdict_tokens", .number, "longest text of such a judge; default: 64"),
            OptionSpecification("principles", .object("principles"), "in place of `principles`"),
            OptionSpecification(
                "constitutions", .value, "composed ones, in place of principles"),
        ] + MethodKey.judgeCompose + MethodKey.sampling + [
            MethodKey.preset, MethodKey.overflow, MethodKey.model, MethodKey.base,
            MethodKey.seed,
        ],
        example: "judge queries[0:2]", run: judge)

    private static func judge(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let otherRole = invocation.has("against") ? "against" : "base"
        let other =
            try invocation.voice("against")
            ?? invocation.voice(try invocation.object(ModelObject.self, "base"), name: "base")
        // Each side reads and writes through a tokenizer and prompts of its own.
        let text = try invocation.textModel(model)
        let sides = [
            PairSampler.Side(text),
            try other.model.map { PairSampler.Side(try invocation.textModel($0)) }
                ?? PairSampler.Side(text, voice: other.voice),
        ]
        let queries = try invocation.object(QueriesObject.self, "queries").queries
        let plan = try invocation.plan(for: model)
        // A server's answers are kept for the next statement, so the other side draws alike.
        let key = try other.server == nil ? invocation.randomKey() : other.key
        let choice = try JudgeChoice(invocation)

        let groups: [ConstitutionGroup]
        if invocation.has("constitutions") {
            let object = try invocation.object(ConstitutionsObject.self, "constitutions")
            groups =
                object.groups != nil
                ? try constitutionGroups(for: queries, key, invocation)
                : try Composer(count: 1, polarity: .positive).compose(
                    queries, from: try sources(invocation, role: "constitutions"),
                    key: key.child("compose"))
        } else {
            var composer = Composer(
                count: 1, principles: plan.compose.principles,
                polarity: plan.compose.polarity == .positive ? .positive : .distinct)
            try invocation.apply(to: &composer)
            let sources = try sources(invocation, role: "principles")
            // A constitution cannot have more principles than there are pairs. Asking for more
            // would stop a judge that can work with fewer.
            if case .pairs(let pairs)? = sources.first, let wanted = composer.principles,
                !invocation.has("principles_each")
            {
                composer.principles = min(wanted, pairs.count)
            }
            groups = try composer.compose(queries, from: sources, key: key.child("compose"))
        }
        if case .measured = choice,
            !WorldMeasure.knows(
                queries, principles: groups.flatMap(\.constitutions).flatMap(\.slots).map(\.text))
        {
            throw invocation.error(
                "the measured judge knows queries and principles of the shipped world only, and "
                    + "none of these are",
                suggestion: "judge=likelihood asks the base model")
        }
        let judge = try choice.judge(of: queries, invocation)
        var settings = plan.rollout
        try invocation.apply(to: &settings)
        let follower = invocation.follower()
        defer { follower.finish() }
        let (pairs, skipped) = try sampledPairs(
            PairSampler(settings), queries, groups, sides, key.child("pairs"), follower, invocation)
        var notes: [String] = []
        let skippedCounts = [(reason: RolloutRejection.overflow, count: skipped.count)]
        if let note = RolloutsObject.note(skipped, skippedCounts) { notes.append(note) }
        guard !pairs.isEmpty else {
            throw invocation.error("no query is left to judge: \(notes.joined(separator: "; "))")
        }
        let verdicts = try judge.judge(pairs, progress: follower.follow)
        if !verdicts.unknownPrinciples.isEmpty {
            let shown = verdicts.unknownPrinciples.prefix(3).map { "\"\($0)\"" }
            notes.append(
                "not known to the \(verdicts.judge) judge and left out: "
                    + shown.joined(separator: ", ")
                    + (verdicts.unknownPrinciples.count > 3 ? ", …" : ""))
        }
        notes += other.notes + choice.notes
        notes += choice.selfNotes(
            [(invocation.written("model") ?? "model", model), (other.voice.name, other.model)])
        for (reason, count) in verdicts.exclusions {
            notes.append("\(NumberText.count(count, "comparison")) left out: \(reason.words)")
        }
        if verdicts.count == 0, verdicts.isStopped {
            throw StoppedEarly(
                error: invocation.located(
                    EvaluationError.interrupted(
                        "stopped before a comparison was judged; nothing has changed")),
                work: StoppedWork(
                    progress: "\(pairs.count) of \(pairs.count) pairs", kind: "judging",
                    state: try SamplingStorage.stored(pairs)))
        }
        guard verdicts.count > 0 else {
            throw invocation.error(
                "nothing could be judged: " + notes.joined(separator: "; "),
                suggestion: judge is MeasuredJudge ? "judge=likelihood asks the base model" : nil)
        }
        if verdicts.isStopped {
            notes.append(
                "stopped after \(verdicts.comparisons.count) of \(pairs.count) comparisons, "
                    + "which are kept")
        }
        var result = CommandResult(
            "verdicts",
            VerdictsObject(
                verdicts: verdicts, first: invocation.written("model") ?? "model",
                second: invocation.written(otherRole) ?? otherRole),
            notes: notes)
        if verdicts.isStopped {
            result.stopped = StoppedWork(
                progress: "comparison \(verdicts.comparisons.count) of \(pairs.count)",
                kind: "judging", state: try SamplingStorage.stored(pairs))
        }
        return result
    }

    /// The pairs for a judge, sampled from the start or from a saved state.
    private static func sampledPairs(
        _ sampler: PairSampler, _ queries: [Alignment.Query], _ groups: [ConstitutionGroup],
        _ sides: [PairSampler.Side], _ key: RandomKey, _ follower: ProgressFollower,
        _ invocation: Invocation
    ) throws -> (pairs: [ResponsePair], skipped: [Rollouts.Rejected]) {
        let total = groups.reduce(0) { $0 + $1.constitutions.count }
        var sampled = try invocation.resumed.map(SamplingStorage.restoredPairs) ?? []
        var clock = CheckpointClock()
        do {
            return try sampler.pairs(
                queries, groups, first: sides[0], second: sides[1], key: key,
                memory: invocation.session.settings.memoryPlan, from: sampled,
                progress: follower.follow,
                observe: { pairs in
                    sampled = pairs
                    try clock.writeIfDue {
                        try invocation.keepCheckpoint(
                            "judging", "\(pairs.count) of \(total) pairs"
                        ) { try SamplingStorage.stored(pairs) }
                    }
                })
        } catch let error as AlignmentError {
            guard case .stopped = error else { throw error }
            throw StoppedEarly(
                error: invocation.located(error),
                work: StoppedWork(
                    progress: "\(sampled.count) of \(total) pairs", kind: "judging",
                    state: try SamplingStorage.stored(sampled)))
        }
    }
}

extension ExclusionReason {
    /// The reason in words, for a sentence.
    var words: String {
        switch self {
        case .unknownPrinciples: "no principle that the judge knows"
        case .noAntithesis: "a constitution without antithesis"
        case .overflow: "too long for the context"
        case .empty: "an empty response"
        case .unparsed: "the judge's text names no winner"
        }
    }
}
