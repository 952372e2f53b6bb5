/// A part of a source, in UTF-8 offsets from the start of the parsed text.
///
/// A block of several statements is parsed as one text, so a span always has a line and a column in
/// the user's input.
public struct SourceSpan: Hashable, Sendable {
    public var lower: Int
    public var upper: Int

    public init(lower: Int, upper: Int) {
        self.lower = lower
        self.upper = max(lower, upper)
    }

    /// The smallest span that contains both.
    public func union(_ other: SourceSpan) -> SourceSpan {
        SourceSpan(lower: min(lower, other.lower), upper: max(upper, other.upper))
    }

    /// The text under the span. Offsets outside of `source` are clamped to it.
    public func text(in source: String) -> String {
        let bytes = source.utf8
        let from = min(max(lower, 0), bytes.count)
        let to = min(max(upper, from), bytes.count)
        let start = bytes.index(bytes.startIndex, offsetBy: from)
        let end = bytes.index(start, offsetBy: to - from)
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}

/// A name as the user wrote it, and its place.
public struct Identifier: Hashable, Sendable, CustomStringConvertible {
    public var name: String
    public var span: SourceSpan

    public init(name: String, span: SourceSpan) {
        self.name = name
        self.span = span
    }

    public var description: String { name }
}

/// An expression and its part of the source.
public struct Node: Hashable, Sendable {
    public var expression: Expression
    public var span: SourceSpan

    public init(_ expression: Expression, span: SourceSpan) {
        self.expression = expression
        self.span = span
    }
}

/// An expression: everything that can stand for a value.
///
/// The height of a tree is at most ``CommandGrammar/nestingLimit``, so it is safe to walk it
/// recursively.
public indirect enum Expression: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case name(String)
    case list([Node])
    /// `{"key": value}`, in the written order. If a key repeats, the last entry counts.
    case record([RecordEntry])
    case field(Node, Identifier)
    case index(Node, [Subscript])
    case unary(UnaryOperator, Node)
    case binary(BinaryOperator, Node, Node)
    case call(Identifier, [CallArgument])
    /// `value if condition else otherwise`; only the chosen side is evaluated.
    case conditional(condition: Node, value: Node, otherwise: Node)
    /// `[item for x in list if condition]`
    case comprehension(item: Node, clauses: [ComprehensionClause])
    /// `rollouts[0][1].response = value`: the value of the name on the left, with another part. A
    /// whole statement alone has this form.
    case replacement(of: Node, with: Node)
}

/// One clause of a comprehension. Clauses nest from left to right, as in Python.
public enum ComprehensionClause: Hashable, Sendable {
    /// `for x in list`; several names take an item apart.
    case each([Identifier], in: Node)
    /// `if condition`
    case filter(Node)
}

/// One `"key": value` of a record.
public struct RecordEntry: Hashable, Sendable {
    public var key: Identifier
    public var value: Node
}

/// One item between the brackets of `x[…]`.
public enum Subscript: Hashable, Sendable {
    case at(Node)
    /// `a:b:step` as in Python: each part may be missing; `:` alone is the whole axis.
    case slice(lower: Node?, upper: Node?, step: Node?, span: SourceSpan)
    /// `...`: as many whole axes as the other items leave.
    case rest(SourceSpan)
}

/// One value between the brackets of `f(…)`, with its key if it has one.
public struct CallArgument: Hashable, Sendable {
    public var key: Identifier?
    public var value: Node
}

public enum UnaryOperator: String, Hashable, Sendable {
    case minus = "-"
    case plus = "+"
    case not = "not"
}

/// Binary operators, with Python's spelling, precedence and associativity.
public enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
    case or = "or"
    case and = "and"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case remainder = "%"
    case matrixProduct = "@"
    case power = "**"

    var precedence: Int {
        switch self {
        case .or: 1
        case .and: 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isIn, .isNotIn: 4
        case .add, .subtract: 5
        case .multiply, .divide, .floorDivide, .remainder, .matrixProduct: 6
        case .power: 8
        }
    }

    var isComparison: Bool { precedence == 4 }
}

/// `not` binds less tightly than a comparison. A sign binds more tightly than a product and less
/// tightly than `**`.
enum UnaryPrecedence {
    static let not = 3
    static let sign = 7
}

/// One statement: the action, the names for its result, and the form of its output.
public struct Statement: Hashable, Sendable {
    public indirect enum Body: Hashable, Sendable {
        case command(CommandCall)
        case expression(Node)
        case loop(Loop)
        case choice(ConditionalBlocks)
        case function(FunctionDefinition)
    }

    /// The names on the left of `=`. Never a verb, a word of the language or `_`. A loop has none,
    /// nor has a choice.
    public var targets: [Identifier]
    public var body: Body
    /// A `;` at the end of the line hides the output of every statement on that line.
    public var hidden: Bool
    /// Whether the statement follows the word `time`.
    public var timed: Bool
    /// From the first to the last character, without a `;` and without a comment.
    public var span: SourceSpan
    /// The text under `span`: parsing it alone gives this statement again.
    public var source: String

    /// The name on the left of `=`; the first of several.
    public var target: Identifier? { targets.first }
}

/// A verb with its operands and options, checked against the grammar: the verb has every operand
/// and key, none that is required is missing, and all words are allowed.
public struct CommandCall: Hashable, Sendable {
    public var verb: Identifier
    /// The word after the verb that selects a form, such as `model` in `load model`.
    public var form: Identifier?
    /// In the order written.
    public var operands: [Argument]
    /// In the order written; no key twice.
    public var options: [Option]
    public var span: SourceSpan

    public struct Option: Hashable, Sendable {
        public var key: Identifier
        public var value: Argument
    }

    /// The verb with its form: `load model`.
    public var title: String { form.map { "\(verb.name) \($0.name)" } ?? verb.name }

    /// The first operand with a role, by the operand's name in the grammar.
    public func operand(_ role: String) -> Argument? { operands.first { $0.role == role } }

    /// All operands with a role, for an operand that repeats.
    public func operands(_ role: String) -> [Argument] { operands.filter { $0.role == role } }

    /// The value of a key.
    public func option(_ key: String) -> Argument? {
        options.first { $0.key.name == key }?.value
    }
}

/// The value of an operand or of a key.
public struct Argument: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        /// A bare word: one of the allowed words, if the grammar lists them.
        case word(String)
        /// A path, bare or in quotes; as written, `~` is not expanded.
        case path(String)
        /// A workspace name that stands for itself, not for its value.
        case name(String)
        case expression(Node)
    }

    /// The name of the operand or key in the grammar.
    public var role: String
    public var value: Value
    public var span: SourceSpan
}
