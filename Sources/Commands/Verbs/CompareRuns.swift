import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let compareRunsForm = Command.Form(
        "runs", "sets the workspaces of several runs side by side", makes: ["_"], effect: .looks,
        operands: [
            .required("paths", .path, "workspaces of sami", repeats: true)
        ],
        example: "compare runs one.samiws two.samiws", run: compareRuns)

    /// A table with one row a run, and the losses of the logs with one name as lines of one chart.
    private static func compareRuns(_ invocation: Invocation) throws -> CommandResult {
        let runs = try invocation.runs("paths")
        let comparison = RunComparison(runs: runs)
        let rows = Value.list(comparison.rows.map(Value.record))
        let appearance = invocation.appearance
        return CommandResult(
            value: rows,
            Display(
                text: {
                    var text = comparison.table.rendered(appearance)
                    for picture in comparison.pictures { text.line(picture.rendered(appearance)) }
                    return text
                },
                html: {
                    (ReportParts.display(comparison.table).html?() ?? "")
                        + comparison.pictures.map(\.html).joined()
                },
                json: { rows.printedJSON }))
    }
}

extension Invocation {
    /// The runs in the workspaces that an operand or a key names.
    ///
    /// - Throws: at the path that is no workspace, or that cannot be read.
    func runs(_ role: String) throws -> [KeptRun] {
        var runs: [KeptRun] = []
        for argument in call.operands(role) + [call.option(role)].compactMap(\.self) {
            for text in try paths(of: argument, role) {
                do {
                    runs.append(try KeptRun(Paths.absolute(text, in: session.directory)))
                } catch {
                    throw LocatedError(error: error, span: argument.span)
                }
            }
        }
        return runs
    }

    private func paths(of argument: Argument, _ role: String) throws -> [String] {
        switch try value(argument) {
        case .text(let text): return [text]
        case .list(let items):
            let texts = items.compactMap(\.asText)
            if texts.count == items.count { return texts }
        default: break
        }
        throw LocatedError(
            error: EvaluationError.other(
                "`\(role)` is a list of workspaces, each named by its path"),
            span: argument.span)
    }
}
