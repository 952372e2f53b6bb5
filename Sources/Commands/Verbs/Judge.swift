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
                        Choice("measured", "the shipped world's programs, and checks (default)"),
                        Choice("likelihood", "the base model"),
                    ], .value), "who judges: one of these, a model or a server"),
            OptionSpecification(
                "against", .value, "the other model, or a server; default: `base`"),
            OptionSpecification(
                "pairs", .object("verdicts"),
                "judge the responses of these verdicts again, in place of new ones"),
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
        let choice = try JudgeChoice(invocation)
        let follower = invocation.follower()
        defer { follower.finish() }
        let source =
            try invocation.has("pairs")
            ? JudgedPairs(of: invocation.object(VerdictsObject.self, "pairs"), invocation)
            : JudgedPairs(sampling: invocation)
        let judge = try choice.judge(of: source.queries, principles: source.principles, invocation)
        let (pairs, skipped) = try source.pairs(follower, invocation)
        var notes: [String] = []
        let skippedCounts = [(reason: RolloutRejection.overflow, count: skipped.count)]
        if let note = RolloutsObject.note(skipped, skippedCounts) { notes.append(note) }
        guard !pairs.isEmpty else {
            throw invocation.error("no query is left to judge: \(notes.joined(separator: "; "))")
        }
        let verdicts: Verdicts
        do {
            verdicts = try judge.judge(pairs, progress: follower.follow)
        } catch  where source.isSampled {
            // The judge has failed, and the responses are there.
            throw StoppedEarly(
                error: (error as? LocatedError) ?? invocation.located(error),
                work: StoppedWork(
                    progress: "\(pairs.count) of \(pairs.count) pairs", kind: "judging",
                    state: try SamplingStorage.stored(pairs)))
        }
        if !verdicts.unknownPrinciples.isEmpty {
            let shown = verdicts.unknownPrinciples.prefix(3).map { "\"\($0)\"" }
            notes.append(
                "not known to the \(verdicts.judge) judge and left out: "
                    + shown.joined(separator: ", ")
                    + (verdicts.unknownPrinciples.count > 3 ? ", …" : ""))
        }
        notes += source.notes + choice.notes + choice.selfNotes(source.writers)
        notes += choice.controlNotes(verdicts, judge)
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
            VerdictsObject(verdicts: verdicts, first: source.first, second: source.second),
            notes: notes)
        if verdicts.isStopped {
            result.stopped = StoppedWork(
                progress: "comparison \(verdicts.comparisons.count) of \(pairs.count)",
                kind: "judging", state: try SamplingStorage.stored(pairs))
        }
        return result
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
