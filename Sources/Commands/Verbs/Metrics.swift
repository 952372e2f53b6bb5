import CommandLanguage
import Rendering

extension CommandTable {
    static let metricsCommand = Command(
        "metrics", .session, "writes a line of JSON for each step of training, while it runs",
        about: """
            The lines of `train`, `finetune`, `iterate` and `pretrain` have the columns of `log`, \
            the time, the verb and the statement's number. They are appended, so that several \
            sessions may follow each other in one file. Without a file: where the lines go.
            """,
        effect: .manages,
        operands: [
            .optional(
                "path", .either([Choice("off", "write no more")], .path), "a JSON Lines file")
        ],
        example: "metrics off", run: metrics)

    private static func metrics(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        if try invocation.word(invocation.argument("path")) == "off" {
            session.metrics = nil
        } else if let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        {
            do {
                session.metrics = try MetricsFile(path, shown: shown)
            } catch {
                throw invocation.located(error, at: "path")
            }
        }
        return CommandResult(
            text: StyledText(
                session.metrics.map { "each step of training adds a line to \($0.shown)" }
                    ?? "steps of training are written to no file"))
    }
}
