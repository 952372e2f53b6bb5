/// Reads JSON from files that strangers wrote: depth is bounded, keys are unique, and what is wrong is
/// said with its line. Linear in the size of the text.
struct JSONReader {
    static let depthLimit = 128

    private let bytes: [UInt8]
    private var place = 0

    static func read(_ bytes: [UInt8]) throws -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw TokenizerError.notUTF8 }
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.place == bytes.count else { throw reader.problem("text after the document") }
        return value
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipBlanks() {
        while place < bytes.count {
            switch bytes[place] {
            case 0x20, 0x0A, 0x0D, 0x09: place += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth <= Self.depthLimit else {
            throw TokenizerError.tooDeep(limit: Self.depthLimit)
        }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw problem("the document ends too early")
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        let end = place + text.utf8CodeUnitCount
        guard end <= bytes.count, String(decoding: bytes[place..<end], as: UTF8.self) == "\(text)"
        else {
            throw problem("a value was expected")
        }
        place = end
        return value
    }

    private mutating func object(depth: Int) throws -> JSONValue {
        place += 1
        var members: [JSONValue.Member] = []
        var seen = ByteTable()
        skipBlanks()
        if next == UInt8(ascii: "}") {
            place += 1
            return .object([])
        }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw problem("a key in quotes was expected") }
            let key = try string()
            guard seen.insert(Array(key.utf8)).isNew else {
                throw TokenizerError.duplicateKey(key: key, line: position.line)
            }
            skipBlanks()
            guard next == UInt8(ascii: ":") else { throw problem("a colon was expected") }
            place += 1
            members.append(JSONValue.Member(key, try value(depth: depth + 1)))
            skipBlanks()
            if next == UInt8(ascii: ",") {
                place += 1
            } else if next == UInt8(ascii: "}") {
                place += 1
                return .object(members)
            } else {
                throw problem("a comma or } was expected")
            }
        }
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        place += 1
        var values: [JSONValue] = []
        skipBlanks()
        if next == UInt8(ascii: "]") {
            place += 1
            return .array([])
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipBlanks()
            if next == UInt8(ascii: ",") {
                place += 1
            } else if next == UInt8(ascii: "]") {
                place += 1
                return .array(values)
            } else {
                throw problem("a comma or ] was expected")
            }
        }
    }

    private mutating func number() throws -> JSONValue {
        let start = place
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        if next == UInt8(ascii: "-") { place += 1 }
        guard isDigit(next) else { throw problem("a value was expected") }
        if next == UInt8(ascii: "0") {
            place += 1
        } else {
            while isDigit(next) { place += 1 }
        }
        if next == UInt8(ascii: ".") {
            place += 1
            guard isDigit(next) else { throw problem("a digit was expected") }
            while isDigit(next) { place += 1 }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            place += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            guard isDigit(next) else { throw problem("a digit was expected") }
            while isDigit(next) { place += 1 }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        guard let number = Double(text), number.isFinite else {
            throw problem("the number \(text.prefix(40)) is out of range")
        }
        return .number(number)
    }

    private mutating func string() throws -> String {
        place += 1
        let start = place
        // Most strings hold no escapes and are taken as they stand.
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20
        {
            place += 1
        }
        if next == UInt8(ascii: "\"") {
            defer { place += 1 }
            return String(decoding: bytes[start..<place], as: UTF8.self)
        }
        var text = Array(bytes[start..<place])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                place += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                place += 1
                try escape(into: &text)
            case 0..<0x20:
                throw problem("a line end or control character inside quotes")
            default:
                text.append(byte)
                place += 1
            }
        }
        throw problem("the quotes are never closed")
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let byte = next else { throw problem("the document ends too early") }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourDigits()
            if (0xD800..<0xDC00).contains(code) {
                guard next == UInt8(ascii: "\\"), place + 1 < bytes.count,
                    bytes[place + 1] == UInt8(ascii: "u")
                else { throw problem("half a surrogate pair") }
                place += 2
                let low = try fourDigits()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw problem("half a surrogate pair")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw problem("half a surrogate pair") }
            text.append(contentsOf: String(scalar).utf8)
        default: throw problem("an unknown escape")
        }
    }

    private mutating func fourDigits() throws -> UInt32 {
        guard place + 4 <= bytes.count else { throw problem("the document ends too early") }
        var code: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            let digit =
                Unicode.Scalar(byte).properties.isASCIIHexDigit
                ? Character(Unicode.Scalar(byte)).hexDigitValue : nil
            guard let digit else { throw problem("four hexadecimal digits were expected") }
            code = code << 4 | UInt32(digit)
        }
        place += 4
        return code
    }

    private var position: (line: Int, column: Int) {
        let before = bytes.prefix(place)
        let line = 1 + before.count { $0 == 0x0A }
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return (line, 1 + String(decoding: before[start...], as: UTF8.self).unicodeScalars.count)
    }

    private func problem(_ text: String) -> TokenizerError {
        .notJSON(line: position.line, column: position.column, problem: text)
    }
}
