import CommandLanguage
import Foundation
import Values

extension CommandTable {
    static let sourceCommand = Command(
        "source", .session, "runs the statements of a file here",
        about: """
            A prompt shows each statement with its comments before it runs. With pause=true it \
            waits there: Return runs the statement, q leaves the script, and another statement \
            can be typed first. Where no person is at a terminal, nothing waits. Lines of comment \
            that begin with #> explain the output of the statement before them: they are shown \
            after it.
            """,
        effect: .manages,
        operands: [.required("path", .path, "a script")],
        options: [
            OptionSpecification("pause", .flag, "wait before each statement; false")
        ],
        example: "source script.sami", run: source)

    private static func source(_ invocation: Invocation) throws -> CommandResult {
        let (data, shown) = try invocation.file("path")
        let pauses = try invocation.flag("pause") ?? false
        try invocation.session.run(script: data, file: shown, pauses ? .stepped : .shown)
        return CommandResult()
    }
}
