import Foundation

/// The filters, in alphabetical order.
extension TemplateEvaluator {
    func filter(_ name: String, _ value: Value, _ arguments: CallArguments) throws -> Value {
        if let result = try textFilter(name, value, arguments) { return result }
        if let result = try listFilter(name, value, arguments) { return result }
        if let result = try numberFilter(name, value, arguments) { return result }
        switch name {
        case "attr":
            let name = try text(arguments, 0, "name", in: "attr")
            return try attribute(value, name)
        case "default", "d":
            let fallback = arguments.value(0, "default_value") ?? .string("")
            let replacesFalse = arguments.value(1, "boolean")?.isTrue ?? false
            if case .undefined = value { return fallback }
            return replacesFalse && !value.isTrue ? fallback : value
        case "items":
            switch value {
            case .undefined: return try stream([])
            case .dictionary(let dictionary):
                try charge(dictionary.count * 8)
                return try stream(dictionary.items)
            default: throw failure("only a mapping has items, not \(value.kind)")
            }
        case "length", "count":
            guard let count = value.count else { throw failure("\(value.kind) has no length") }
            try charge(value.text?.utf8.count ?? 0)
            return .int(count)
        case "tojson": return try json(value, arguments)
        case "dictsort": return try dictsort(value, arguments)
        default: throw unsupported("the filter “\(name.prefix(40))”")
        }
    }

    // MARK: Arguments

    func text(
        _ arguments: CallArguments, _ place: Int, _ name: String, in function: String
    ) throws -> String {
        guard let text = arguments.value(place, name)?.text else {
            throw failure("“\(function)” wants a text as its \(name)")
        }
        return text
    }

    func number(
        _ arguments: CallArguments, _ place: Int, _ name: String, default fallback: Int
    ) throws -> Int {
        guard let value = arguments.value(place, name) else { return fallback }
        guard let number = value.integer else {
            throw failure("\(name) should be a whole number, not \(value.kind)")
        }
        return number
    }

    func elements(_ value: Value, for function: String) throws -> [Value] {
        guard let elements = value.elements else {
            throw failure("“\(function)” cannot go through \(value.kind)")
        }
        try charge(elements.count * 8)
        return elements
    }

    // MARK: Numbers

