import Foundation
import HDF5Objects
import JSON
import TextModels
import Values

/// Prompts in files: a `prompts.json`, or a folder of templates.
enum PromptFiles {
    /// A `prompts.json` is four levels deep; more is no such file.
    private static let limits = JSON.Limits(depth: 16)

    /// Templates from a `prompts.json`, or from a folder with `rollout.txt`, `training.txt` and
    /// `writer.txt`. Each file of a folder replaces the general template.
    ///
    /// Throws `EvaluationError.badFile` with the place of the fault.
    static func read(_ path: String, shown: String) throws -> Prompts {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            return try read(folder: path, shown: shown)
        }
        let data = try FileReading.data(path, shown: shown)
        do {
            return try prompts(try JSON.read(data, limits: limits))
        } catch let problem as JSON.Problem {
            throw EvaluationError.badFile(path: shown, problem: "it is not JSON: \(problem)")
        } catch {
            throw EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error))
        }
    }

    /// The text of a `prompts.json`, from which `read` makes equal prompts.
    static func json(_ prompts: Prompts) throws -> String {
        var writer = JSON.Writer(style: .indented)
        // Prompts hold no arrays.
        try StoredValue(encoding: prompts).write(to: &writer) { _, _ in "" }
        return writer.text + "\n"
    }

    private static func prompts(_ json: JSON) throws -> Prompts {
        let value = StoredValue(json)
        let prompts = try value.decoded(as: Prompts.self)
        // A mistyped key would otherwise change nothing and say nothing.
        try refuseOthers(than: StoredValue(encoding: prompts), in: value, at: "")
        return prompts
    }

    private static func refuseOthers(
        than known: StoredValue, in value: StoredValue, at path: String
    ) throws {
        if let items = value.listValue, let known = known.listValue, items.count == known.count {
            for (index, (known, item)) in zip(known, items).enumerated() {
                // `training.` and the place become `training.messages[0].`
                try refuseOthers(than: known, in: item, at: String(path.dropLast()) + "[\(index)].")
            }
        }
        guard let known = known.recordValue else { return }
        for field in value.recordValue?.fields ?? [] {
            guard let expected = known[field.key] else {
                throw EvaluationError.other(
                    "\"\(path)\(field.key)\" is unknown; the keys there are "
                        + known.fields.map(\.key).joined(separator: ", "))
            }
            try refuseOthers(than: expected, in: field.value, at: path + field.key + ".")
        }
    }

    private static func read(folder: String, shown: String) throws -> Prompts {
        var prompts = Prompts.general
        var found = 0
        let files: [(String, WritableKeyPath<Prompts, PromptTemplate>)] = [
            ("rollout.txt", \.rollout), ("training.txt", \.training), ("writer.txt", \.writer),
        ]
        for (name, place) in files {
            let path = folder + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let shown = shown + "/" + name
            let text = try text(path, shown: shown)
            do {
                prompts[keyPath: place] = try PromptTemplate(
                    file: text, for: prompts[keyPath: place].purpose)
            } catch {
                throw EvaluationError.badFile(path: shown, problem: ErrorSentence.of(error))
            }
            found += 1
        }
        guard found > 0 else {
            throw EvaluationError.badFile(
                path: shown, problem: "it holds no rollout.txt, training.txt or writer.txt")
        }
        return prompts
    }

    /// A file of text without what an editor adds: a byte order mark, and carriage returns at the
    /// ends of lines.
    static func text(_ path: String, shown: String) throws -> String {
        let data = try FileReading.data(path, shown: shown)
        guard let text = String(validating: data, as: UTF8.self) else {
            throw EvaluationError.badFile(path: shown, problem: "it is not text in UTF-8")
        }
        let content =
            text.unicodeScalars.first == "\u{FEFF}"
            ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
        return String(content).replacing("\r\n", with: "\n")
    }
}
