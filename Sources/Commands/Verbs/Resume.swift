import CommandLanguage
import Rendering

extension CommandTable {
    static let resumeCommand = Command(
        "resume", .memory, "continues a statement that was stopped or killed",
        about: """
            From its last checkpoint, with the seed and number it had, so that it ends in what an \
            uninterrupted run would have given.
            """,
        effect: .manages,
        options: [OptionSpecification("drop", .flag, "give it up; the names that it bound stay")],
        example: "resume", run: resume)

    private static func resume(_ invocation: Invocation) throws -> CommandResult {
        let session = invocation.session
        try session.requireWritable(at: invocation.call.verb.span)
        guard let unfinished = session.workspace.unfinished else {
            throw invocation.error("there is no unfinished statement")
        }
        if try invocation.flag("drop") ?? false {
            try session.workspace.dropUnfinished()
            return CommandResult(
                text: StyledText("forgot #\(unfinished.sequence) \(unfinished.source)", .faint))
        }
        return try session.resume(unfinished, invocation)
    }
}
