extension CommandTable {
    static let sourceCommand = Command(
        "source", .session, "runs the statements of a file here", effect: .manages,
        operands: [.required("path", .path, "a script")],
        example: "source script.sami", run: source)

    private static func source(_ invocation: Invocation) throws -> CommandResult {
        let (data, shown) = try invocation.file("path")
        try invocation.session.run(script: data, file: shown)
        return CommandResult()
    }
}
