/// What is wrong with a statement and where: a sentence, a place, and help.
///
/// The parser makes them, and so can whoever evaluates a statement, so that an unknown name is
/// reported in the same shape as a missing bracket.
public struct Diagnostic: Error, Hashable, Sendable {
    /// What is wrong, without the place and without a full stop.
    public var message: String
    /// The place, in the source that was parsed.
    public var span: SourceSpan
    /// What could have stood there, where the parser knows it: "a number".
    public var expectation: String?
    /// What stood there instead: "`)`".
    public var found: String?
    /// What to do: "did you mean `load`?"
    public var suggestion: String?
    /// The whole statement as it would be right. It has been parsed without a diagnostic.
    public var corrected: String?

    public init(
        message: String, span: SourceSpan, expectation: String? = nil, found: String? = nil,
        suggestion: String? = nil, corrected: String? = nil
    ) {
        self.message = message
        self.span = span
        self.expectation = expectation
        self.found = found
        self.suggestion = suggestion
        self.corrected = corrected
    }

    init(_ error: SyntaxError) {
        self.init(
            message: error.problem.message, span: error.span,
            expectation: error.problem.expectation, found: error.problem.found,
            suggestion: error.problem.suggestion)
    }
}

extension Problem {
    var expectation: String? {
        switch self {
        case .expected(let expectation, _): expectation
        case .expectedEnd: "an operator or the end of the statement"
        case .missingForm(_, let forms), .unknownForm(_, _, let forms, _): forms.alternatives
        case .missingValue(_, let kind), .missingOperand(_, _, let kind, _): kind.words
        case .wrongWord(_, _, let words, let other, _):
            words.alternatives + (other.map { " or \($0)" } ?? "")
        case .unclosed(let bracket): "`\(Problem.closing(bracket))`"
        default: nil
        }
    }

    var found: String? {
        switch self {
        case .expected(_, let found), .expectedEnd(let found): found
        case .unknownForm(_, let found, _, _), .wrongWord(_, let found, _, _, _): found
        default: nil
        }
    }
}
