import Alignment
import CommandLanguage
import Worlds

extension CommandTable {
    static let loadPrinciplesForm = Command.Form(
        "principles", "reads principles, or takes those that the shipped world can measure",
        makes: ["principles"],
        operands: [
            .required(
                "path",
                .either(
                    [
                        Choice("trained", "the six kinds that the demo trains on"),
                        Choice("held_out", "the four kinds that it does not"),
                        Choice("all", "both"),
                        Choice("others", "the kinds that `principles` does not name"),
                    ], .path),
                "a JSON Lines file of {\"principle\": …, \"antithesis\": …}")
        ],
        options: [
            OptionSpecification(
                "about",
                .words([
                    Choice("summaries", "as they are worded for posts"),
                    Choice("answers", "as they are worded for questions"),
                ]), "the wording of the shipped world's principles; both unless given")
        ],
        example: "load principles held_out", run: loadPrinciples)

    private static func loadPrinciples(_ invocation: Invocation) throws -> CommandResult {
        switch try invocation.text("path") {
        case "trained": return try worldPrinciples(invocation) { $0.isTrained }
        case "held_out": return try worldPrinciples(invocation) { !$0.isTrained }
        case "all": return try worldPrinciples(invocation) { _ in true }
        case "others":
            let named = try invocation.noun(PrinciplesNoun.self, "principles").pairs.compactMap {
                World.everyday.dimension(of: $0.principle)?.dimension.style
            }
            return try worldPrinciples(invocation) { !named.contains($0.style) }
        default: return try principlesOfFile(invocation)
        }
    }

    /// One pair for each dimension, in one wording, so that a constitution never asks twice. Where
    /// posts and questions are spoken of differently there is a pair for each.
    private static func worldPrinciples(
        _ invocation: Invocation, _ isWanted: (Dimension) -> Bool
    ) throws -> CommandResult {
        let about = try invocation.text("about")
        var pairs: [PrinciplePair] = []
        for (place, dimension) in World.everyday.dimensions.filter(isWanted).enumerated() {
            func pair(_ kind: QueryKind, _ form: QueryForm) -> PrinciplePair {
                PrinciplePair(
                    principle: dimension.wording(place, polarity: true, kind: kind),
                    antithesis: dimension.wording(place, polarity: false, kind: kind), form: form)
            }
            let (posts, questions) = (pair(.summary, .post), pair(.answer, .question))
            switch about {
            case "summaries": pairs.append(posts)
            case "answers": pairs.append(questions)
            default:
                if posts.principle == questions.principle, posts.antithesis == questions.antithesis
                {
                    pairs.append(
                        PrinciplePair(principle: posts.principle, antithesis: posts.antithesis))
                } else {
                    pairs += [posts, questions]
                }
            }
        }
        guard !pairs.isEmpty else {
            throw invocation.fail("`principles` names every kind that there is", at: "path")
        }
        return CommandResult("principles", PrinciplesNoun(pairs: pairs))
    }

    private static func principlesOfFile(_ invocation: Invocation) throws -> CommandResult {
        let file = try invocation.jsonLines("path")
        var pairs: [PrinciplePair] = []
        for line in file.lines {
            guard
                case .noun(let noun as PrinciplesNoun)? = PrinciplesNoun.holding(
                    .record(line.record)
                ).map(Value.noun)
            else {
                throw invocation.complaint(
                    file.bad(line, "\"principle\" and \"antithesis\" are needed, both texts"),
                    at: "path")
            }
            pairs += noun.pairs
        }
        return CommandResult("principles", PrinciplesNoun(pairs: pairs))
    }
}
