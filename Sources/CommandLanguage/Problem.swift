/// All faults of a source; `Sentences.swift` turns them into words.
enum Problem: Hashable, Sendable {
    // Characters
    case unknownCharacter(Unicode.Scalar)
    case operatorSpelling(found: String, use: String)
    case badNumber(String)
    case numberTooLarge(String)
    case wholeNumberInexact(String)
    case unknownEscape(String)
    case unclosedText
    case unfinishedLine

    // Brackets
    case unclosed(bracket: String)
    case unopened(bracket: String)
    case tooDeep(limit: Int)

    // Expressions
    case expected(String, found: String)
    case expectedEnd(found: String)
    case chainedComparison
    case assignmentInExpression
    case tuple
    case bareRecordKey(String)
    case methodCall(String)
    case callOfValue
    case unknownFunction(String, nearest: String?)
    case functionAsName(String)
    case blockWithColon
    case elseAlone
    case repeatedKey(String)

    // Names
    case verbAsName(String)
    case verbAsValue(String, makes: [String])
    case wordAsName(String)
    case lastResultAsName
    case badTarget
    case timeNotFirst

    // Commands
    case unknownCommand(String, nearest: String?)
    case functionWithoutBrackets(String)
    case missingForm(verb: String, forms: [String])
    case unknownForm(verb: String, found: String, forms: [String], nearest: String?)
    case unknownKey(command: String, key: String, keys: [String], nearest: String?)
    case missingValue(key: String, kind: ArgumentDescription)
    case wrongWord(role: String, found: String, words: [String], orElse: String?, nearest: String?)
    case missingOperand(command: String, role: String, kind: ArgumentDescription, usage: String)
    case tooManyOperands(command: String, most: Int, usage: String)
    case keyWithoutValue(String, example: String)
    case commaBetweenOperands
    case commaAfterOption(String)
    case pastedPrompt
    case bracketsAroundOperands(verb: String)
    case escapedBlank
    case quoteInsideWord
    case textNeedsQuotes
    case commentMark
    case helpMark(verb: String?)
    case questionMark
    case shellCommand
    case textWithValues
}

/// The expected form of an operand or value, in words: "a number", "`mean` or `sum`".
struct ArgumentDescription: Hashable, Sendable {
    var words: String
    init(_ words: String) { self.words = words }
}

/// A problem, its place, and the edit that would correct it, if there is one.
struct SyntaxError: Error {
    struct Edit {
        var span: SourceSpan
        var replacement: String
    }

    var problem: Problem
    var span: SourceSpan
    var edits: [Edit] = []

    init(_ problem: Problem, _ span: SourceSpan, edits: [Edit] = []) {
        self.problem = problem
        self.span = span
        self.edits = edits
    }

    init(_ problem: Problem, _ span: SourceSpan, replacedBy replacement: String) {
        self.init(problem, span, edits: [Edit(span: span, replacement: replacement)])
    }

    /// Whether further lines could still make the source correct.
    var isIncomplete: Bool {
        switch problem {
        case .unclosedText, .unfinishedLine, .unclosed: true
        default: false
        }
    }
}
