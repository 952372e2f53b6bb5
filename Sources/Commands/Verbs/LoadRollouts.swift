import Alignment
import CommandLanguage
import JSON
import Values

extension CommandTable {
    static let loadRolloutsForm = Command.Form(
        "rollouts", "reads prompts and responses", makes: ["rollouts"],
        operands: [.required("path", .path, "a JSON Lines file")],
        options: [
            OptionSpecification(
                "join", .text, "the separator between prompt and response; empty")
        ],
        example: "load rollouts rollouts.jsonl", run: loadRollouts)

    private static func loadRollouts(_ invocation: Invocation) throws -> CommandResult {
        let file = try invocation.jsonLines("path")
        do {
            let lines = try file.lines.map { line in
                RolloutLine(
                    line: line.number, query: try queryName(line, file),
                    constitution: try wholeNumber("constitution", line, file),
                    prompt: try textOrTokens("prompt", line, file),
                    response: try textOrTokens("response", line, file))
            }
            let object = RolloutsObject(
                rollouts: try Rollouts(lines: lines, separator: invocation.text("join") ?? ""))
            return CommandResult("rollouts", object, notes: try notes(on: object, invocation))
        } catch let error as EvaluationError {
            throw invocation.located(error, at: "path")
        } catch let error as LocatedError {
            throw error
        } catch {
            let sentence = ErrorSentence.of(error)
            throw invocation.located(
                EvaluationError.badFile(path: file.shown, problem: sentence), at: "path")
        }
    }

    private static func queryName(
        _ line: JSONLines.Line, _ file: JSONLines
    ) throws(EvaluationError) -> QueryID {
        guard let id = try file.id("query", line) else {
            throw file.bad(line, "`query` is missing")
        }
        return id
    }

    private static func wholeNumber(
        _ key: String, _ line: JSONLines.Line, _ file: JSONLines
    ) throws(EvaluationError) -> Int {
        guard let value = line.record[key] else { throw file.bad(line, "`\(key)` is missing") }
        guard case .number = value, let number = value.asInteger else {
            throw file.bad(line, "`\(key)` must be a whole number, not \(value.aKind)")
        }
        return number
    }

    private static func textOrTokens(
        _ key: String, _ line: JSONLines.Line, _ file: JSONLines
    ) throws(EvaluationError) -> TextOrTokens {
        switch line.record[key] ?? .null {
        case .text(let text): return .text(text)
        case .list(let items):
            var tokens: [Int32] = []
            for item in items {
                guard let token = item.asInteger.flatMap(Int32.init(exactly:)) else {
                    throw file.bad(line, "each item of `\(key)` must be a token id")
                }
                tokens.append(token)
            }
            return .tokens(tokens)
        case .null: throw file.bad(line, "`\(key)` is missing")
        case let value:
            throw file.bad(line, "`\(key)` must be text or a list of token ids, not \(value.aKind)")
        }
    }
}
