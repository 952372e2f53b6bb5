/// Filters on iterable values.
extension TemplateEvaluator {
    func listFilter(
        _ name: String, _ value: Value, _ arguments: CallArguments
    ) throws -> Value? {
        switch name {
        case "batch": return try batch(value, arguments)
        case "first": return try elements(value, for: name).first ?? .undefined("the list is empty")
        case "last":
            if case .stream = value { throw failure("“last” wants a list, not a generator") }
            return try elements(value, for: name).last ?? .undefined("the list is empty")
        case "join": return try join(value, arguments)
        case "list": return try list(elements(value, for: name))
        case "map": return try map(value, arguments)
        case "max", "min": return try extreme(name, value, arguments)
        case "reverse":
            if let text = value.text {
                var reversed = String.UnicodeScalarView()
                for scalar in text.unicodeScalars.reversed() { reversed.append(scalar) }
                return try string(String(reversed))
            }
            return try stream(elements(value, for: name).reversed())
        case "select": return try select(value, arguments, byAttribute: false, keeps: true)
        case "reject": return try select(value, arguments, byAttribute: false, keeps: false)
        case "selectattr": return try select(value, arguments, byAttribute: true, keeps: true)
        case "rejectattr": return try select(value, arguments, byAttribute: true, keeps: false)
        case "sort":
            let values = try elements(value, for: name)
            let keys = try parts(values, arguments.value(2, "attribute"))
            return try list(
                sorted(
                    values, by: keys, isReversed: arguments.value(0, "reverse")?.isTrue ?? false,
                    isCased: arguments.value(1, "case_sensitive")?.isTrue ?? false))
        case "sum": return try sum(value, arguments)
        case "unique": return try unique(value, arguments)
        default: return nil
        }
    }

    /// The part of a value at an attribute path such as `function.name` or `0`.
    private func part(_ value: Value, _ path: Value) throws -> Value {
        if path.integer != nil { return try item(value, path) }
        guard let text = path.text else {
            throw failure("an attribute is a text or a number, not \(path.kind)")
        }
        return try text.split(separator: ".", omittingEmptySubsequences: false).reduce(value) {
            try item($0, Int($1).map { .int($0) } ?? .string(String($1)))
        }
    }

    private func parts(_ values: [Value], _ path: Value?) throws -> [Value] {
        guard let path, !path.isNone else { return values }
        return try values.map { try part($0, path) }
    }

    private func batch(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let size = try number(arguments, 0, "linecount", default: 0)
        guard size > 0 else { throw failure("“batch” wants a size of at least 1") }
        let values = try elements(value, for: "batch")
        var batches: [Value] = []
        for start in stride(from: 0, to: values.count, by: size) {
            var batch = Array(values[start..<min(start + size, values.count)])
            if let filler = arguments.value(1, "fill_with"), !filler.isNone, batch.count < size {
                try checkLength(size)
                batch += Array(repeating: filler, count: size - batch.count)
            }
            batches.append(try list(batch))
        }
        return try stream(batches)
    }

    private func join(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let separator = try shown(arguments.value(0, "d") ?? .string(""))
        let values = try parts(elements(value, for: "join"), arguments.value(1, "attribute"))
        var text = ""
        for (index, value) in values.enumerated() {
            if index > 0 { text += separator }
            text += try shown(value)
            try charge(separator.utf8.count)
            try checkLength(text.utf8.count)
        }
        return try string(text)
    }

    private func map(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let values = try elements(value, for: "map")
        if let path = arguments.named.first(where: { $0.name == "attribute" })?.value {
            let fallback = arguments.named.first { $0.name == "default" }?.value
            return try stream(
                values.map { value in
                    let found = try part(value, path)
                    if case .undefined = found { return fallback ?? found }
                    return found
                })
        }
        guard let name = arguments.values.first?.text else {
            throw failure("“map” wants the name of a filter, or attribute=")
        }
        let rest = CallArguments(
            values: Array(arguments.values.dropFirst()), named: arguments.named)
        return try stream(values.map { try nestedFilter(name, $0, rest) })
    }

    private func nestedFilter(
        _ name: String, _ value: Value, _ arguments: CallArguments
    ) throws -> Value {
        try charge()
        return try nested { try filter(name, value, arguments) }
    }

    private func select(
        _ value: Value, _ arguments: CallArguments, byAttribute: Bool, keeps: Bool
    ) throws -> Value {
        let values = try elements(value, for: "select")
        var rest = arguments
        var path: Value?
        if byAttribute {
            guard !rest.values.isEmpty else { throw failure("an attribute's name is missing") }
            path = rest.values.removeFirst()
        }
        let name = rest.values.isEmpty ? nil : rest.values.removeFirst()
        guard name == nil || name?.text != nil else { throw failure("a test's name is a text") }
        return try stream(
            values.filter { value in
                try charge()
                let tested = try path.map { try part(value, $0) } ?? value
                let holds = try name?.text.map { try test($0, tested, rest) } ?? tested.isTrue
                return holds == keeps
            })
    }

    private func extreme(
        _ name: String, _ value: Value, _ arguments: CallArguments
    ) throws -> Value {
        let values = try elements(value, for: name)
        let isCased = arguments.value(0, "case_sensitive")?.isTrue ?? false
        let keys = try parts(values, arguments.value(1, "attribute"))
        guard !values.isEmpty else { return .undefined("the list is empty") }
        var best = 0
        for place in values.indices.dropFirst() {
            let (a, b) = name == "min" ? (keys[place], keys[best]) : (keys[best], keys[place])
            try chargeAll(a)
            let isLess = isCased ? a.isLess(than: b) : a.folded.isLess(than: b.folded)
            guard let isLess else { throw failure("\(a.kind) and \(b.kind) have no order") }
            if isLess { best = place }
        }
        return values[best]
    }

    private func sum(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let values = try parts(elements(value, for: "sum"), arguments.value(0, "attribute"))
        return try values.reduce(arguments.value(1, "start") ?? .int(0)) { sum, value in
            try charge()
            return try arithmetic(.add, sum, value)
        }
    }

    private func unique(_ value: Value, _ arguments: CallArguments) throws -> Value {
        let values = try elements(value, for: "unique")
        let keys = try parts(values, arguments.value(1, "attribute"))
        let isCased = arguments.value(0, "case_sensitive")?.isTrue ?? false
        var seen = ValueDictionary()
        var kept: [Value] = []
        for (value, key) in zip(values, keys) {
            try chargeAll(key)
            let key = isCased ? key : key.folded
            if seen[key] != nil { continue }
            guard seen.set(key, .none) else { throw failure("\(key.kind) cannot be compared") }
            kept.append(value)
        }
        return try stream(kept)
    }
}
