extension CommandTable {
    static let quitCommand = Command(
        "quit", .session, "leaves sami; the workspace is kept", effect: .manages,
        example: "quit",
        run: { invocation in
            invocation.session.finish()
            return CommandResult()
        })

    /// What hands type that come from other shells.
    static let exitCommand = Command(
        "exit", .session, "the same as quit", effect: .manages, example: "exit",
        run: quitCommand.forms[0].run)
}
