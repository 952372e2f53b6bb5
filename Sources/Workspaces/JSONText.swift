import Foundation

/// JSON as the workspace writes it: fields in the order of the record, whole numbers without a
/// point, text in UTF-8 with only the escapes that JSON demands. The same value always gives the
/// same bytes.
struct JSONWriter {
    /// Deeper values are refused, so that reading one back never exhausts the stack.
    static let maximumDepth = 64

    private(set) var bytes: [UInt8] = []

    mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func number(_ value: Double) {
        if let whole = Int(exactly: value), abs(whole) <= 1 << 53, whole != 0 || value.sign == .plus
        {
            bytes.append(contentsOf: String(whole).utf8)
        } else if value.isFinite {
            bytes.append(contentsOf: value.description.utf8)
        } else {
            raw("{\"$number\":")
            text(value.isNaN ? "nan" : value < 0 ? "-inf" : "inf")
            raw("}")
        }
    }

    mutating func text(_ value: String) {
        var value = value
        bytes.append(UInt8(ascii: "\""))
        value.withUTF8 { utf8 in
            var start = 0
            for place in utf8.indices {
                let byte = utf8[place]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                else { continue }
                bytes.append(contentsOf: utf8[start..<place])
                start = place + 1
                escape(byte)
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            raw("u00")
            bytes.append(contentsOf: hexadecimal([byte]).utf8)
        }
    }

    /// Writes a value tree. `array` is asked for what stands in place of an array, given its path.
    ///
    /// A key that starts with `$` gets a second one, because `{"$array": …}` and `{"$number": …}`
    /// are how arrays and non-finite numbers look.
    mutating func value(
        _ value: StoredValue, at path: [PathStep] = [],
        array: (StoredArray, [PathStep]) throws -> String
    ) throws {
        guard path.count <= Self.maximumDepth else { throw JSONError.tooDeep }
        switch value {
        case .null: raw("null")
        case .bool(let flag): raw(flag ? "true" : "false")
        case .number(let number): self.number(number)
        case .text(let text): self.text(text)
        case .array(let leaf):
            let name = try array(leaf, path)
            raw("{\"$array\":")
            text(name)
            raw("}")
        case .list(let items):
            raw("[")
            for (place, item) in items.enumerated() {
                if place > 0 { raw(",") }
                try self.value(item, at: path + [.index(place)], array: array)
            }
            raw("]")
        case .record(let record):
            var keys = KeySet()
            raw("{")
            for (place, field) in record.fields.enumerated() {
                guard keys.insert(field.key) else { throw JSONError.duplicateKey(field.key) }
                if place > 0 { raw(",") }
                text(field.key.hasDollar ? "$" + field.key : field.key)
                raw(":")
                try self.value(field.value, at: path + [.key(field.key)], array: array)
            }
            raw("}")
        }
    }
}

/// One step from the root of a value tree to a leaf.
enum PathStep {
    case key(String)
    case index(Int)
}

/// What can be wrong with JSON text, or with a value on its way to it. Offsets count bytes.
enum JSONError: Error, Equatable {
    case tooDeep
    case duplicateKey(String)
    case syntax(offset: Int, expected: String)
}

extension String {
    fileprivate var hasDollar: Bool { utf8.first == UInt8(ascii: "$") }

    /// Strings are equal when they look the same; keys are equal only when their bytes are.
    func hasSameBytes(as other: String) -> Bool {
        self == other && utf8.elementsEqual(other.utf8)
    }
}

/// The keys of a record so far. Most records are small, and there comparing beats hashing.
private struct KeySet {
    private var few: [String] = []
    private var many: Set<[UInt8]> = []

    mutating func insert(_ key: String) -> Bool {
        if many.isEmpty {
            if few.contains(where: { $0.hasSameBytes(as: key) }) { return false }
            few.append(key)
            if few.count == 24 { many = Set(few.map { Array($0.utf8) }) }
            return true
        }
        return many.insert(Array(key.utf8)).inserted
    }
}

/// Reads JSON text into a value tree in time and memory linear in its length.
///
/// `{"$array": …}` comes back as an ordinary record; `resolved(arrays:)` puts arrays in their
/// place.
struct JSONReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0

    static func read(_ bytes: [UInt8]) throws -> StoredValue {
        try bytes.withUnsafeBufferPointer { try read($0) }
    }

