/// The meaning of a cell, which its text and its quotes give.
extension CSV.Cell {
    public enum Meaning: Equatable, Sendable {
        case null
        case bool(Bool)
        case number(Double)
        /// Digits of a whole number that a double would round.
        case longNumber(String)
        case text(String)
    }

    /// Without quotes a cell can be a number or a truth value; a cell in quotes is a text. Whole
    /// numbers with leading zeros, as postal codes have, are texts.
    public var meaning: Meaning {
        guard case .bare(let text) = self else { return self == .empty ? .null : .text(self.text) }
        switch text {
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case "null": return .null
        default: break
        }
        guard let number = CSV.number(text), !CSV.hasLeadingZero(text) else { return .text(text) }
        return CSV.isInexact(text) ? .longNumber(text) : .number(number)
    }

    /// The cell that is read as this text, in quotes where they are needed.
    public init(text: String) {
        let needsQuotes =
            text.isEmpty || text.utf8.first == UInt8(ascii: " ")
            || text.utf8.contains {
                [0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "\"")].contains($0)
            }
            || CSV.Cell.bare(text).meaning != .text(text)
        self = needsQuotes ? .quoted(text) : .bare(text)
    }

    /// The cell as it stands in a file.
    public var written: String {
        switch self {
        case .empty: return ""
        case .bare(let text): return text
        case .quoted(let text):
            var result = "\""
            for scalar in text.unicodeScalars {
                if scalar == "\"" { result += "\"" }
                result.unicodeScalars.append(scalar)
            }
            return result + "\""
        }
    }
}

extension CSV {
    /// A row as it stands in a file, with its line end. A row of one empty cell would be a line
    /// without any character, which readers skip, so it is written as `null`.
    public static func line(_ cells: [Cell]) -> String {
        (cells == [.empty] ? "null" : cells.map(\.written).joined(separator: ",")) + "\n"
    }

    /// A decimal number as programs write it: `-1.5`, `2e-5`, `.5`, `nan`, `inf`. Blanks around it
    /// are ignored. Nil for any other text, `0x1p3` and `1_000` included.
    public static func number(_ text: String) -> Double? {
        guard let plain = plainNumber(text) else { return nil }
        return Double(plain)
    }

    /// The same, rounded once to float32.
    public static func float(_ text: String) -> Float? {
        guard let plain = plainNumber(text) else { return nil }
        return Float(plain)
    }

    /// Whether it is a whole number, written in digits alone, that a double may round: beyond 2^53
    /// a double stands for several whole numbers.
    public static func isInexact(_ text: String) -> Bool {
        var digits = text.utf8.drop { isSign($0) }
        guard digits.allSatisfy({ isDigit($0) }) else { return false }
        digits = digits.drop { $0 == UInt8(ascii: "0") }
        let bound = "9007199254740992".utf8
        guard digits.count >= bound.count else { return false }
        return digits.count > bound.count
            || !digits.elementsEqual(bound) && bound.lexicographicallyPrecedes(digits)
    }

    private static func plainNumber(_ text: String) -> String? {
        var bytes = Array(text.utf8)[...]
        while bytes.first == UInt8(ascii: " ") || bytes.first == UInt8(ascii: "\t") {
            bytes.removeFirst()
        }
        while bytes.last == UInt8(ascii: " ") || bytes.last == UInt8(ascii: "\t") {
            bytes.removeLast()
        }
        let plain = String(decoding: bytes, as: UTF8.self)
        switch plain {
        case "nan", "NaN": return "nan"
        case "inf", "Infinity", "+inf": return "inf"
        case "-inf", "-Infinity": return "-inf"
        default: return isDecimal(bytes) ? plain : nil
        }
    }

    private static func isDigit(_ byte: UInt8?) -> Bool {
        byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    }

    private static func isSign(_ byte: UInt8?) -> Bool {
        byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    private static func isDecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        func takeDigits() -> Bool {
            let start = rest.count
            while isDigit(rest.first) { rest.removeFirst() }
            return rest.count < start
        }
        if isSign(rest.first) { rest.removeFirst() }
        var hasDigits = takeDigits()
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            hasDigits = takeDigits() || hasDigits
        }
        guard hasDigits else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if isSign(rest.first) { rest.removeFirst() }
            guard takeDigits() else { return false }
        }
        return rest.isEmpty
    }

    fileprivate static func hasLeadingZero(_ text: String) -> Bool {
        let bytes = text.utf8.drop { isSign($0) || $0 == UInt8(ascii: " ") }
        return bytes.first == UInt8(ascii: "0") && isDigit(bytes.dropFirst().first)
    }
}
