/// The tests after `is`.
extension TemplateEvaluator {
    func test(_ name: String, _ value: Value, _ arguments: CallArguments) throws -> Bool {
        switch name {
        case "defined":
            if case .undefined = value { return false }
            return true
        case "undefined":
            if case .undefined = value { return true }
            return false
        case "none": return value.isNone
        case "boolean":
            if case .bool = value { return true }
            return false
        case "true":
            if case .bool(true) = value { return true }
            return false
        case "false":
            if case .bool(false) = value { return true }
            return false
        case "integer":
            if case .int = value { return true }
            return false
        case "float":
            if case .float = value { return true }
            return false
        case "number": return value.double != nil
        case "string": return value.text != nil
        case "mapping":
            if case .dictionary = value { return true }
            return false
        case "iterable": return value.elements != nil
        case "sequence": return isSequence(value)
        case "callable":
            if case .function = value { return true }
            return false
        case "lower", "upper":
            let text = try shown(value)
            return PythonText.isCased(text, upper: name == "upper")
        case "odd", "even", "divisibleby": return try isDivided(name, value, arguments)
        case "sameas":
            guard let other = arguments.values.first else { throw failure("sameas what?") }
            return value.kind == other.kind && value.isEqual(to: other)
        case "filter", "test": throw unsupported("the test “\(name)”")
        default:
            guard let sign = Self.comparisons[name] else {
                throw unsupported("the test “\(name.prefix(40))”")
            }
            guard let other = arguments.values.first else {
                throw failure("the test “\(name)” wants something to compare with")
            }
            return try holds(sign, value, other)
        }
    }

    private static let comparisons: [String: Expression.Comparison] = [
        "==": .equal, "eq": .equal, "equalto": .equal, "!=": .different, "ne": .different,
        "<": .less, "lt": .less, "lessthan": .less, "<=": .lessOrEqual, "le": .lessOrEqual,
        ">": .greater, "gt": .greater, "greaterthan": .greater, ">=": .greaterOrEqual,
        "ge": .greaterOrEqual, "in": .contained,
    ]

    /// Jinja tests for a length and for items by index; a mapping has both.
    private func isSequence(_ value: Value) -> Bool {
        switch value {
        case .string, .list, .tuple, .dictionary, .undefined: true
        default: false
        }
    }

    private func isDivided(
        _ name: String, _ value: Value, _ arguments: CallArguments
    ) throws -> Bool {
        if case .float(let number) = value, name != "divisibleby" {
            let remainder = number.truncatingRemainder(dividingBy: 2)
            return name == "even" ? remainder == 0 : remainder == 1 || remainder == -1
        }
        guard let number = value.integer else {
            throw failure("“\(name)” wants a whole number, not \(value.kind)")
        }
        switch name {
        case "odd": return number % 2 != 0
        case "even": return number % 2 == 0
        default:
            let divisor = try self.number(arguments, 0, "num", default: 0)
            guard divisor != 0 else { throw failure("division by zero") }
            return number.remainderReportingOverflow(dividingBy: divisor).partialValue == 0
        }
    }
}
