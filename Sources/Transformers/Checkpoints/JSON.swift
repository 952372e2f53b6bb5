/// A JSON document with its order and its numbers as they stand, so that what is read from a
/// directory can be written back unchanged.
indirect enum JSON: Sendable, Equatable {
    struct Member: Sendable, Equatable {
        var key: String
        var value: JSON
    }
    case null
    case bool(Bool)
    /// The digits of the file: 1e-05 stays 1e-05.
    case number(String)
    case text(String)
    case list([JSON])
    case object([Member])

    static func integer(_ value: Int) -> JSON { .number(String(value)) }
    /// The shortest digits that give the number back; as Python writes it, `1.0` and not `1`.
    static func double(_ value: Double) -> JSON { .number("\(value)") }

    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }
    var items: [JSON]? {
        if case .list(let items) = self { items } else { nil }
    }
    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }
    var bool: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }
    var double: Double? {
        if case .number(let digits) = self { Double(digits) } else { nil }
    }
    /// A whole number, written as one (`32`) or as a decimal without a fraction (`32.0`).
    var integer: Int? {
        guard case .number(let digits) = self else { return nil }
        return Int(digits) ?? Double(digits).flatMap { Int(exactly: $0) }
    }

    // MARK: Writing

    /// Indented by two, as the hub's own files are.
    var pretty: String {
        var out = ""
        write(into: &out, indent: 0)
        return out + "\n"
    }

    private func write(into out: inout String, indent: Int) {
        let margin = String(repeating: " ", count: indent + 2)
        let end = "\n" + String(repeating: " ", count: indent)
        switch self {
        case .null: out += "null"
        case .bool(let bool): out += bool ? "true" : "false"
        case .number(let digits): out += digits
        case .text(let text): out += Self.quoted(text)
        case .list(let items):
            if items.isEmpty { out += "[" }
            for (i, item) in items.enumerated() {
                out += (i == 0 ? "[\n" : ",\n") + margin
                item.write(into: &out, indent: indent + 2)
            }
            out += (items.isEmpty ? "" : end) + "]"
        case .object(let members):
            if members.isEmpty { out += "{" }
            for (i, member) in members.enumerated() {
                out += (i == 0 ? "{\n" : ",\n") + margin + Self.quoted(member.key) + ": "
                member.value.write(into: &out, indent: indent + 2)
            }
            out += (members.isEmpty ? "" : end) + "}"
        }
    }

    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

extension JSON {
    /// What is wrong with a text that should be JSON, and where.
    struct Problem: Error, Equatable {
        var line: Int
        var what: String
    }

    /// Reads one document. Depth is bounded and keys are unique, because the text may come from
    /// anybody.
    static func read(_ bytes: UnsafeRawBufferPointer, depthLimit: Int = 64) throws(Problem) -> JSON
    {
        var parser = Parser(bytes: bytes, depthLimit: depthLimit)
        return try parser.document()
    }

