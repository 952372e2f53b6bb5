import CommandLanguage
import JSON
import Rendering
import Tokenizers
import Values
import Workspaces

/// The result of one statement.
public struct Outcome: Sendable {
    /// The statement as the user wrote it.
    public var statement: String
    public var result: Result<Output, Failure>
    public var seconds: Double
    /// Whether the user stopped it; it may have succeeded in part.
    public var isInterrupted = false

    /// The object that `--json` prints: one line, no line end.
    public var json: String {
        var writer = JSON.Writer()
        writer.openObject()
        writer.key("statement")
        writer.string(statement)
        switch result {
        case .success(let output):
            writer.key("name")
            if let name = output.name { writer.string(name) } else { writer.null() }
            writer.key("value")
            if let json = output.json { writer.json(json()) } else { writer.null() }
            if !output.notes.isEmpty {
                writer.key("notes")
                writer.openArray()
                for note in output.notes { writer.string(note) }
                writer.closeArray()
            }
            writer.key("seconds")
            writer.number(seconds)
        case .failure(let failure):
            writer.key("error")
            writer.json(Value.record(failure.record).json)
        }
        writer.closeObject()
        return writer.text
    }
}

/// The output of a successful statement.
public struct Output: Sendable {
    /// The name that it bound; nil if it bound none.
    public var name: String?
    /// Whether a `;` ended the line, which hides the output.
    public var isHidden = false
    public var value: Value?
    /// What the statement shows, from top to bottom; empty for nothing. The notes are part of the
    /// last one.
    public var displays: [Display]
    /// The result for programs, as JSON: the value, or what a command that only looks has found.
    public var json: (@Sendable () -> String)?
    /// Sentences about side effects: skipped input, early stops, values that were not kept.
    public var notes: [String]

    /// The text of all displays.
    public var text: StyledText {
        displays.reduce(into: StyledText()) { $0.line($1.text()) }
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
    /// The place of that text.
    public var origin: SourceOrigin
    public var width: Int

    public init(
        kind: Kind, diagnostic: Diagnostic, source: String, origin: SourceOrigin, width: Int = 80
    ) {
        (self.kind, self.diagnostic, self.source) = (kind, diagnostic, source)
        (self.origin, self.width) = (origin, width)
    }

    public var message: String { diagnostic.message }
    /// The file of the statement; nil at a prompt.
    public var file: String? { origin.file }
    /// The line in the file, or in the block at a prompt.
    public var position: SourcePosition {
        SourcePosition(of: diagnostic.span.lower, in: source, firstLine: origin.firstLine)
    }

    /// For people: the sentence, the line with a caret under the place, and a suggestion.
    ///
    /// - Parameter wraps: whether long sentences are broken at the width of the session's window.
    public func rendered(_ color: Color = .none, wraps: Bool = false) -> String {
        diagnostic.rendered(
            in: source, origin: origin, width: width, color: color != .none, wraps: wraps)
    }

    var record: Record {
        var record = Record()
        record["kind"] = .text(kind.rawValue)
        record["message"] = .text(message)
        record["file"] = file.map(Value.text)
        if let cell = origin.cell { record["cell"] = Value(cell) }
        record["line"] = Value(position.line)
        record["column"] = Value(position.column)
        record["suggestion"] = diagnostic.suggestion.map(Value.text)
        record["corrected"] = diagnostic.corrected.map(Value.text)
        return record
    }
}
