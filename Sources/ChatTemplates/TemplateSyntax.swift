/// The statements of a template.
indirect enum Statement: Sendable {
    case text(String)
    case output([Expression], line: Int)
    case condition([(test: Expression, body: [Statement])], otherwise: [Statement], line: Int)
    case loop(Loop, line: Int)
    case set([Target], Expression, line: Int)
    /// `{% set x %}…{% endset %}`, optionally through filters.
    case capture(Target, [Statement], filter: Expression?, line: Int)
    case macro(Macro, line: Int)
    /// `{% call m() %}…{% endcall %}`: inside the macro, `caller()` returns the body.
    case call(Expression, caller: Macro, line: Int)
    case filter(Expression, [Statement], line: Int)
    case with([(Target, Expression)], [Statement], line: Int)
    case scope([Statement])
    case next, leave

    struct Loop: Sendable {
        var targets: [Target]
        var isUnpacking: Bool
        var values: Expression
        var condition: Expression?
        var body: [Statement]
        var otherwise: [Statement]
    }

    /// The target of an assignment: a name, or an attribute of a namespace.
    struct Target: Sendable {
        var name: String
        var attribute: String?
    }

    final class Macro: Sendable {
        let name: String
        let parameters: [(name: String, fallback: Expression?)]
        let body: [Statement]
        /// The names among `varargs`, `kwargs` and `caller` that the body uses. Without `varargs`
        /// the macro accepts no more arguments than parameters.
        let extras: Set<String>

        init(
            name: String, parameters: [(name: String, fallback: Expression?)], body: [Statement],
            extras: Set<String>
        ) {
            (self.name, self.parameters) = (name, parameters)
            (self.body, self.extras) = (body, extras)
        }
    }
}

/// Expressions of a template.
indirect enum Expression: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(String)
    case name(String)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case attribute(Expression, String)
    case item(Expression, Expression)
    case slice(Expression, Expression?, Expression?, Expression?)
    case call(Expression, Arguments)
    /// Without a value in a filter block, which supplies the value.
    case filter(Expression?, String, Arguments)
    case test(Expression, String, Arguments, isNegated: Bool)
    case not(Expression)
    case negative(Expression)
    case positive(Expression)
    case binary(Operator, Expression, Expression)
    case comparison(Expression, [(Comparison, Expression)])
    case concatenation([Expression])
    case and(Expression, Expression)
    case or(Expression, Expression)
    case conditional(Expression, test: Expression, otherwise: Expression?)

    struct Arguments: Sendable {
        var values: [Expression] = []
        var named: [(name: String, value: Expression)] = []
    }

    enum Operator: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case divideWhole = "//"
        case remainder = "%"
        case power = "**"
    }

    enum Comparison: String, Sendable {
        case equal = "=="
        case different = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case contained = "in"
        case notContained = "not in"
    }
}
