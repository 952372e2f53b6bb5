/// The fault of a statement: a sentence, a place, and help.
///
/// The parser makes diagnostics, and so can the code that evaluates a statement. So an unknown name
/// is reported in the same form as a missing bracket.
public struct Diagnostic: Error, Hashable, Sendable {
    /// The fault, without the place and without a full stop.
    public var message: String
    /// The place, in the source that was parsed.
    public var span: SourceSpan
    /// The expected input, if the parser knows it: "a number".
    public var expectation: String?
    /// The input found in its place: "`)`".
    public var found: String?
    /// The remedy: "did you mean `load`?"
    public var suggestion: String?
    /// The whole statement in a corrected form. The parser has accepted this form.
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
