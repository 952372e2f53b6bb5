/// What a source turned out to be.
public struct Program: Hashable, Sendable {
    public var source: String
    /// The statements that could be read, in order. Where there are diagnostics, run none of them:
    /// a mistake on the last line should not be found after an hour on the first.
    public var statements: [Statement]
    /// At most ``diagnosticLimit``, in order.
    public var diagnostics: [Diagnostic]
    public var completeness: Completeness

    public static let diagnosticLimit = 20
}

/// Whether more lines are wanted. Every host asks this and nothing else.
public enum Completeness: Hashable, Sendable {
    /// Can be run, or is empty.
    case complete
    /// A bracket or a quote is still open, or the last line ends with `\`; says which in words.
    case incomplete(String)
    /// Wrong, whatever may follow.
    case invalid
}

extension CommandGrammar {
    /// Reads a block of statements. Every input gives an answer, in time linear in its length.
    public func parse(_ source: String) -> Program {
        var parser = Parser(self, source)
        return parser.program()
    }

    /// Whether a block can be run or wants more lines.
    public func completeness(of source: String) -> Completeness { parse(source).completeness }

    /// The statement that starts at or before a place, with the place replaced; nil when the result
    /// is not right either. For diagnostics that evaluation makes: an unknown name and its nearest.
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

    /// The corrected form of the first statement at an offset after edits, when it then is right.
    func corrected(_ source: String, from start: Int, _ error: SyntaxError) -> String? {
        // Beyond this nobody reads a suggestion, and errors must stay cheap.
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
                // A statement with two mistakes: mend the next one as well.
                edits = error.edits
            }
        }
        return nil
    }
}