    static func read(_ bytes: [UInt8], depthLimit: Int = 64) throws(Problem) -> JSON {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(Problem) in try read(buffer, depthLimit: depthLimit) }
        }
        return try result.get()
    }

    private struct Parser {
        let bytes: UnsafeRawBufferPointer
        let depthLimit: Int
        var place = 0

        init(bytes: UnsafeRawBufferPointer, depthLimit: Int) {
            self.bytes = bytes
            self.depthLimit = depthLimit
        }

        var next: UInt8? { place < bytes.count ? bytes[place] : nil }

        func problem(_ what: String) -> Problem {
            Problem(line: 1 + bytes[..<min(place, bytes.count)].count { $0 == 0x0A }, what: what)
        }

        mutating func skipBlanks() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                place += 1
            }
        }

        mutating func document() throws(Problem) -> JSON {
            let value = try value(depth: 0)
            skipBlanks()
            guard place == bytes.count else { throw problem("something follows its end") }
            return value
        }

        mutating func value(depth: Int) throws(Problem) -> JSON {
            guard depth <= depthLimit else {
                throw problem("it is nested more than \(depthLimit) deep")
            }
            skipBlanks()
            switch next {
            case UInt8(ascii: "{"): return try object(depth)
            case UInt8(ascii: "["): return try list(depth)
            case UInt8(ascii: "\""): return .text(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            case nil: throw problem("it ends too early")
            default: return try number()
            }
        }

        mutating func word(_ word: StaticString, _ value: JSON) throws(Problem) -> JSON {
            for i in 0..<word.utf8CodeUnitCount {
                guard next == word.utf8Start[i] else { throw problem("a value was expected") }
                place += 1
            }
            return value
        }

        mutating func object(_ depth: Int) throws(Problem) -> JSON {
            place += 1
            var (members, seen): ([Member], Set<String>) = ([], [])
            skipBlanks()
            if next == UInt8(ascii: "}") {
                place += 1
                return .object([])
            }
            while true {
                skipBlanks()
                guard next == UInt8(ascii: "\"") else { throw problem("a key was expected") }
                let key = try string()
                guard seen.insert(key).inserted else {
                    throw problem("the key \(JSON.quoted(key)) stands there twice")
                }
                skipBlanks()
                guard next == UInt8(ascii: ":") else { throw problem("a colon was expected") }
                place += 1
                members.append(Member(key: key, value: try value(depth: depth + 1)))
                skipBlanks()
                switch next {
                case UInt8(ascii: ","): place += 1
                case UInt8(ascii: "}"):
                    place += 1
                    return .object(members)
                default: throw problem("a comma or } was expected")
                }
            }
        }

        mutating func list(_ depth: Int) throws(Problem) -> JSON {
            place += 1
            var items: [JSON] = []
            skipBlanks()
            if next == UInt8(ascii: "]") {
                place += 1
                return .list([])
            }
            while true {
                items.append(try value(depth: depth + 1))
                skipBlanks()
                switch next {
                case UInt8(ascii: ","): place += 1
                case UInt8(ascii: "]"):
                    place += 1
                    return .list(items)
                default: throw problem("a comma or ] was expected")
                }
            }
        }

        mutating func number() throws(Problem) -> JSON {
            let start = place
            while let byte = next,
                (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
            {
                place += 1
            }
            let digits = String(decoding: bytes[start..<place], as: UTF8.self)
            guard let first = digits.utf8.first, first != UInt8(ascii: "+"),
                first != UInt8(ascii: "."), let value = Double(digits), value.isFinite
            else { throw problem("a value was expected") }
            return .number(digits)
        }

        mutating func string() throws(Problem) -> String {
            place += 1
            let start = place
            while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""),
                byte != UInt8(ascii: "\\")
            {
                place += 1
            }
            var text = Array(bytes[start..<place])
            while let byte = next {
                place += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let string = String(validating: text, as: UTF8.self) else {
                        throw problem("a text is not UTF-8")
                    }
                    return string
                case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
                case 0..<0x20: throw problem("a control character stands inside quotes")
                default: text.append(byte)
                }
            }
            throw problem("a quote is never closed")
        }

        mutating func escape() throws(Problem) -> Unicode.Scalar {
            guard let byte = next else { throw problem("it ends too early") }
            place += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                return Unicode.Scalar(byte)
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"): break
            default: throw problem("an escape is unknown")
            }
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), next == UInt8(ascii: "\\") {
                place += 1
                guard next == UInt8(ascii: "u") else {
                    throw problem("half of a pair is missing")
                }
                place += 1
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw problem("half of a pair is missing")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw problem("half of a pair is missing")
            }
            return scalar
        }

        mutating func hexadecimal() throws(Problem) -> UInt32 {
            var code: UInt32 = 0
            for _ in 0..<4 {
                guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue
                else { throw problem("four hexadecimal digits were expected") }
                code = code << 4 | UInt32(digit)
                place += 1
            }
            return code
        }
    }
}
