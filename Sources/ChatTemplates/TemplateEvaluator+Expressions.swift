import Foundation

/// Evaluation of expressions.
extension TemplateEvaluator {
    /// `filtering` is the input of a filter without a value of its own; `caller` is passed to a
    /// called macro.
    func evaluate(
        _ expression: Expression, filtering: Value? = nil, caller: Value? = nil
    ) throws -> Value {
        try charge()
        switch expression {
        case .none: return .none
        case .bool(let flag): return .bool(flag)
        case .integer(let number): return .int(number)
        case .float(let number): return .float(number)
        case .string(let text): return .string(text)
        case .name(let name): return value(of: name)
        default: break
        }
        return try nested {
            switch expression {
            case .filter(let inner, let name, let arguments):
                return try filter(inner, name, arguments, filtering)
            case .call(let function, let arguments):
                return try call(function, arguments, caller)
            default: return try operation(expression)
            }
        }
    }

    private func operation(_ expression: Expression) throws -> Value {
        switch expression {
        case .list(let parts): return try list(parts.map { try evaluate($0) })
        case .tuple(let parts): return try tuple(parts.map { try evaluate($0) })
        case .dictionary(let members): return try dictionary(members)
        case .attribute(let value, let name): return try attribute(evaluate(value), name)
        case .item(let value, let index): return try item(evaluate(value), evaluate(index))
        case .slice(let value, let lower, let upper, let step):
            return try slice(
                evaluate(value), lower.map { try evaluate($0) }, upper.map { try evaluate($0) },
                step.map { try evaluate($0) })
        case .test(let value, let name, let arguments, let isNegated):
            let result = try test(name, evaluate(value), self.arguments(arguments))
            return .bool(result != isNegated)
        case .not(let value): return .bool(!(try evaluate(value).isTrue))
        case .negative(let value): return try signed(evaluate(value), isNegative: true)
        case .positive(let value): return try signed(evaluate(value), isNegative: false)
        case .binary(let sign, let left, let right):
            return try arithmetic(sign, evaluate(left), evaluate(right))
        case .comparison(let first, let others): return try comparison(first, others)
        case .concatenation(let parts):
            var text = ""
            for part in parts {
                text += try shown(evaluate(part))
                try charge(text.utf8.count)
                try checkLength(text.utf8.count)
            }
            return .string(text)
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? value : try evaluate(right)
        case .conditional(let value, let test, let otherwise):
            if try evaluate(test).isTrue { return try evaluate(value) }
            return try otherwise.map { try evaluate($0) }
                ?? .undefined("the inline if had no else")
        default: return .undefined("nothing")
        }
    }

    func arguments(_ arguments: Expression.Arguments) throws -> CallArguments {
        CallArguments(
            values: try arguments.values.map { try evaluate($0) },
            named: try arguments.named.map { ($0.name, try evaluate($0.value)) })
    }

    private func filter(
        _ inner: Expression?, _ name: String, _ arguments: Expression.Arguments,
        _ filtering: Value?
    ) throws -> Value {
        let value: Value
        if let inner {
            value = try evaluate(inner, filtering: filtering)
        } else {
            value = filtering ?? .undefined("there is nothing to filter")
        }
        return try filter(name, value, self.arguments(arguments))
    }

    private func call(
        _ function: Expression, _ arguments: Expression.Arguments, _ caller: Value?
    ) throws -> Value {
        let callee = try evaluate(function)
        let arguments = try self.arguments(arguments)
        switch callee {
        case .function(.macro(let macro, let scope)):
            return try call(macro, in: scope, arguments, caller: caller)
        case .function(.global(let name)): return try callGlobal(name, arguments)
        case .function(.method(let receiver, let name)):
            return try callMethod(receiver, name, arguments)
        case .undefined(let reason): throw failure("\(reason), so it cannot be called")
        default: throw failure("\(callee.kind) cannot be called")
        }
    }

    private func dictionary(_ members: [(key: Expression, value: Expression)]) throws -> Value {
        var dictionary = ValueDictionary()
        for member in members {
            let key = try evaluate(member.key)
            guard dictionary.set(key, try evaluate(member.value)) else {
                throw failure("\(key.kind) cannot be a key")
            }
        }
        return try self.dictionary(dictionary)
    }

    // MARK: Parts

    func attribute(_ value: Value, _ name: String) throws -> Value {
        let missing = Value.undefined("\(value.kind) has no “\(name)”")
        switch value {
        case .undefined(let reason): throw failure(reason)
        case .dictionary(let dictionary):
            return try method(value, name) ?? dictionary[name] ?? missing
        case .namespace(let namespace): return namespace.attributes[name] ?? missing
        case .loop(let loop): return loop.attribute(name) ?? missing
        default: return try method(value, name) ?? missing
        }
    }

