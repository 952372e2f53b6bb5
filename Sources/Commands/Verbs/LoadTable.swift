import CommandLanguage
import Foundation
import Values

extension CommandTable {
    static let loadTableForm = Command.Form(
        "table", "reads records: .csv, .json, .jsonl, or .h5 of `export`", makes: ["table"],
        operands: [.required("path", .path, "a file; a .json file may hold any value")],
        example: "load table verdicts.csv", run: loadTable)

    private static func loadTable(_ invocation: Invocation) throws -> CommandResult {
        guard let shown = try invocation.text("path"), let path = try invocation.path("path") else {
            return CommandResult()
        }
        do {
            let file = try TableFile(path, shown: shown)
            invocation.noteFile(path)
            var result = CommandResult()
            result.bindings = [("table", file.value)]
            if !file.longNumbers.isEmpty {
                result.notes = [
                    "whole numbers beyond 2^53 are kept as text, in "
                        + Sentence.list(file.longNumbers)
                ]
            }
            return result
        } catch {
            throw invocation.located(FileReading.naming(shown, error), at: "path")
        }
    }

    static let loadTextForm = Command.Form(
        "text", "reads a file as one text", makes: ["text"],
        operands: [.required("path", .path, "a file of UTF-8 text")],
        example: "load text notes.txt", run: loadText)

    private static func loadText(_ invocation: Invocation) throws -> CommandResult {
        let (data, shown) = try invocation.file("path")
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = data.starts(with: mark) ? data.dropFirst(mark.count) : data
        guard let text = String(validating: content, as: UTF8.self) else {
            throw invocation.located(
                EvaluationError.badFile(path: shown, problem: "it is not text in UTF-8"),
                at: "path")
        }
        var result = CommandResult()
        result.bindings = [("text", .text(text))]
        return result
    }
}
