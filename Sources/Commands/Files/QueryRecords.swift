import Alignment
import CommandLanguage
import Foundation
import JSON
import TextModels
import Values

/// The text of a query in one record of a file, in the forms that people have. docs/QUERY_FILES.md
/// lists them.
struct QueryText {
    var form: QueryForm
    var text: String
    /// The field and the part of it that was read, for a person: "`chosen`, the first human turn".
    var source: String

    static let accepted =
        "`post`, `question` or `text`; TL;DR's `info.post` or `prompt`; TRL's `prompt` or "
        + "`messages`; HH-RLHF's `chosen`; or another with field=NAME"

    /// The text under the first of the known names that the record has. Null is no text.
    ///
    /// - Throws: a sentence about the line if it has none, or one that cannot be read.
    init(
        _ id: QueryID, _ line: RecordLines.Line, _ records: RecordLines
    ) throws(EvaluationError) {
        let own = QueryForm.allCases.filter { records.has($0.rawValue, line) }
        if own.count > 1 {
            throw records.bad(
                line,
                ErrorSentence.of(
                    AlignmentError.queryFields(query: id.text, given: own.map(\.rawValue))))
        }
        if let name = own.first?.rawValue {
            try self.init(field: name, line, records)
            return
        }
        for name in ["info.post", "prompt", "messages", "chosen"]
        where records.value(at: name, line) != nil {
            try self.init(field: name, line, records)
            return
        }
        throw Self.nothingFound(line, records)
    }

    /// The text of one field, which a dot may look up in an inner record.
    init(field: String, _ line: RecordLines.Line, _ records: RecordLines) throws(EvaluationError) {
        guard let value = records.value(at: field, line) else {
            throw records.bad(
                line, "it has no field `\(field)`; its fields are \(Self.names(line))")
        }
        switch value {
        case .string(let text): self = try Self(text, field, line, records)
        case .array(let messages) where !messages.isEmpty && QueryForm(rawValue: field) == nil:
            guard let text = try Self.firstUser(messages, field, line, records) else {
                throw records.bad(
                    line, "`\(field)` has no message of a user (\"role\": \"user\")")
            }
            self.init(form: .text, text: text, source: "`\(field)`, the user's first message")
        default:
            let kinds = QueryForm(rawValue: field) == nil ? "a text or a list of messages" : "text"
            throw records.bad(
                line, "`\(field)` must be \(kinds), not \(Value(value).aKind)")
        }
    }

    private init(form: QueryForm, text: String, source: String) {
        (self.form, self.text, self.source) = (form, text, source)
    }

    private init(
        _ text: String, _ field: String, _ line: RecordLines.Line, _ records: RecordLines
    ) throws(EvaluationError) {
        let name = field.split(separator: ".").last.map(String.init) ?? field
        if let form = QueryForm(rawValue: name) {
            self.init(form: form, text: text, source: "`\(field)`")
        } else if let post = Self.post(ofSummaryPrompt: text) {
            self.init(form: .post, text: post, source: "`\(field)`, the text after POST:")
        } else if let turn = Self.firstHumanTurn(text) {
            self.init(form: .text, text: turn, source: "`\(field)`, the first human turn")
        } else if name == "chosen" {
            throw records.bad(
                line, "`\(field)` has no human turn (\"\\n\\nHuman: … \\n\\nAssistant: …\")")
        } else {
            self.init(form: .text, text: text, source: "`\(field)`")
        }
    }

    // MARK: Forms

    /// The post of "SUBREDDIT: r/x\n\nTITLE: …\n\nPOST: …\n\nTL;DR:"; nil for another text.
    static func post(ofSummaryPrompt text: String) -> String? {
        guard text.hasPrefix("SUBREDDIT:"), let start = text.range(of: "\nPOST:") else {
            return nil
        }
        let rest = text[start.upperBound...]
        let end = rest.range(of: "\nTL;DR:", options: .backwards)?.lowerBound ?? rest.endIndex
        return rest[..<end].trimmed
    }

    /// The text between the first "\n\nHuman:" and the "\n\nAssistant:" after it; nil for a text
    /// that does not begin so.
    static func firstHumanTurn(_ text: String) -> String? {
        let human = "Human:"
        guard text.trimmed.hasPrefix(human), let start = text.range(of: human) else { return nil }
        let rest = text[start.upperBound...]
        let ends = ["\n\nAssistant:", "\n\nHuman:"].compactMap { rest.range(of: $0)?.lowerBound }
        return rest[..<(ends.min() ?? rest.endIndex)].trimmed
    }

    /// The content of the first message of a user: a text, or a list of parts of which those of
    /// type `text` count.
    private static func firstUser(
        _ messages: [JSON], _ field: String, _ line: RecordLines.Line, _ records: RecordLines
    ) throws(EvaluationError) -> String? {
        for message in messages {
            guard case .object = message, let role = message["role"]?.string else {
                throw records.bad(
                    line,
                    "each item of `\(field)` must be a message, {\"role\": \"user\", \"content\": "
                        + "\"…\"}, not \(Value(message).aKind)")
            }
            guard role == "user" else { continue }
            if let text = message["content"]?.string { return text }
            let parts = message["content"]?.elements ?? []
            let texts = parts.compactMap { $0["type"]?.string == "text" ? $0["text"]?.string : nil }
            guard !parts.isEmpty, texts.count == parts.count else {
                throw records.bad(
                    line, "the content of the user's message in `\(field)` is not text alone")
            }
            return texts.joined()
        }
        return nil
    }

    // MARK: Messages

    private static func names(_ line: RecordLines.Line) -> String {
        let names = (line.json.members ?? []).map(\.key)
        let shown = names.prefix(8).map { "`\($0.prefix(40))`" }.joined(separator: ", ")
        return names.isEmpty ? "none" : shown + (names.count > 8 ? ", …" : "")
    }

    private static func nothingFound(
        _ line: RecordLines.Line, _ records: RecordLines
    ) -> EvaluationError {
        let keys = line.record.keys.filter { $0 != "id" }
        let near = keys.lazy.compactMap { key in
            nearest(key, in: QueryForm.allCases.map(\.rawValue)).map { (key, $0) }
        }.first
        if let near {
            return records.bad(
                line,
                "`post`, `question` or `text` is missing; `\(near.0)` may be meant for `\(near.1)`")
        }
        return records.bad(
            line, "no text of a query among its fields, \(names(line)); accepted are \(accepted)")
    }
}

extension RecordLines {
    /// Whether the record has a field that is not null.
    fileprivate func has(_ key: String, _ line: Line) -> Bool {
        line.json[key].map { !$0.isNull } ?? false
    }

    /// The value of a field that is not null; a dot looks it up in an inner record, unless the
    /// record has the whole name.
    fileprivate func value(at path: String, _ line: Line) -> JSON? {
        if has(path, line) { return line.json[path] }
        var value: JSON? = line.json
        for name in path.split(separator: ".") {
            guard case .object = value else { return nil }
            value = value?[String(name)]
        }
        return value?.isNull == false ? value : nil
    }
}
