import CommandLanguage
import Rendering
import Tokenizers
import Values
import Workspaces

/// The result of one statement.
public struct Outcome: Sendable {
    /// The statement as the user wrote it.
    public var statement: String
    /// Its first line in the block, from 1.
    public var line: Int
    public var result: Result<Output, Failure>
    public var seconds: Double
    /// Whether the user stopped it; it may have succeeded in part.
    public var isInterrupted = false

    /// The object that `--json` prints: one line, no line end.
    public var json: String {
        var record = Record()
        record["statement"] = .text(statement)
        switch result {
        case .success(let output):
            record["name"] = Value(output.name)
            record["value"] = (output.data ?? output.value)?.printed ?? .null
            if !output.notes.isEmpty { record["notes"] = Value(output.notes) }
            record["seconds"] = .number(seconds)
        case .failure(let failure):
            record["error"] = .record(failure.record)
        }
        return Value.record(record).json
    }
}

/// The output of a successful statement, for a host to show.
public struct Output: Sendable {
    /// The name that it bound; nil if it bound none.
    public var name: String?
    /// Whether a `;` ended the line, which hides the output.
    public var isHidden: Bool
    /// The text to print; empty for nothing.
    public var text: StyledText
    /// Sentences about side effects: skipped input, early stops, values that were not kept. They
    /// are part of `text` too.
    public var notes: [String]
    public var value: Value?
    /// The output of a command that only looks, for programs; `value` if nil.
    public var data: Value?
    /// Forms other than text, by MIME type, such as `image/svg+xml`.
    public var media: [String: String]

    /// All forms by MIME type, for notebooks.
    public var bundle: [String: String] {
        var bundle = media
        bundle["text/plain"] = text.plain
        if let value { bundle["application/json"] = value.printed.json }
        return bundle
    }
}

/// The reason for a statement's failure, and its place. The statement has changed nothing.
public struct Failure: Error, Sendable {
    public enum Kind: String, Sendable {
        case syntax, name, value, file, workspace, interrupted, numbers
    }

    public var kind: Kind
    public var diagnostic: Diagnostic
    /// The text that the diagnostic refers to.
    public var source: String
    /// The file of the statement; nil at a prompt.
    public var file: String?
    public var width: Int

    public var message: String { diagnostic.message }
    /// From 1.
    public var line: Int { SourcePosition(of: diagnostic.span.lower, in: source).line }
    public var column: Int { SourcePosition(of: diagnostic.span.lower, in: source).column }

    /// For people: the sentence, the line with a caret under the place, and a suggestion.
    public func rendered(_ color: Color = .none) -> String {
        diagnostic.rendered(in: source, file: file, width: width, color: color != .none)
    }

    var record: Record {
        var record = Record()
        record["kind"] = .text(kind.rawValue)
        record["message"] = .text(message)
        record["file"] = file.map(Value.text)
        record["line"] = Value(line)
        record["column"] = Value(column)
        record["suggestion"] = diagnostic.suggestion.map(Value.text)
        record["corrected"] = diagnostic.corrected.map(Value.text)
        return record
    }
}

extension Value {
    /// The whole value if it is small enough to print, otherwise its summary. Scripts export large
    /// values.
    var printed: Value {
        if JSONSize.fits(self, limit: 1 << 20) { return self }
        var record = Record()
        record["kind"] = .text(kind)
        if case .tensor(let tensor) = self { record["shape"] = Value(tensor.shape) }
        if let count = itemCount { record["count"] = Value(count) }
        record["summary"] = .text(summary)
        return .record(record)
    }
}

/// Whether a value's JSON is smaller than a limit, determined without writing it.
private enum JSONSize {
    static func fits(_ value: Value, limit: Int) -> Bool {
        var left = limit
        count(value, &left)
        return left >= 0
    }

    private static func count(_ value: Value, _ left: inout Int) {
        guard left >= 0 else { return }
        switch value {
        case .null, .bool, .number: left -= 8
        case .text(let text): left -= text.utf8.count + 2
        case .list(let items): for item in items { count(item, &left) }
        case .record(let record):
            for (key, value) in record {
                left -= key.utf8.count + 4
                count(value, &left)
            }
        case .tensor(let tensor): left -= tensor.count * 10
        case .object(let object): count(object.jsonValue, &left)
        }
    }
}
