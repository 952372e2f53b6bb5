import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let replayCommand = Command(
        "replay", .memory, "runs a session or a script again in a new workspace",
        about: """
            With check=true every value is compared with the one that was kept: to the last bit \
            on the machine that made it, else numbers to within 0.001 of their size. A script \
            is run twice and compared. to=N stops after statement N of the journal, and \
            into=PATH keeps what was made: that is how a state comes back that undo no longer \
            reaches.
            """,
        effect: .manages,
        operands: [.optional("path", .path, "another workspace, or a script")],
        options: [
            OptionSpecification("check", .flag, "compare every value; default: false"),
            OptionSpecification("to", .number, "the number of the last statement to run"),
            OptionSpecification("into", .path, "a new workspace that keeps the values"),
        ],
        example: "replay check=true", run: replay)

    private static func replay(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        var options = ReplayOptions()
        options.check = try invocation.flag("check") ?? false
        options.upTo = try invocation.integer("to", atLeast: 0)
        options.into = try invocation.writablePath("into")
        // Statements of this session's own journal may write to their original places; statements
        // of another journal, named by `path`, may not.
        options.allowsWrites = !invocation.has("path")
        let result: (isWell: Bool, summary: String)
        do {
            result = try session.replay(try invocation.path("path"), options)
        } catch {
            throw invocation.located(error, at: "path")
        }
        guard result.isWell else {
            if invocation.isInterrupted {
                throw invocation.located(EvaluationError.interrupted(result.summary))
            }
            throw invocation.error(result.summary)
        }
        return CommandResult(text: StyledText(result.summary, .good))
    }
}
