import CommandLanguage
import Foundation
import JSON
import Rendering
import Values

/// Answers of servers in a file, so that others run a script without a server.
extension CommandTable {
    static let exportAnswersForm = Command.Form(
        "answers", "writes the answers of servers that the workspace keeps", effect: .looks,
        operands: [.required("path", .path, "a .jsonl file")],
        example: "export answers lesson.jsonl", run: exportAnswers)

    private static func exportAnswers(_ invocation: Invocation) throws -> CommandResult {
        guard let shown = try invocation.text("path"),
            let path = try invocation.writablePath("path")
        else { return CommandResult() }
        let answers = try invocation.session.workspace.answers.all()
        guard !answers.isEmpty else {
            throw invocation.error("this workspace keeps no answer of a server")
        }
        let lines = answers.map { "{\"request\":\($0.request),\"answer\":\($0.answer)}\n" }
        do {
            try FileWriting.write(Data(lines.joined().utf8), to: path, shown: shown)
        } catch {
            throw invocation.located(error, at: "path")
        }
        return CommandResult(
            text: StyledText("wrote \(shown), \(NumberText.count(answers.count, "answer"))"))
    }

    /// Keeps the answers of a file in the workspace. Returns their number; nil without a file:
    /// a script's parameter is then null.
    static func keepAnswers(_ role: String, _ invocation: Invocation) throws -> Int? {
        if case .null = try invocation.value(role) { return nil }
        guard let path = try invocation.path(role), let shown = try invocation.text(role) else {
            return nil
        }
        do {
            let answers = try answers(in: try FileReading.data(path, shown: shown), shown)
            invocation.noteFile(path)
            let folder = invocation.session.workspace.answers
            for answer in answers { try folder.keep(answer.answer, to: answer.request) }
            return answers.count
        } catch {
            throw invocation.located(error, at: role)
        }
    }

    /// All of the file, or nothing.
    private static func answers(
        in data: Data, _ shown: String
    ) throws(EvaluationError) -> [(request: String, answer: String)] {
        var answers: [(request: String, answer: String)] = []
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (place, line) in lines.enumerated() where !line.isEmpty {
            func fault(_ problem: String) -> EvaluationError {
                .badFile(path: shown, problem: "line \(place + 1): \(problem)")
            }
            let record: JSON
            do throws(JSON.Problem) {
                record = try JSON.read(line, limits: .init(depth: 64))
            } catch {
                throw fault("it is not JSON: \(error.fault)")
            }
            guard let request = record["request"], request["url"]?.string != nil,
                request["body"]?.members != nil
            else { throw fault("`request` with `url` and `body` is missing") }
            guard let answer = record["answer"], answer["text"]?.string != nil else {
                throw fault("`answer` with `text` is missing")
            }
            answers.append((request.compact, answer.compact))
        }
        guard !answers.isEmpty else {
            throw .badFile(path: shown, problem: "it holds no answer")
        }
        return answers
    }
}
