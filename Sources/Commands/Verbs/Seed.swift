import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let seedCommand = Command(
        "seed", .session, "sets the seed of all random numbers",
        about: """
            Each statement draws from the seed and its own number in the journal, so the same \
            script in a new workspace gives the same bits. `seed 7 statement=12` says the number \
            of the next statement: after statements that failed or were undone, a script draws so \
            as the session did that it repeats.
            """,
        effect: .manages,
        operands: [
            .optional("value", .number, "a whole number; without it, the seed is shown")
        ],
        options: [
            OptionSpecification(
                "statement", .number, "the next statement draws as if this were its number")
        ],
        example: "seed 7", run: setSeed)

    private static func setSeed(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        let number = try invocation.integer("statement", atLeast: 1)
        // It journals an expression that ran under the seed so far.
        if let number {
            do { try session.drawNext(asStatement: number) } catch {
                throw invocation.located(error, at: "statement")
            }
        }
        if let seed = try invocation.integer("value", atLeast: 0, atMost: 1 << 53) {
            session.seed = UInt64(seed)
        }
        let text =
            "seed \(session.seed)"
            + (number.map { ", and the next statement draws as number \($0)" } ?? "")
        return CommandResult(
            Display(StyledText(text, .faint), data: .number(Double(session.seed))))
    }
}
