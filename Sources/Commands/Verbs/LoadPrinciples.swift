import Alignment
import CommandLanguage
import JSON
import Worlds

extension CommandTable {
    static let loadPrinciplesForm = Command.Form(
        "principles", "reads principles from a file or from the shipped world",
        makes: ["principles"],
        operands: [
            .required(
                "path",
                .either(
                    [
                        Choice("trained", "six kinds, for training"),
                        Choice("held_out", "the four kinds that it does not use"),
                        Choice("all", "both"),
                        Choice("others", "the kinds that are not in `principles`"),
                    ], .path),
                "a JSON Lines file of {\"principle\": …, \"antithesis\": …}")
        ],
        options: [
            OptionSpecification(
                "about",
                .words([
                    Choice("summaries", "the wordings for posts"),
                    Choice("answers", "the wordings for questions"),
                ]), "the wording of the shipped world's principles; default: both")
        ],
        example: "load principles held_out", run: loadPrinciples)

    private static func loadPrinciples(_ invocation: Invocation) throws -> CommandResult {
        switch try invocation.text("path") {
        case "trained": return try worldPrinciples(invocation) { $0.isTrained }
        case "held_out": return try worldPrinciples(invocation) { !$0.isTrained }
        case "all": return try worldPrinciples(invocation) { _ in true }
        case "others":
            let named = try invocation.object(PrinciplesObject.self, "principles").pairs.compactMap
            {
                World.everyday.dimension(of: $0.principle)?.dimension.style
            }
            return try worldPrinciples(invocation) { !named.contains($0.style) }
        default: return try principlesOfFile(invocation)
        }
    }

    private static func worldPrinciples(
        _ invocation: Invocation, _ isWanted: (Dimension) -> Bool
    ) throws -> CommandResult {
        let kind: QueryKind? =
            switch try invocation.text("about") {
            case "summaries": .summary
            case "answers": .answer
            default: nil
            }
        let pairs = World.everyday.principlePairs(about: kind, isWanted)
        guard !pairs.isEmpty else {
            throw invocation.error("`principles` already has every kind", at: "path")
        }
        return CommandResult("principles", PrinciplesObject(pairs: pairs))
    }

    private static func principlesOfFile(_ invocation: Invocation) throws -> CommandResult {
        let records = try invocation.records("path")
        do {
            return CommandResult("principles", try PrinciplesObject(records))
        } catch {
            throw invocation.located(error, at: "path")
        }
    }
}
