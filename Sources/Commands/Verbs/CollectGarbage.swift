import Rendering

extension CommandTable {
    static let gcCommand = Command(
        "gc", .memory, "deletes values that no name and no undo needs", effect: .manages,
        operands: [
            .optional("keep", .number, "number of statements that can be undone; default: 20")
        ],
        example: "gc", run: collect)

    private static func collect(_ invocation: Invocation) throws -> CommandResult {
        try invocation.session.requireWritable(at: invocation.call.verb.span)
        let keep =
            try invocation.integer("keep", atLeast: 0) ?? invocation.session.settings.undoDepth
            ?? Settings.usualUndoDepth
        let report = try invocation.session.workspace.gc(keepingUndo: keep)
        return CommandResult(
            text: StyledText(
                "deleted \(NumberText.count(report.removed, "object")), "
                    + "\(NumberText.bytes(report.bytes)); \(NumberText.count(report.kept, "object")) left"
            ))
    }
}
