extension CommandTable {
    static let quitCommand = Command(
        "quit", .session, "leaves sami; the workspace is kept", effect: .manages,
        example: "quit",
        run: { invocation in
            invocation.session.finish()
            return CommandResult()
        })
}
