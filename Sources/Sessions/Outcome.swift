import CommandLanguage
import Rendering
import Tokenizers
import Values
import Workspaces

/// What became of one statement.
public struct Outcome: Sendable {
    /// The statement as it was written.
    public var statement: String
    /// Its first line in the block, from 1.
    public var line: Int
    public var result: Result<Output, Failure>
    public var seconds: Double
    /// Whether the person stopped it; it may have gone well as far as it came.
    public var isInterrupted = false

    /// The object that `--json` prints: one line, no line end.
    public var json: String {
        var record = Record()
        record["statement"] = .text(statement)
        switch result {
        case .success(let output):
            record["name"] = Value(output.name)
            record["value"] = output.value?.printed ?? .null
            if !output.notes.isEmpty { record["notes"] = Value(output.notes) }
            record["seconds"] = .number(seconds)
        case .failure(let failure):
            record["error"] = .record(failure.record)
        }
        return JSONWriter.text(.record(record))
    }
}

/// What a statement that went well gives a host to show.
public struct Output: Sendable {
    /// The name it bound, nil where it bound none.
    public var name: String?
    /// A `;` ended the line: a person does not want to see it.
    public var isHidden: Bool
    /// What to print; empty for nothing.
    public var text: StyledText
    /// Sentences on what happened besides: what was left out, stopped early or not kept. They are
    /// part of `text` too.
    public var notes: [String]
    public var value: Value?
    /// Forms other than text by MIME type, such as `image/svg+xml`.
    public var media: [String: String]

    /// All forms by MIME type, for notebooks.
    public var bundle: [String: String] {
        var bundle = media
        bundle["text/plain"] = text.plain
        if let value { bundle["application/json"] = JSONWriter.text(value.printed) }
        return bundle
    }
}

/// Why a statement failed, and where. Nothing has changed by it.
public struct Failure: Error, Sendable {
    public enum Kind: String, Sendable {
        case syntax, name, value, file, workspace, interrupted, numbers
    }

    public var kind: Kind
    public var diagnostic: Diagnostic
    /// The text that the diagnostic points into.
    public var source: String
    /// The file it was read from, nil at a prompt.
    public var file: String?
    public var width: Int

    public var message: String { diagnostic.message }
    /// From 1.
    public var line: Int { SourcePosition(of: diagnostic.span.lower, in: source).line }
    public var column: Int { SourcePosition(of: diagnostic.span.lower, in: source).column }

    /// For people: the sentence, the line with a caret under the place, and advice.
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
    /// The value in full where it is of a size to print, else what it is. Scripts that want all of
    /// a large value export it.
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

/// Whether a value's JSON would stay under a size, found without writing it.
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
