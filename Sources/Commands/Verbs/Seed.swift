import Rendering
import Values

extension CommandTable {
    static let seedCommand = Command(
        "seed", .session, "sets the seed of all random numbers",
        about: """
            Each statement draws from the seed and its own number in the journal, so the same \
            script in a new workspace gives the same bits.
            """,
        effect: .manages,
        operands: [
            .optional("value", .number, "a whole number; without it, the seed is shown")
        ],
        example: "seed 7", run: setSeed)

    private static func setSeed(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        if let seed = try invocation.integer("value", atLeast: 0, atMost: 1 << 53) {
            session.seed = UInt64(seed)
        }
        return CommandResult(
            Display(
                StyledText("seed \(session.seed)", .faint), data: .number(Double(session.seed))))
    }
}
