import Alignment
import CommandLanguage
import JSON
import Values

extension CommandTable {
    static let loadResponsesForm = Command.Form(
        "responses", "reads responses from files, one file for each constitution",
        makes: ["rollouts"],
        operands: [
            .required("paths", .value, "a list of JSON Lines files, one for each constitution")
        ],
        options: [
            OptionSpecification("queries", .object("queries"), "in place of `queries`"),
            OptionSpecification(
                "constitutions", .object("constitutions"), "in place of `constitutions`"),
            OptionSpecification(
                "model", .object("model"), "the model whose prompts are used; default: `model`"),
            MethodKey.seed,
        ],
        example: "load responses [\"after.jsonl\", \"before.jsonl\"]", run: loadResponses)

    /// `{"id": …, "response": …}` on each line: file i has the responses of constitution i to each
    /// query.
    private static func loadResponses(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let queries = try invocation.object(QueriesObject.self, "queries").queries
        let groups = try constitutionGroups(
            for: queries, try invocation.randomKey().child("compose"), invocation)
        var written: [[WrittenResponse]] = []
        for path in try invocation.texts("paths") {
            let file = try invocation.records(at: path, role: "paths")
            var list: [WrittenResponse] = []
            do throws(EvaluationError) {
                for line in file.lines { list.append(try response(line, file)) }
            } catch {
                throw invocation.located(error, at: "paths")
            }
            written.append(list)
        }
        let rollouts: Rollouts
        do {
            rollouts = try Rollouts(
                written: written, queries: queries, constitutions: groups, prompts: model.prompts,
                chat: try model.promptFormat())
        } catch {
            throw invocation.located(error, at: "paths")
        }
        let object = RolloutsObject(rollouts: rollouts)
        return CommandResult("rollouts", object, notes: try notes(on: object, invocation))
    }

    private static func response(
        _ line: RecordLines.Line, _ file: RecordLines
    ) throws(EvaluationError) -> WrittenResponse {
        guard let id = try file.id("id", line) else { throw file.bad(line, "`id` is missing") }
        guard let text = try file.text("response", line) else {
            throw file.bad(line, "`response` is missing")
        }
        return WrittenResponse(query: id, text: text)
    }
}
