import Alignment
import CommandLanguage
import Rendering
import ShippedWorld
import Values

extension CommandTable {
    static let proposeCommand = Command(
        "propose", .method, "the writer lists principles with their antitheses",
        about: """
            The writer is a language model that continues a prompt about principles, or answers a \
            request, if it is an instruct model. Its text is parsed. A principle is an instruction: \
            a sentence that begins with a verb (`Use …`, `Do not …`) or says `should` or `must`. \
            Its antithesis is another one, with a word in common or a negation. Titles, fragments, \
            other sentences, repetitions and those without an antithesis are left out, and counted \
            by reason; the request's own examples are never taken.
            """,
        makes: ["principles"],
        options: [
            OptionSpecification(
                "about",
                .either(
                    [
                        Choice("summaries", "how posts are summarized"),
                        Choice("answers", "how questions are answered"),
                    ], .text),
                "the subject of the principles; default: the form of `queries`"),
            OptionSpecification("count", .number, "pairs wanted; default: 6"),
            OptionSpecification("writer", .value, "a model or a server in place of `model`"),
            MethodKey.seed,
        ],
        example: "propose about=summaries count=3", run: propose)

    private static func propose(_ invocation: Invocation) throws -> CommandResult {
        let writer =
            try invocation.voice("writer")
            ?? invocation.voice(try invocation.model(), name: "model")
        let prompts = writer.voice.prompts
        var about = try invocation.text("about")
        if about == nil, let queries = try invocation.objectIfBound(QueriesObject.self, "queries") {
            about = queries.queries.first.map { prompts.words($0.form).responses }
        }
        var proposer = Proposer()
        if let count = try invocation.integer("count", atLeast: 1, atMost: 1000) {
            proposer.count = count
            proposer.limit = max(proposer.limit, 8 * count)
        }
        let follower = invocation.follower()
        defer { follower.finish() }
        let proposal = try proposer.propose(
            about: about ?? prompts.post.responses, prompts: prompts,
            writer: writer.voice.engine, meaning: WorldMeasure.meaning, key: writer.key,
            progress: follower.follow)
        var notes = writer.notes
        let reasons = notes.count
        if !proposal.counts.isEmpty {
            notes.append(
                "left out: "
                    + proposal.counts.map { "\($0.count) \($0.reason.words)" }.joined(
                        separator: ", "))
        }
        guard !proposal.pairs.isEmpty else {
            if proposal.isStopped {
                throw invocation.located(EvaluationError.interrupted("stopped"))
            }
            throw invocation.error(
                "the writer gave no usable principle in "
                    + NumberText.count(proposal.samples, "text")
                    + (notes.dropFirst(reasons).first.map { "; \($0)" } ?? ""))
        }
        if proposal.isStopped {
            notes.append("stopped early: `principles` has the pairs accepted so far")
        } else if proposal.pairs.count < proposer.count {
            notes.append(
                "\(proposal.pairs.count) of \(proposer.count) pairs were found in "
                    + NumberText.count(proposal.samples, "text"))
        }
        return CommandResult("principles", PrinciplesObject(pairs: proposal.pairs), notes: notes)
    }
}

extension PrincipleParser.Rejection {
    /// The reason in words, for a sentence with its count.
    var words: String {
        switch self {
        case .noPairs: "without a pair"
        case .unpaired: "without an antithesis"
        case .unfinished: "unfinished"
        case .malformed: "malformed"
        case .opposesItself: "the same as their antithesis"
        case .title: "titles or fragments"
        case .noInstruction: "without an instruction"
        case .unrelated: "with an unrelated antithesis"
        case .example: "copied from the request"
        case .duplicate: "twice"
        }
    }
}