    func item(_ value: Value, _ index: Value) throws -> Value {
        let shown = index.text ?? index.integer.map { String($0) } ?? index.kind
        let missing = Value.undefined("\(value.kind) has no item “\(shown.prefix(40))”")
        try charge(index.weight)
        switch value {
        case .undefined(let reason): throw failure(reason)
        case .dictionary(let dictionary):
            if let found = dictionary[index] { return found }
            return try index.text.flatMap { try method(value, $0) } ?? missing
        case .namespace, .loop:
            return try index.text.map { try attribute(value, $0) } ?? missing
        case .string(let text):
            guard let place = index.integer else {
                return try index.text.flatMap { try method(value, $0) } ?? missing
            }
            let scalars = text.unicodeScalars
            try charge(text.utf8.count)
            let count = scalars.count
            let offset = place < 0 ? place + count : place
            guard (0..<count).contains(offset) else { return missing }
            return .string(String(scalars[scalars.index(scalars.startIndex, offsetBy: offset)]))
        case .list(let values), .tuple(let values):
            guard let place = index.integer else {
                return try index.text.flatMap { try method(value, $0) } ?? missing
            }
            let offset = place < 0 ? place + values.count : place
            return values.indices.contains(offset) ? values[offset] : missing
        default: return missing
        }
    }

    private func slice(
        _ value: Value, _ lower: Value?, _ upper: Value?, _ step: Value?
    ) throws -> Value {
        func bound(_ value: Value?) throws -> Int? {
            guard let value, !value.isNone else { return nil }
            guard let number = value.integer else {
                throw failure("a slice wants whole numbers, not \(value.kind)")
            }
            return number
        }
        let (lower, upper) = (try bound(lower), try bound(upper))
        let step = try bound(step) ?? 1
        guard step != 0 else { throw failure("the step of a slice cannot be 0") }
        func places(_ count: Int) throws -> [Int] {
            try charge(count)
            func clamped(_ bound: Int, _ least: Int, _ most: Int) -> Int {
                min(max(bound < 0 ? bound + count : bound, least), most)
            }
            let step = min(max(step, -count - 1), count + 1)
            if step > 0 {
                let start = clamped(lower ?? 0, 0, count)
                return Array(stride(from: start, to: clamped(upper ?? count, 0, count), by: step))
            }
            let start = lower.map { clamped($0, -1, count - 1) } ?? count - 1
            let end = upper.map { clamped($0, -1, count - 1) } ?? -1
            return Array(stride(from: start, to: end, by: step))
        }
        switch value {
        case .undefined(let reason): throw failure(reason)
        case .list(let values): return try list(places(values.count).map { values[$0] })
        case .tuple(let values): return try tuple(places(values.count).map { values[$0] })
        case .string(let text):
            try charge(text.utf8.count)
            let scalars = Array(text.unicodeScalars)
            var sliced = String.UnicodeScalarView()
            for place in try places(scalars.count) { sliced.append(scalars[place]) }
            return .string(String(sliced))
        default: throw failure("\(value.kind) cannot be sliced")
        }
    }

    // MARK: Operators

    private func signed(_ value: Value, isNegative: Bool) throws -> Value {
        if let number = value.integer {
            let (result, overflow) = (isNegative ? 0 : number).subtractingReportingOverflow(
                isNegative ? number : 0)
            guard !overflow else { throw failure("a number is too large") }
            return .int(result)
        }
        if case .float(let number) = value { return .float(isNegative ? -number : number) }
        throw failure("\(value.kind) has no sign")
    }

    func arithmetic(
        _ sign: Expression.Operator, _ left: Value, _ right: Value
    ) throws -> Value {
        if case .undefined(let reason) = left { throw failure(reason) }
        if case .undefined(let reason) = right { throw failure(reason) }
        if let a = left.integer, let b = right.integer {
            return try whole(sign, a, b)
        }
        if let a = left.double, let b = right.double { return try real(sign, a, b) }
        if sign == .multiply {
            if let count = right.integer, left.isRepeatable { return try repeated(left, count) }
            if let count = left.integer, right.isRepeatable { return try repeated(right, count) }
        }
        switch (sign, left, right) {
        case (.add, .string(let a), .string(let b)):
            try checkLength(a.utf8.count + b.utf8.count)
            return try string(a + b)
        case (.add, .list(let a), .list(let b)): return try list(a.values + b.values)
        case (.add, .tuple(let a), .tuple(let b)): return try tuple(a.values + b.values)
        case (.remainder, .string, _): throw unsupported("% on a text")
        default:
            throw failure(
                "“\(sign.rawValue)” does not work on \(left.kind) and \(right.kind)")
        }
    }

    private func repeated(_ value: Value, _ count: Int) throws -> Value {
        let count = max(count, 0)
        let size = value.text?.utf8.count ?? (value.count ?? 0) * 8
        let (total, overflow) = size.multipliedReportingOverflow(by: count)
        try checkLength(overflow ? Int.max : total)
        try charge(total)
        if let text = value.text { return .string(String(repeating: text, count: count)) }
        guard case .list(let values) = value else { return value }
        return try list((0..<count).flatMap { _ in values.values })
    }