    private func numberFilter(
        _ name: String, _ value: Value, _ arguments: CallArguments
    ) throws -> Value? {
        switch name {
        case "abs":
            if let number = value.integer, number != Int.min { return .int(abs(number)) }
            if let number = value.double { return .float(abs(number)) }
            throw failure("“abs” wants a number, not \(value.kind)")
        case "float", "int":
            if case .undefined(let reason) = value { throw failure(reason) }
            return name == "int" ? try whole(value, arguments) : real(value, arguments)
        case "round":
            let digits = try number(arguments, 0, "precision", default: 0)
            let method = arguments.value(1, "method")?.text ?? "common"
            guard let double = value.double else {
                throw failure("“round” wants a number, not \(value.kind)")
            }
            guard (-300...300).contains(digits), ["common", "ceil", "floor"].contains(method)
            else { throw failure("“round” knows common, ceil and floor, and 300 digits") }
            if method == "common" {
                if let whole = value.integer, digits >= 0 { return .int(whole) }
                return .float(TemplateNumber.rounded(double, digits: digits))
            }
            let scale = pow(10, Double(digits))
            let scaled = double * scale
            return .float((method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)) / scale)
        default: return nil
        }
    }

    private func real(_ value: Value, _ arguments: CallArguments) -> Value {
        if let number = value.double { return .float(number) }
        let fallback = arguments.value(0, "default") ?? .float(0)
        return value.text.flatMap { TemplateNumber.double($0) }.map { .float($0) } ?? fallback
    }

    private func whole(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let fallback = arguments.value(0, "default") ?? .int(0)
        let base = try number(arguments, 1, "base", default: 10)
        if let number = value.integer { return .int(number) }
        if let text = value.text, let number = TemplateNumber.integer(text, base: base) {
            return .int(number)
        }
        let double = value.double ?? value.text.flatMap { TemplateNumber.double($0) }
        return double.flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { .int($0) }
            ?? fallback
    }

    // MARK: JSON

    private func json(_ value: Value, _ arguments: CallArguments) throws -> Value {
        var style = Value.JSONStyle()
        style.escapesNonASCII = arguments.value(0, "ensure_ascii")?.isTrue ?? false
        if let indent = arguments.value(1, "indent"), !indent.isNone {
            if let count = indent.integer {
                guard count <= 100 else { throw failure("an indent of \(count) is too large") }
                style.indent = String(repeating: " ", count: max(count, 0))
            } else if let text = indent.text, text.utf8.count <= 100 {
                style.indent = text
            } else {
                throw failure("the indent of “tojson” should be a number, not \(indent.kind)")
            }
            style.itemSeparator = ","
        }
        if let separators = arguments.value(2, "separators"), !separators.isNone {
            guard let parts = separators.elements, parts.count == 2, let item = parts[0].text,
                let key = parts[1].text, item.utf8.count + key.utf8.count <= 100
            else { throw failure("the separators of “tojson” are two short texts") }
            (style.itemSeparator, style.keySeparator) = (item, key)
        }
        style.sortsKeys = arguments.value(3, "sort_keys")?.isTrue ?? false
        try chargeAll(value)
        // The depth of a value, and the text around each element, limit the output.
        let around = (style.indent?.utf8.count ?? 0) * value.depth + style.itemSeparator.utf8.count
        try checkLength(min(value.weight, 1 << 30) * (1 + around / 8))
        guard let text = value.json(style) else {
            throw failure("\(value.kind) cannot be written as JSON")
        }
        return try string(text)
    }

    private func dictsort(_ value: Value, _ arguments: CallArguments) throws -> Value {
        guard case .dictionary(let dictionary) = value else {
            throw failure("“dictsort” wants a mapping, not \(value.kind)")
        }
        let by = arguments.value(1, "by")?.text ?? "key"
        guard by == "key" || by == "value" else {
            throw failure("“dictsort” sorts by key or by value")
        }
        let isReversed = arguments.value(2, "reverse")?.isTrue ?? false
        let isCased = arguments.value(0, "case_sensitive")?.isTrue ?? false
        let keys = by == "key" ? dictionary.keys : dictionary.values
        return try list(
            sorted(dictionary.items, by: keys, isReversed: isReversed, isCased: isCased))
    }

    /// Values in the order of keys, one key for each; values with equal keys keep their order.
    func sorted(
        _ values: [Value], by keys: [Value], isReversed: Bool, isCased: Bool
    ) throws -> [Value] {
        let keys = isCased ? keys : keys.map(\.folded)
        for key in keys { try charge(key.text?.utf8.count ?? 0) }
        let order = try values.indices.sorted { left, right in
            try chargeAll(keys[left])
            let (a, b) = isReversed ? (keys[right], keys[left]) : (keys[left], keys[right])
            if case .undefined(let reason) = a { throw failure(reason) }
            guard let isLess = a.isLess(than: b) else {
                throw failure("\(a.kind) and \(b.kind) have no order")
            }
            return isLess
        }
        return order.map { values[$0] }
    }
}

extension Value {
    /// The value for comparisons that ignore case.
    var folded: Value {
        if case .string(let text) = self { return .string(PythonText.lower(text)) }
        return self
    }
}

/// Numbers in text, read and rounded as in Python.
enum TemplateNumber {
    static func integer(_ text: String, base: Int) -> Int? {
        guard (2...36).contains(base) else { return nil }
        var digits = PythonText.stripped(text, nil, left: true, right: true)
        let sign = digits.hasPrefix("-") ? "-" : ""
        if digits.hasPrefix("-") || digits.hasPrefix("+") { digits.removeFirst() }
        let prefixes = [16: "0x", 8: "0o", 2: "0b"]
        if let prefix = prefixes[base], digits.lowercased().hasPrefix(prefix) {
            digits = String(digits.dropFirst(2))
        }
        guard let first = digits.unicodeScalars.first, first != "_", first != "+", first != "-",
            digits.last != "_", !digits.contains("__")
        else { return nil }
        return Int(sign + digits.filter { $0 != "_" }, radix: base)
    }

    static func double(_ text: String) -> Double? {
        let digits = PythonText.stripped(text, nil, left: true, right: true)
        guard !digits.lowercased().contains("x"), digits.utf8.allSatisfy({ $0 < 0x80 }) else {
            return nil
        }
        return Double(digits)
    }

    /// Rounded to digits after the point; ties of the written number go to the even digit.
    static func rounded(_ number: Double, digits: Int) -> Double {
        guard number.isFinite else { return number }
        if digits >= 0 { return Double(String(format: "%.\(digits)f", number)) ?? number }
        let scale = pow(10, Double(-digits))
        return (number / scale).rounded(.toNearestOrEven) * scale
    }
}
