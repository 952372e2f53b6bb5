import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let rmCommand = Command(
        "rm", .memory, "removes names; undo restores them",
        operands: [.required("name", .name, "a name", repeats: true)],
        example: "rm logprobs", run: remove)

    private static func remove(_ invocation: Invocation) throws -> CommandResult {
        var result = CommandResult()
        for argument in invocation.call.operands("name") {
            guard case .text(let name) = try invocation.value(argument) else { continue }
            guard invocation.session.isBound(name) else {
                throw LocatedError(
                    error: EvaluationError.nothingBound(
                        name, nearest: nearest(name, in: invocation.session.names)),
                    span: argument.span)
            }
            if !result.unbind.contains(name) { result.unbind.append(name) }
        }
        let names = result.unbind.joined(separator: ", ")
        result.displays = [
            Display(StyledText("removed \(names); undo restores them", .faint))
        ]
        return result
    }
}