    private func whole(_ sign: Expression.Operator, _ a: Int, _ b: Int) throws -> Value {
        var result: (partialValue: Int, overflow: Bool)
        switch sign {
        case .add: result = a.addingReportingOverflow(b)
        case .subtract: result = a.subtractingReportingOverflow(b)
        case .multiply: result = a.multipliedReportingOverflow(by: b)
        case .divide:
            guard b != 0 else { throw failure("division by zero") }
            return .float(Double(a) / Double(b))
        case .divideWhole, .remainder:
            guard b != 0 else { throw failure("division by zero") }
            let remainder = a.remainderReportingOverflow(dividingBy: b)
            // Python's remainder has the sign of the divisor.
            let isShifted = remainder.partialValue != 0 && (remainder.partialValue < 0) != (b < 0)
            if sign == .remainder {
                return .int(remainder.partialValue + (isShifted ? b : 0))
            }
            result = a.dividedReportingOverflow(by: b)
            if isShifted { result.partialValue -= 1 }
        case .power:
            guard b >= 0 else { return .float(pow(Double(a), Double(b))) }
            result = (1, false)
            guard b < 64 || (-1...1).contains(a) else { throw failure("a number is too large") }
            for _ in 0..<(b < 64 ? b : 64 + b % 2) where !result.overflow {
                result = result.partialValue.multipliedReportingOverflow(by: a)
            }
        }
        guard !result.overflow else { throw failure("a number is too large") }
        return .int(result.partialValue)
    }

    private func real(_ sign: Expression.Operator, _ a: Double, _ b: Double) throws -> Value {
        switch sign {
        case .add: return .float(a + b)
        case .subtract: return .float(a - b)
        case .multiply: return .float(a * b)
        case .power: return .float(pow(a, b))
        case .divide, .divideWhole, .remainder:
            guard b != 0 else { throw failure("division by zero") }
            if sign == .divide { return .float(a / b) }
            var remainder = fmod(a, b)
            if remainder != 0, (remainder < 0) != (b < 0) { remainder += b }
            return .float(sign == .remainder ? remainder : ((a - remainder) / b).rounded())
        }
    }

    private func comparison(
        _ first: Expression, _ others: [(Expression.Comparison, Expression)]
    ) throws -> Value {
        var left = try evaluate(first)
        for (sign, expression) in others {
            let right = try evaluate(expression)
            guard try holds(sign, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    func holds(_ sign: Expression.Comparison, _ left: Value, _ right: Value) throws -> Bool {
        try chargeAll(left)
        try chargeAll(right)
        switch sign {
        case .equal: return left.isEqual(to: right)
        case .different: return !left.isEqual(to: right)
        case .contained: return try isContained(left, right)
        case .notContained: return !(try isContained(left, right))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if case .undefined(let reason) = left { throw failure(reason) }
            if case .undefined(let reason) = right { throw failure(reason) }
            let isStrict = sign == .less || sign == .greater
            let (a, b) = sign == .less || sign == .lessOrEqual ? (left, right) : (right, left)
            guard let isLess = a.isLess(than: b) else {
                throw failure("\(left.kind) and \(right.kind) have no order")
            }
            return isLess || !isStrict && a.isEqual(to: b)
        }
    }

    private func isContained(_ part: Value, _ whole: Value) throws -> Bool {
        switch whole {
        case .string(let text):
            guard let part = part.text else {
                throw failure("a text can only contain a text, not \(part.kind)")
            }
            return Search.first(of: Array(part.utf8), in: Array(text.utf8), from: 0) != nil
        case .dictionary(let dictionary): return dictionary[part] != nil
        default:
            guard let elements = whole.elements else {
                throw failure("\(whole.kind) contains nothing")
            }
            for _ in elements { try charge(part.weight) }
            return elements.contains { $0.isEqual(to: part) }
        }
    }
}

extension Value {
    var isNone: Bool { if case .none = self { true } else { false } }

    /// Whether it can be multiplied by a count.
    fileprivate var isRepeatable: Bool {
        switch self {
        case .string, .list: true
        default: false
        }
    }
}

/// Search for bytes in bytes, in time linear in both (Knuth, Morris and Pratt 1977).
enum Search {
    static func first(of part: [UInt8], in whole: [UInt8], from start: Int) -> Int? {
        guard start >= 0, start <= whole.count else { return nil }
        if part.isEmpty { return start }
        // The length of the part that is still matched if its next byte differs.
        var shorter = [Int](repeating: 0, count: part.count)
        var length = 0
        for place in part.indices.dropFirst() {
            while length > 0, part[place] != part[length] { length = shorter[length - 1] }
            if part[place] == part[length] { length += 1 }
            shorter[place] = length
        }
        length = 0
        for place in start..<whole.count {
            while length > 0, whole[place] != part[length] { length = shorter[length - 1] }
            if whole[place] == part[length] { length += 1 }
            if length == part.count { return place + 1 - length }
        }
        return nil
    }

    /// The number of bytes of the character that begins with `lead` in UTF-8.
    static func characterLength(_ lead: UInt8) -> Int {
        lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }
}
