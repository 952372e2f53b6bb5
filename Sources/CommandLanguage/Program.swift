/// The result of reading a source: what a host asks whether more lines are needed, and what the
/// session runs.
public struct Program: Hashable, Sendable {
    public var source: String
    public var origin: SourceOrigin
    /// The readable statements, in order. If there are diagnostics, run none of the statements: a
    /// mistake on the last line should not be found after an hour on the first.
    public var statements: [Statement]
    /// At most ``diagnosticLimit``, in order.
    public var diagnostics: [Diagnostic]
    /// How many more there are.
    public var omittedDiagnostics = 0
    public var completeness: Completeness

    public static let diagnosticLimit = 20
}

/// The place that a source comes from. The positions of its diagnostics count from there.
public struct SourceOrigin: Hashable, Sendable {
    /// If there is a file, diagnostics begin with `file:line:column:`; nil at a prompt.
    public var file: String?
    /// The number of the notebook's cell that the source is, from 1. Diagnostics then begin with
    /// `file: cell 7, line 2:`, and lines count within the cell.
    public var cell: Int?
    /// The number of the source's first line in the file, from 1.
    public var firstLine: Int

    public init(file: String? = nil, cell: Int? = nil, firstLine: Int = 1) {
        self.file = file
        self.cell = cell
        self.firstLine = firstLine
    }

    public static let prompt = SourceOrigin()
}

/// Whether more lines are needed. Every host uses only this test.
public enum Completeness: Hashable, Sendable {
    /// Can be run, or is empty.
    case complete
    /// A bracket or a quote is still open, or the last line ends with `\`; the text says which.
    case incomplete(String)
    /// Invalid, whatever may follow.
    case invalid
}

extension CommandGrammar {
    /// Reads a block of statements. Every input gives a result, in time linear in its length.
    public func parse(_ source: String, origin: SourceOrigin = .prompt) -> Program {
        var parser = Parser(self, source)
        return parser.program(origin)
    }

    /// A statement of a source with a place in it replaced; nil if the result is invalid too. For
    /// diagnostics of the evaluation: an unknown name and its nearest name.
    public func correction(
        of statement: Statement, in source: String, replacing span: SourceSpan,
        with replacement: String
    ) -> String? {
        guard statement.span.lower <= span.lower, span.upper <= statement.span.upper else {
            return nil
        }
        let error = SyntaxError(.callOfValue, span, replacedBy: replacement)
        return corrected(source, from: statement.span.lower, error)
    }

    /// The first statement at an offset after the edits, if it is then valid.
    func corrected(_ source: String, from start: Int, _ error: SyntaxError) -> String? {
        // Nobody reads a longer suggestion, and errors must stay cheap.
        let reach = 4000
        let bytes = Array(source.utf8)
        var text = Array(bytes[start..<min(bytes.count, start + reach)])
        var edits = error.edits.map { edit in
            SyntaxError.Edit(
                span: SourceSpan(lower: edit.span.lower - start, upper: edit.span.upper - start),
                replacement: edit.replacement)
        }
        for _ in 0..<4 {
            guard !edits.isEmpty else { return nil }
            for edit in edits.sorted(by: { $0.span.lower > $1.span.lower }) {
                guard edit.span.lower >= 0, edit.span.upper <= text.count else { return nil }
                text.replaceSubrange(
                    edit.span.lower..<edit.span.upper, with: Array(edit.replacement.utf8))
            }
            var parser = Parser(self, String(decoding: text, as: UTF8.self))
            do throws(SyntaxError) {
                guard let statement = try parser.firstStatement() else { return nil }
                return statement.source
            } catch {
                // A statement with two mistakes: correct the next one as well. A verb in place of
                // a value was meant to run, so no correction of it is certain.
                if case .verbAsValue = error.problem { return nil }
                edits = error.edits
            }
        }
        return nil
    }
}
