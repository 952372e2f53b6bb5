/// The result of reading a source.
public struct Program: Hashable, Sendable {
    public var source: String
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
    public func parse(_ source: String) -> Program {
        var parser = Parser(self, source)
        return parser.program()
    }

    /// Whether a block can be run or needs more lines.
    public func completeness(of source: String) -> Completeness { parse(source).completeness }

    /// The statement that starts at or before a place, with the place replaced; nil if the result
    /// is invalid too. For diagnostics of the evaluation: an unknown name and its nearest name.
    public func correction(
        of source: String, replacing span: SourceSpan, with replacement: String
    ) -> String? {
        let statements = parse(source).statements
        guard
            let statement = statements.last(where: {
                $0.span.lower <= span.lower && span.upper <= $0.span.upper
            })
        else { return nil }
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
                // A statement with two mistakes: correct the next one as well.
                edits = error.edits
            }
        }
        return nil
    }
}