    static func read(_ bytes: UnsafeBufferPointer<UInt8>) throws -> StoredValue {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.place == bytes.count else { throw reader.expected("the end") }
        return value
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func expected(_ what: String) -> JSONError { .syntax(offset: place, expected: what) }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            place += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func value(depth: Int) throws -> StoredValue {
        guard depth <= JSONWriter.maximumDepth else { throw JSONError.tooDeep }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return .record(try record(depth: depth))
        case UInt8(ascii: "["): return .list(try list(depth: depth))
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: String, _ value: StoredValue) throws -> StoredValue {
        for byte in word.utf8 {
            guard take(byte) else { throw expected(word) }
        }
        return value
    }

    private mutating func list(depth: Int) throws -> [StoredValue] {
        place += 1
        var items: [StoredValue] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return items }
        while true {
            items.append(try value(depth: depth + 1))
            skipBlanks()
            if take(UInt8(ascii: "]")) { return items }
            guard take(UInt8(ascii: ",")) else { throw expected("',' or ']'") }
        }
    }

    private mutating func record(depth: Int) throws -> StoredRecord {
        place += 1
        var record = StoredRecord()
        var keys = KeySet()
        skipBlanks()
        if take(UInt8(ascii: "}")) { return record }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw expected("a key") }
            let key = try text()
            guard keys.insert(key) else { throw JSONError.duplicateKey(key) }
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw expected("':'") }
            let value = try value(depth: depth + 1)
            record.fields.append(.init(key: key, value: value))
            skipBlanks()
            if take(UInt8(ascii: "}")) { return record }
            guard take(UInt8(ascii: ",")) else { throw expected("',' or '}'") }
        }
    }

    private mutating func number() throws -> Double {
        let start = place
        _ = take(UInt8(ascii: "-"))
        var whole = 0
        var digits = 0
        while let byte = next, byte >= 0x30, byte <= 0x39 {
            if digits < 18 { whole = whole * 10 + Int(byte - 0x30) }
            digits += 1
            place += 1
        }
        guard digits > 0 else { throw expected("a value") }
        let isFraction =
            next == UInt8(ascii: ".") || next == UInt8(ascii: "e") || next == UInt8(ascii: "E")
        if !isFraction, digits <= 15 {
            return bytes[start] == UInt8(ascii: "-") ? -Double(whole) : Double(whole)
        }
        while let byte = next,
            byte >= 0x30 && byte <= 0x39 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e")
                || byte == UInt8(ascii: "E") || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: "-")
        {
            place += 1
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        guard text.utf8.count <= 64, let value = Double(text), value.isFinite else {
            place = start
            throw expected("a number")
        }
        return value
    }

    private mutating func text() throws -> String {
        place += 1
        let start = place
        // Most strings have no escape: one pass, one copy.
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20
        {
            place += 1
        }
        if next == UInt8(ascii: "\"") {
            let slice = UnsafeBufferPointer(rebasing: bytes[start..<place])
            place += 1
            guard let text = String(validating: slice, as: UTF8.self) else {
                throw expected("valid UTF-8 before this")
            }
            return text
        }
        var unescaped = Array(bytes[start..<place])
        while true {
            guard let byte = next, byte >= 0x20 else { throw expected("the end of the text") }
            place += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: unescaped, as: UTF8.self) else {
                    throw expected("valid UTF-8 before this")
                }
                return text
            case UInt8(ascii: "\\"): try appendEscape(to: &unescaped)
            default: unescaped.append(byte)
            }
        }
    }

    private mutating func appendEscape(to unescaped: inout [UInt8]) throws {
        guard let byte = next else { throw expected("an escape") }
        place += 1
        switch byte {
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "u"):
            var code = UInt32(try fourHexDigits())
            if code >= 0xD800, code < 0xDC00 {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw expected("the second half of a surrogate pair")
                }
                let low = UInt32(try fourHexDigits())
                guard low >= 0xDC00, low < 0xE000 else {
                    throw expected("the second half of a surrogate pair")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw expected("a Unicode scalar") }
            unescaped.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default:
            place -= 1
            throw expected("an escape")
        }
    }

    private mutating func fourHexDigits() throws -> UInt16 {
        guard place + 4 <= bytes.count else { throw expected("four hexadecimal digits") }
        var code: UInt16 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = hexadecimalDigit(byte) else {
                throw expected("four hexadecimal digits")
            }
            code = code << 4 | UInt16(digit)
        }
        place += 4
        return code
    }
}
