extension JSON {
    /// Limits for a document.
    public struct Limits: Sendable {
        /// Nesting of arrays and objects. It limits the stack that reading needs.
        public var depth: Int
        /// Bytes of the document. A tree takes up to twenty times as much memory.
        public var bytes: Int

        public init(depth: Int = 128, bytes: Int = .max) {
            self.depth = depth
            self.bytes = bytes
        }
    }

    /// Faults that the reader repairs, for files of careless programs. Without these options it
    /// reports them.
    public struct Repairs: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Half of a surrogate pair, as in a text that was cut inside a character, becomes U+FFFD.
        /// The text around it is kept.
        public static let loneSurrogates = Repairs(rawValue: 1)
        /// If several members have the same key, the last value counts, as in Python.
        public static let repeatedKeys = Repairs(rawValue: 2)
    }

    /// The fault of a text that should be JSON, and its place. Both counts start at 1; columns
    /// count code points.
    public struct Problem: Error, Hashable, Sendable {
        public var line: Int
        public var column: Int
        public var fault: Fault

        public init(line: Int, column: Int, fault: Fault) {
            self.line = line
            self.column = column
            self.fault = fault
        }
    }

    public enum Fault: Error, Hashable, Sendable {
        case tooLarge(limit: Int)
        case tooDeep(limit: Int)
        case notUTF8(byte: UInt8)
        case endsEarly
        case textAfterEnd
        case noValue
        case notANumber
        /// `NaN`, `Infinity` or `-Infinity`, which Python's `json` writes.
        case pythonNumber(String)
        case numberTooLong
        case noKey
        case noColon
        /// A comma or the closing bracket was expected.
        case noComma(or: Character)
        case unclosedString
        case controlCharacter(UInt8)
        case unknownEscape
        case badHexadecimal
        case loneSurrogate
        case repeatedKey(String)
    }
}

extension JSON.Problem: CustomStringConvertible {
    /// With the place: "line 3, column 14: a comma or } was expected".
    public var description: String { "line \(line), column \(column): \(fault)" }
}

extension JSON.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let limit): "it has more than \(limit) bytes"
        case .tooDeep(let limit): "it is nested more than \(limit) deep"
        case .notUTF8(let byte):
            "the byte 0x\(String(byte, radix: 16, uppercase: true)) is not UTF-8 text"
        case .endsEarly: "the text ends too early"
        case .textAfterEnd: "more text follows the end of the value"
        case .noValue: "a value was expected"
        case .notANumber: "this is not a number"
        case .pythonNumber(let word):
            "\(word), which Python writes, is not JSON; write null or a number in its place"
        case .numberTooLong: "a number of more than \(JSON.Reader.longestNumber) digits"
        case .noKey: "a key in quotes was expected"
        case .noColon: "a colon was expected after a key"
        case .noComma(let bracket): "a comma or \(bracket) was expected"
        case .unclosedString: "the closing quote is missing"
        case .controlCharacter(0x0A): "the closing quote is missing before the end of the line"
        case .controlCharacter(let byte):
            "the control character 0x\(String(byte, radix: 16)) must be written as an escape"
        case .unknownEscape: "this escape is not one that JSON has"
        case .badHexadecimal: "four hexadecimal digits were expected after \\u"
        case .loneSurrogate: "half of a surrogate pair stands alone"
        case .repeatedKey(let key): "the key \(JSON.quoted(String(key.prefix(60)))) occurs twice"
        }
    }
}
