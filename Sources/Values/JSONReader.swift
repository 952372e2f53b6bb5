/// The fault of an invalid JSON text, and its place.
package struct JSONError: Error, Equatable {
    /// Counted from 1, within the text.
    package var line: Int
    package var column: Int
    package var problem: String
}

/// Reads JSON (RFC 8259) into values. Nesting is limited, so that a hostile file cannot exhaust
/// the stack.
package enum JSONReader {
    static let depthLimit = 200

    package static func value(_ text: String) throws(JSONError) -> Value {
        try value(Array(text.utf8)[...])
    }

    package static func value(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> Value {
        var reader = Reader(bytes: bytes)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        if reader.position < bytes.endIndex {
            throw reader.error("more text follows the end of the value")
        }
        return value
    }

    private struct Reader {
        let bytes: ArraySlice<UInt8>
        var position: Int

        init(bytes: ArraySlice<UInt8>) {
            self.bytes = bytes
            position = bytes.startIndex
            // A byte order mark is not part of the text.
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position += 3 }
        }

        var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

        func error(_ problem: String) -> JSONError {
            let before = bytes[..<position]
            let line = before.reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
            let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? bytes.startIndex
            let column = String(decoding: bytes[start..<position], as: UTF8.self).count + 1
            return JSONError(line: line, column: column, problem: problem)
        }

        mutating func skipBlanks() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                position += 1
            }
        }

        mutating func value(depth: Int) throws(JSONError) -> Value {
            skipBlanks()
            guard depth < JSONReader.depthLimit else { throw error("it is nested too deeply") }
            switch next {
            case nil: throw error("the text ends where a value was expected")
            case UInt8(ascii: "{"): return try record(depth: depth)
            case UInt8(ascii: "["): return try list(depth: depth)
            case UInt8(ascii: "\""): return .text(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return try number()
            }
        }

        private mutating func word(_ word: String, _ value: Value) throws(JSONError) -> Value {
            guard bytes[position...].starts(with: word.utf8) else {
                throw error("a value was expected here")
            }
            position += word.utf8.count
            return value
        }

        private mutating func number() throws(JSONError) -> Value {
            let start = position
            while let byte = next {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                    UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                    position += 1
                    continue
                default: break
                }
                break
            }
            let digits = String(decoding: bytes[start..<position], as: UTF8.self)
            guard let first = digits.utf8.first, first != UInt8(ascii: "+"),
                first != UInt8(ascii: "."), let number = Double(digits)
            else {
                position = start
                throw error(digits.isEmpty ? "a value was expected here" : "this is not a number")
            }
            return .number(number)
        }

        private mutating func list(depth: Int) throws(JSONError) -> Value {
            position += 1
            var items: [Value] = []
            skipBlanks()
            if next == UInt8(ascii: "]") {
                position += 1
                return .list(items)
            }
            while true {
                items.append(try value(depth: depth + 1))
                if try !comma(or: UInt8(ascii: "]"), "\"]\"") { return .list(items) }
            }
        }

        private mutating func record(depth: Int) throws(JSONError) -> Value {
            position += 1
            var record = Record()
            skipBlanks()
            if next == UInt8(ascii: "}") {
                position += 1
                return .record(record)
            }
            while true {
                skipBlanks()
                guard next == UInt8(ascii: "\"") else { throw error("a field name was expected") }
                let key = try string()
                skipBlanks()
                guard next == UInt8(ascii: ":") else {
                    throw error("\":\" was expected after a field name")
                }
                position += 1
                record[key] = try value(depth: depth + 1)
                if try !comma(or: UInt8(ascii: "}"), "\"}\"") { return .record(record) }
            }
        }

        /// True after a comma, false after the closing bracket.
        private mutating func comma(or close: UInt8, _ name: String) throws(JSONError) -> Bool {
            skipBlanks()
            guard let byte = next, byte == UInt8(ascii: ",") || byte == close else {
                throw error("\",\" or \(name) was expected")
            }
            position += 1
            return byte != close
        }

        private mutating func string() throws(JSONError) -> String {
            position += 1
            var text: [UInt8] = []
            while true {
                guard let byte = next, byte != 0x0A else {
                    throw error("the closing quote is missing")
                }
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
                case UInt8(ascii: "\\"): try escape(into: &text)
                default: text.append(byte)
                }
            }
        }

        private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
            guard let byte = next else { throw error("the closing quote is missing") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "u"):
                var unit = try hexadecimal()
                if (0xD800..<0xDC00).contains(unit), bytes[position...].starts(with: [0x5C, 0x75]) {
                    position += 2
                    let low = try hexadecimal()
                    if (0xDC00..<0xE000).contains(low) {
                        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
                    }
                }
                // A lone surrogate is invalid; it becomes the replacement character.
                let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
                text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
            default: throw error("this escape is not one that JSON has")
            }
        }

        private mutating func hexadecimal() throws(JSONError) -> UInt32 {
            var value: UInt32 = 0
            for _ in 0..<4 {
                guard let byte = next,
                    let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80
                else { throw error("four hexadecimal digits were expected after \\u") }
                value = value << 4 | UInt32(digit)
                position += 1
            }
            return value
        }
    }
}
