/// The methods of texts.
extension TemplateEvaluator {
    static let textMethods: Set<String> = [
        "capitalize", "casefold", "center", "count", "endswith", "find", "index", "isalnum",
        "isalpha", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "isupper", "join",
        "ljust", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind",
        "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith",
        "strip", "swapcase", "title", "upper", "zfill",
    ]

    func callTextMethod(
        _ text: String, _ name: String, _ arguments: CallArguments
    ) throws -> Value {
        switch name {
        case "capitalize": return try string(PythonText.capitalized(text))
        case "lower", "casefold": return try string(PythonText.lower(text))
        case "upper": return try string(PythonText.upper(text))
        case "title": return try string(PythonText.titledByLetters(text))
        case "swapcase": return try string(PythonText.swapped(text))
        case "strip", "lstrip", "rstrip":
            let characters = try optionalText(arguments, 0, "chars", in: name)
            return try string(
                PythonText.stripped(
                    text, characters, left: name != "rstrip", right: name != "lstrip"))
        case "startswith", "endswith": return try .bool(begins(text, name, arguments))
        case "removeprefix", "removesuffix":
            let part = Array(try self.text(arguments, 0, "text", in: name).utf8)
            let bytes = Array(text.utf8)
            if name == "removeprefix" {
                guard bytes.starts(with: part) else { return .string(text) }
                return try string(String(decoding: bytes.dropFirst(part.count), as: UTF8.self))
            }
            guard bytes.count >= part.count, bytes.suffix(part.count).elementsEqual(part) else {
                return .string(text)
            }
            return try string(String(decoding: bytes.dropLast(part.count), as: UTF8.self))
        case "split", "rsplit": return try split(text, name, arguments)
        case "splitlines":
            let keepsEnds = arguments.value(0, "keepends")?.isTrue ?? false
            return try list(
                PythonText.lines(text, keepsEnds: keepsEnds).map { Value.string($0) })
        case "partition", "rpartition": return try partition(text, name, arguments)
        case "replace":
            let limit = arguments.value(2, "count")?.integer
            return try replaced(
                text, self.text(arguments, 0, "old", in: name),
                self.text(arguments, 1, "new", in: name), limit)
        case "join":
            guard let given = arguments.values.first else { throw failure("join what?") }
            let parts = try elements(given, for: name)
            guard parts.allSatisfy({ $0.text != nil }) else {
                throw failure("“join” joins texts only; the filter of that name takes anything")
            }
            return try filter("join", given, CallArguments(values: [.string(text)]))
        case "find", "index", "rfind", "rindex", "count":
            return try find(text, name, arguments)
        case "ljust", "rjust", "center":
            let width = try number(arguments, 0, "width", default: 0)
            let filler = try optionalText(arguments, 1, "fillchar", in: name) ?? " "
            guard filler.unicodeScalars.count == 1 else {
                throw failure("“\(name)” fills with one character")
            }
            return try padded(
                text, width, left: name != "ljust", right: name != "rjust", with: filler)
        case "zfill":
            let width = try number(arguments, 0, "width", default: 0)
            let sign = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.prefix(1)) : ""
            let digits = String(text.dropFirst(sign.count))
            let filled = try padded(
                digits, max(width, 0) - sign.count, left: true, right: false, with: "0")
            return try string(sign + filled.shown)
        default: return .bool(Self.isAll(text, name))
        }
    }

    private func optionalText(
        _ arguments: CallArguments, _ place: Int, _ name: String, in function: String
    ) throws -> String? {
        guard let value = arguments.value(place, name), !value.isNone else { return nil }
        return try text(arguments, place, name, in: function)
    }

    private func begins(
        _ text: String, _ name: String, _ arguments: CallArguments
    ) throws -> Bool {
        guard let given = arguments.values.first else { throw failure("“\(name)” wants a text") }
        let parts: [Value]
        if case .tuple(let tuple) = given { parts = tuple.values } else { parts = [given] }
        return try parts.contains { part in
            guard let part = part.text else {
                throw failure("“\(name)” wants a text, not \(part.kind)")
            }
            if name == "startswith" { return text.utf8.starts(with: part.utf8) }
            return text.utf8.reversed().starts(with: part.utf8.reversed())
        }
    }

    private func split(
        _ text: String, _ name: String, _ arguments: CallArguments
    ) throws -> Value {
        let separator = try optionalText(arguments, 0, "sep", in: name)
        guard separator != "" else {
            throw failure("“\(name)” wants a separator that is not empty")
        }
        let most = try number(arguments, 1, "maxsplit", default: -1)
        return try list(
            PythonText.split(text, separator, most: most, fromRight: name == "rsplit")
                .map { Value.string($0) })
    }

    private func partition(
        _ text: String, _ name: String, _ arguments: CallArguments
    ) throws -> Value {
        let separator = try self.text(arguments, 0, "sep", in: name)
        guard !separator.isEmpty else {
            throw failure("“\(name)” wants a separator that is not empty")
        }
        let isLast = name == "rpartition"
        let parts = PythonText.split(text, separator, most: 1, fromRight: isLast)
        if parts.count == 2 {
            return try tuple([.string(parts[0]), .string(separator), .string(parts[1])])
        }
        let (empty, whole) = (Value.string(""), Value.string(text))
        return try tuple(isLast ? [empty, empty, whole] : [whole, empty, empty])
    }

    /// Positions count code points.
    private func find(
        _ text: String, _ name: String, _ arguments: CallArguments
    ) throws -> Value {
        let part = Array(try self.text(arguments, 0, "sub", in: name).utf8)
        let count = text.unicodeScalars.count
        func bound(_ place: Int, _ fallback: Int) throws -> Int {
            let given = try number(arguments, place, "bound", default: fallback)
            return min(max(given < 0 ? given + count : given, 0), count)
        }
        let (start, end) = (try bound(1, 0), try bound(2, count))
        var found: [Int] = []
        if start <= end {
            let scalars = text.unicodeScalars.dropFirst(start).prefix(end - start)
            let bytes = Array(String(scalars).utf8)
            var place = 0
            while let next = Search.first(of: part, in: bytes, from: place) {
                found.append(next)
                if name == "find" || name == "index" { break }
                let step = part.isEmpty ? 1 : name == "count" ? part.count : 1
                place = next + step
                while place < bytes.count, bytes[place] & 0xC0 == 0x80 { place += 1 }
                try charge()
            }
            if name == "count" { return .int(found.count) }
            if let place = name.hasPrefix("r") ? found.last : found.first {
                let before = bytes[..<place].count { $0 & 0xC0 != 0x80 }
                return .int(start + before)
            }
        }
        if name == "count" { return .int(0) }
        guard name.hasSuffix("find") else {
            throw failure("the text does not hold what “\(name)” looks for")
        }
        return .int(-1)
    }

    private static func isAll(_ text: String, _ name: String) -> Bool {
        if name == "islower" { return PythonText.isCased(text, upper: false) }
        if name == "isupper" { return PythonText.isCased(text, upper: true) }
        return !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                let isLetter =
                    switch scalar.properties.generalCategory {
                    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter,
                        .otherLetter:
                        true
                    default: false
                    }
                let numeric = scalar.properties.numericType
                switch name {
                case "isalpha": return isLetter
                case "isalnum": return isLetter || numeric != nil
                case "isspace": return scalar.isPythonSpace
                case "isdecimal": return numeric == .decimal
                case "isdigit": return numeric == .decimal || numeric == .digit
                default: return numeric != nil
                }
            }
    }
}
