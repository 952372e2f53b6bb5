import CommandLanguage
import Rendering

extension CommandTable {
    static let openCommand = Command(
        "open", .memory, "leaves this workspace for another", effect: .manages,
        operands: [.required("path", .path, "the folder of a workspace")],
        options: [OptionSpecification("read_only", .flag, "only look; default: false")],
        example: "open other.samiws", run: open)

    private static func open(_ invocation: Invocation) throws -> CommandResult {
        guard let path = try invocation.writablePath("path") else { return CommandResult() }
        let readOnly = try invocation.flag("read_only") ?? false
        let notices: [String]
        do {
            notices = try invocation.session.open(
                path, access: readOnly ? .readOnly : .readWrite)
        } catch {
            throw invocation.located(error, at: "path")
        }
        var result = CommandResult(text: StyledText("opened \(invocation.session.workspace.path)"))
        result.notes = notices
        return result
    }
}
