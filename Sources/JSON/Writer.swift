extension JSON {
    /// One line, without blanks.
    public var compact: String { written(Writer()) }

    /// Every element and member on a line of its own, indented by two blanks a level, in the style
    /// of Python and the `tokenizers` package.
    public var pretty: String { written(Writer(style: .indented)) }

    private func written(_ writer: Writer) -> String {
        var writer = writer
        writer.value(self)
        return writer.text
    }

    /// A text in quotes, with the mandatory escapes of JSON.
    public static func quoted(_ text: String) -> String {
        var writer = Writer()
        writer.string(text)
        return writer.text
    }

    /// Writes JSON part by part, for values that need no tree.
    ///
    /// ```swift
    /// var writer = JSON.Writer()
    /// writer.openObject()
    /// writer.key("loss")
    /// writer.number(0.25)
    /// writer.closeObject()      // {"loss":0.25}
    /// ```
    ///
    /// The same calls always give the same bytes: text in UTF-8 with only the mandatory escapes,
    /// and the shortest digits that represent each number.
    public struct Writer {
        public enum Style: Sendable {
            case compact
            /// By two blanks a level.
            case indented
            /// As `json.dumps(value, indent=1, ensure_ascii=False)` of Python writes: one blank a
            /// level, and \\b and \\f for two of the control characters.
            case python

            var isIndented: Bool { self != .compact }
        }

        public private(set) var bytes: [UInt8] = []
        private let style: Style
        /// The open arrays and objects, and whether each is written on one line.
        private var open: [(isFlat: Bool, isEmpty: Bool)] = []
        private var followsKey = false

        public init(style: Style = .compact) { self.style = style }

        public var text: String { String(decoding: bytes, as: UTF8.self) }

        // MARK: Parts

        /// `isFlat` keeps the elements on one line even in the indented style: for rows of numbers.
        public mutating func openArray(isFlat: Bool = false) { open("[", isFlat: isFlat) }
        public mutating func closeArray() { close("]") }
        public mutating func openObject() { open("{", isFlat: false) }
        public mutating func closeObject() { close("}") }

        /// The key of the member. Its value comes next.
        public mutating func key(_ key: String) {
            begin()
            quote(key)
            raw(style == .compact ? ":" : ": ")
            followsKey = true
        }

        public mutating func null() {
            begin()
            raw("null")
        }

        public mutating func bool(_ value: Bool) {
            begin()
            raw(value ? "true" : "false")
        }

        /// Null if the number is not finite.
        public mutating func number(_ value: Double) {
            begin()
            raw(value.isFinite ? Self.digits(value) : "null")
        }

        /// The shortest digits that read back as the same float32; null if it is not finite.
        public mutating func number(_ value: Float) {
            begin()
            raw(value.isFinite ? value.description : "null")
        }

        public mutating func string(_ value: String) {
            begin()
            quote(value)
        }

        /// A value that is JSON already, as it is.
        public mutating func json(_ text: String) {
            begin()
            raw(text)
        }

        public mutating func value(_ value: JSON) {
            switch value {
            case .null: null()
            case .bool(let flag): bool(flag)
            case .number(let digits):
                begin()
                raw(digits)
            case .string(let text): string(text)
            case .array(let elements):
                openArray()
                for element in elements { self.value(element) }
                closeArray()
            case .object(let members):
                openObject()
                for member in members {
                    key(member.key)
                    self.value(member.value)
                }
                closeObject()
            }
        }

        /// Whole numbers without a point, as far as a double counts exactly; otherwise the shortest
        /// digits that give the same double.
        static func digits(_ value: Double) -> String {
            if let whole = Int(exactly: value), whole.magnitude <= 1 << 53,
                whole != 0 || value.sign == .plus
            {
                return String(whole)
            }
            return value.description
        }

        // MARK: Bytes

        private mutating func raw(_ text: String) { bytes += text.utf8 }

        /// The text between the last part and the next.
        private mutating func begin() {
            if followsKey {
                followsKey = false
                return
            }
            guard let last = open.indices.last else { return }
            let isLine = style.isIndented && !open[last].isFlat
            if !open[last].isEmpty { raw(style.isIndented && !isLine ? ", " : ",") }
            open[last].isEmpty = false
            if isLine { newLine() }
        }

        private mutating func open(_ bracket: String, isFlat: Bool) {
            begin()
            raw(bracket)
            open.append((isFlat || open.last?.isFlat == true, true))
        }

        private mutating func close(_ bracket: String) {
            guard let closed = open.popLast() else { return }
            if style.isIndented, !closed.isFlat, !closed.isEmpty { newLine() }
            raw(bracket)
        }

        private mutating func newLine() {
            bytes.append(0x0A)
            for _ in open { raw(style == .python ? " " : "  ") }
        }

        private mutating func quote(_ text: String) {
            var text = text
            bytes.append(UInt8(ascii: "\""))
            text.withUTF8 { utf8 in
                var start = 0
                for place in utf8.indices {
                    let byte = utf8[place]
                    guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                    else { continue }
                    bytes += utf8[start..<place]
                    start = place + 1
                    escape(byte)
                }
                bytes += utf8[start...]
            }
            bytes.append(UInt8(ascii: "\""))
        }

        private mutating func escape(_ byte: UInt8) {
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case UInt8(ascii: "\n"): raw("\\n")
            case UInt8(ascii: "\r"): raw("\\r")
            case UInt8(ascii: "\t"): raw("\\t")
            case 0x08 where style == .python: raw("\\b")
            case 0x0C where style == .python: raw("\\f")
            default:
                let digits = String(byte, radix: 16)
                raw(digits.utf8.count == 1 ? "\\u000" : "\\u00")
                raw(digits)
            }
        }
    }
}
