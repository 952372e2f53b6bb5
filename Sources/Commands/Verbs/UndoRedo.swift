import Rendering
import Values

extension CommandTable {
    static let undoCommand = Command(
        "undo", .memory, "undoes the last statement that changed something",
        effect: .manages,
        operands: [.optional("count", .number, "number of statements; default: 1")],
        example: "undo", run: { try travel($0, isBack: true) })

    static let redoCommand = Command(
        "redo", .memory, "repeats what undo has undone", effect: .manages,
        operands: [.optional("count", .number, "number of statements; default: 1")],
        example: "redo", run: { try travel($0, isBack: false) })

    private static func travel(_ invocation: Invocation, isBack: Bool) throws -> CommandResult {
        let session = invocation.session
        try session.requireWritable(at: invocation.call.verb.span)
        let count = try invocation.integer("count", atLeast: 1, atMost: 10_000) ?? 1
        var text = StyledText()
        var rows: [Value] = []
        for _ in 0..<count {
            let depth = isBack ? session.workspace.undoDepth : session.workspace.redoDepth
            // If there is nothing to undo, the error of the workspace gives the reason.
            if depth == 0, !text.isEmpty {
                text.line("there is nothing to \(isBack ? "undo" : "redo")", .warning)
                break
            }
            let report = isBack ? try session.workspace.undo() : try session.workspace.redo()
            text.line("\(isBack ? "undid" : "did again") #\(report.sequence) ", .faint)
            text.append(TextWidth.cut(TextWidth.oneLine(report.source), to: 60))
            let changes = report.changes.filter { !$0.name.hasPrefix(".") }.map { change -> Value in
                .record([
                    "name": .text(change.name), "kind": Value(change.after?.kind),
                    "statement": change.after.map { Value($0.sequence) } ?? .null,
                ])
            }
            rows.append(
                .record([
                    "statement": Value(report.sequence), "source": .text(report.source),
                    "changes": .list(changes),
                ]))
            for change in report.changes where !change.name.hasPrefix(".") {
                let after = change.after.map { "\($0.kind) of #\($0.sequence)" } ?? "gone"
                text.line("  \(change.name): \(after)", .faint)
            }
        }
        session.forgetLastResult()
        return CommandResult(Display(text, data: .list(rows)))
    }
}
