extension Lexer {
    /// Reads quoted text. It may run over several lines.
    func readText(_ lower: Int) -> (Lexeme.Kind, Int) {
        let quote = bytes[lower]
        var decoded: [UInt8] = []
        var problem: Problem?
        var offset = lower + 1
        while let byte = byte(offset) {
            if byte == quote {
                let end = offset + 1
                if let problem { return (.broken(problem), end) }
                return (.text(String(decoding: decoded, as: UTF8.self)), end)
            }
            if byte == UInt8(ascii: "\\") {
                let (value, end) = readEscape(offset)
                if let value {
                    decoded.append(contentsOf: value)
                } else if end < count, problem == nil {
                    problem = .unknownEscape(text(SourceSpan(lower: offset, upper: end)))
                }
                offset = end
            } else {
                decoded.append(byte)
                offset += 1
            }
        }
        return (.broken(.unclosedText), count)
    }

    private static let simpleEscapes: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13,
        UInt8(ascii: "0"): 0, UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
        UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "'"): UInt8(ascii: "'"),
        UInt8(ascii: "/"): UInt8(ascii: "/"),
    ]

    /// The bytes of a backslash sequence, and the place after it. Except for `\u{…}` the sequences
    /// are Python's, because tools that write `name = literal` lines escape text as Python does.
    private func readEscape(_ lower: Int) -> ([UInt8]?, Int) {
        guard let (escaped, length) = scalar(lower + 1) else { return (nil, count) }
        let end = lower + 1 + length
        guard escaped.isASCII else { return (nil, end) }
        if escaped == "\n" { return ([], end) }
        if let value = Lexer.simpleEscapes[UInt8(escaped.value)] { return ([value], end) }
        if escaped == "u", byte(end) == UInt8(ascii: "{") { return readBracedScalar(end + 1) }
        guard let digits = ["x": 2, "u": 4, "U": 8][Character(escaped)],
            let value = hexadecimal(end, digits)
        else { return (nil, end) }
        let after = end + digits
        if (0xD800..<0xDC00).contains(value), byte(after) == UInt8(ascii: "\\"),
            byte(after + 1) == UInt8(ascii: "u"), let low = hexadecimal(after + 2, 4),
            (0xDC00..<0xE000).contains(low)
        {
            let whole = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00)
            return (Unicode.Scalar(whole).map { Array(String($0).utf8) }, after + 6)
        }
        return (Unicode.Scalar(value).map { Array(String($0).utf8) }, after)
    }

    private func readBracedScalar(_ start: Int) -> ([UInt8]?, Int) {
        var end = start
        while end - start < 8, let byte = byte(end), hexadecimalDigit(byte) != nil { end += 1 }
        guard byte(end) == UInt8(ascii: "}"), let value = hexadecimal(start, end - start),
            let scalar = Unicode.Scalar(value)
        else { return (nil, end) }
        return (Array(String(scalar).utf8), end + 1)
    }

    private func hexadecimal(_ start: Int, _ digits: Int) -> UInt32? {
        guard digits > 0, digits <= 8 else { return nil }
        var value: UInt32 = 0
        for offset in start..<(start + digits) {
            guard let byte = byte(offset), let digit = hexadecimalDigit(byte) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt32.init)
    }

    /// Reads a number: digits with `_` between them, a fraction, an exponent.
    func readNumber(_ lower: Int) -> (Lexeme.Kind, Int) {
        // Takes all characters that could belong to the number, so that `12abc` is one bad number,
        // not two.
        var end = lower
        let isHexadecimal = byte(lower + 1) == UInt8(ascii: "x")
        while let next = byte(end) {
            let isSign = next == UInt8(ascii: "+") || next == UInt8(ascii: "-")
            let afterExponent =
                end > lower && (bytes[end - 1] | 0x20) == UInt8(ascii: "e") && !isHexadecimal
            if isDigit(next) || next == UInt8(ascii: ".") || next == UInt8(ascii: "_")
                || (isSign && afterExponent)
            {
                end += 1
            } else if let (scalar, length) = scalar(end), scalar.isNamePart {
                end += length
            } else {
                break
            }
        }
        let written = text(SourceSpan(lower: lower, upper: end))
        guard let plain = plainNumber(written), let value = Double(plain) else {
            return (.broken(.badNumber(written)), end)
        }
        guard value.isFinite else { return (.broken(.numberTooLarge(written)), end) }
        // 2^53: above it, Double silently represents neighboring whole numbers by the same value.
        // 2^53 + 1 itself is read as 2^53, so the written number is compared, not its value.
        let isInexact =
            value.magnitude >= 9_007_199_254_740_992
            && plain.drop { $0 == "0" } != "9007199254740992"
        if isInexact, plain.utf8.allSatisfy(isDigit) {
            return (.broken(.wholeNumberInexact(written)), end)
        }
        return (.number(value), end)
    }

    /// The number without `_`, or nil if it is not a number. `Double(String)` alone would also
    /// accept hexadecimal, `inf` and `nan`.
    private func plainNumber(_ written: String) -> String? {
        var plain: [UInt8] = []
        var previous: UInt8 = 0
        var points = 0
        var exponents = 0
        for byte in written.utf8 {
            switch byte {
            case UInt8(ascii: "_"):
                guard isDigit(previous) else { return nil }
            case UInt8(ascii: "."):
                points += 1
                guard points == 1, exponents == 0, previous != UInt8(ascii: "_") else { return nil }
                plain.append(byte)
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                exponents += 1
                guard exponents == 1, previous != UInt8(ascii: "_") else { return nil }
                plain.append(byte)
            case UInt8(ascii: "+"), UInt8(ascii: "-"): plain.append(byte)
            default:
                guard isDigit(byte) else { return nil }
                plain.append(byte)
            }
            previous = byte
        }
        guard isDigit(previous) || previous == UInt8(ascii: ".") else { return nil }
        return String(decoding: plain, as: UTF8.self)
    }
}

/// Text in quotes, in a form that reads back as the same text.
public func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        default:
            if scalar.value < 0x20 || scalar.value == 0x7F {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
    return result + "\""
}

extension CommandGrammar {
    /// The source of a literal for a value from outside the language, such as `-p rate=1e-4`: the
    /// value itself if it is a literal, otherwise its text in quotes.
    public static func literal(_ value: String) -> String {
        let program = CommandGrammar(verbs: []).parse(value)
        guard program.diagnostics.isEmpty, program.statements.count == 1,
            case .expression(let node) = program.statements[0].body,
            program.statements[0].target == nil, program.statements[0].source == value,
            node.isLiteral
        else { return quoted(value) }
        return value
    }
}

extension Node {
    /// Whether the node is a literal: no name, no call, no operator but a sign.
    public var isLiteral: Bool {
        switch expression {
        case .null, .bool, .number, .text: true
        case .list(let items): items.allSatisfy(\.isLiteral)
        case .record(let entries): entries.allSatisfy { $0.value.isLiteral }
        case .unary(.minus, let operand), .unary(.plus, let operand):
            if case .number = operand.expression { true } else { false }
        default: false
        }
    }
}
