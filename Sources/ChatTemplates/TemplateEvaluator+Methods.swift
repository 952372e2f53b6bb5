import Foundation

/// Global functions, and the methods of texts, lists and mappings.
extension TemplateEvaluator {
    static let globals: Set<String> = [
        "range", "namespace", "dict", "raise_exception", "strftime_now",
    ]

    func callGlobal(_ name: String, _ arguments: CallArguments) throws -> Value {
        switch name {
        case "range": return try range(arguments)
        case "namespace", "dict":
            var dictionary = ValueDictionary()
            if case .dictionary(let given)? = arguments.values.first { dictionary = given }
            for argument in arguments.named {
                dictionary.set(.string(argument.name), argument.value)
            }
            return name == "dict"
                ? try self.dictionary(dictionary) : try namespace(dictionary)
        case "raise_exception":
            throw TemplateError.refused(message: try shown(arguments.value(0, "message") ?? .none))
        default: return try string(formattedDate(try text(arguments, 0, "format", in: name)))
        }
    }

    private func range(_ arguments: CallArguments) throws -> Value {
        let bounds = try arguments.values.map { value in
            guard let number = value.integer else {
                throw failure("“range” wants whole numbers, not \(value.kind)")
            }
            return number
        }
        guard (1...3).contains(bounds.count) else {
            throw failure("“range” wants one to three numbers")
        }
        let start = bounds.count == 1 ? 0 : bounds[0]
        let end = bounds.count == 1 ? bounds[0] : bounds[1]
        let step = bounds.count == 3 ? bounds[2] : 1
        guard step != 0 else { throw failure("the step of a range cannot be 0") }
        var values: [Value] = []
        for number in stride(from: start, to: end, by: step) {
            guard values.count < TemplateLimits.range else {
                throw failure("the range is longer than \(TemplateLimits.range)")
            }
            values.append(.int(number))
        }
        return try list(values)
    }

    private func formattedDate(_ format: String) throws -> String {
        guard format.utf8.count <= 256 else { throw failure("the format of a date is too long") }
        var seconds = time_t(now.timeIntervalSince1970.rounded(.down))
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { throw failure("there is no date") }
        // A character in front distinguishes an empty result from one that did not fit.
        var buffer = [CChar](repeating: 0, count: 8192)
        let length = strftime(&buffer, buffer.count, "x" + format, &parts)
        guard length > 0 else { throw failure("the date does not fit") }
        let bytes = buffer[1..<length].map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Methods

    /// A method of a value; nil if it has none of this name.
    func method(_ value: Value, _ name: String) throws -> Value? {
        let known: Set<String>
        let changing: Set<String>
        switch value {
        case .string: (known, changing) = (Self.textMethods, [])
        case .dictionary:
            (known, changing) = (
                ["items", "keys", "values", "get", "copy"],
                ["clear", "pop", "popitem", "setdefault", "update"]
            )
        case .list:
            (known, changing) = (
                ["index", "count", "copy"],
                ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]
            )
        case .tuple: (known, changing) = (["index", "count"], [])
        default: return nil
        }
        if changing.contains(name) {
            throw failure("“\(name)” would change \(value.kind), which templates may not")
        }
        return known.contains(name) ? .function(.method(value, name)) : nil
    }

    func callMethod(
        _ receiver: Value, _ name: String, _ arguments: CallArguments
    ) throws -> Value {
        switch receiver {
        case .string(let text):
            try charge(text.utf8.count)
            return try callTextMethod(text, name, arguments)
        case .dictionary(let dictionary): return try callMethod(dictionary, name, arguments)
        case .list(let list), .tuple(let list):
            if name == "copy" { return receiver }
            guard let wanted = arguments.values.first else {
                throw failure("“\(name)” wants something to look for")
            }
            for _ in list { try charge(wanted.weight) }
            if name == "count" { return .int(list.count { $0.isEqual(to: wanted) }) }
            guard let place = list.firstIndex(where: { $0.isEqual(to: wanted) }) else {
                throw failure("the list does not hold what “index” looks for")
            }
            return .int(place)
        case .loop(let loop): return try callMethod(loop, name, arguments)
        default: throw failure("\(receiver.kind) has no “\(name)”")
        }
    }

    private func callMethod(
        _ dictionary: ValueDictionary, _ name: String, _ arguments: CallArguments
    ) throws -> Value {
        switch name {
        case "get":
            guard let key = arguments.values.first else { throw failure("“get” wants a key") }
            try chargeAll(key)
            return dictionary[key] ?? arguments.value(1, "default") ?? .none
        case "items": return try list(dictionary.items)
        case "keys": return try list(dictionary.keys)
        case "values": return try list(dictionary.values)
        default: return .dictionary(dictionary)
        }
    }

    private func callMethod(
        _ loop: LoopState, _ name: String, _ arguments: CallArguments
    ) throws -> Value {
        if name == "cycle" {
            guard !arguments.values.isEmpty else { throw failure("“cycle” wants values") }
            return arguments.values[loop.index % arguments.values.count]
        }
        let given = try shown(.tuple(ValueList(arguments.values)))
        defer { loop.changed = given }
        return .bool(loop.changed.map { !$0.utf8.elementsEqual(given.utf8) } ?? true)
    }
}
