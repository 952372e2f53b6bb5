/// Reads lexemes on demand from any offset of a source.
///
/// It reads on demand, because the meaning of a character depends on the verb: at the place of a
/// path, `../a b` ends at the blank and contains no operator.
struct Lexer {
    let bytes: [UInt8]

    init(_ source: String) { bytes = Array(source.utf8) }

    var count: Int { bytes.count }

    func byte(_ offset: Int) -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    func text(_ span: SourceSpan) -> String {
        String(decoding: bytes[span.lower..<span.upper], as: UTF8.self)
    }

    /// The scalar at an offset and its length in bytes; nil at the end.
    func scalar(_ offset: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        guard let first = byte(offset) else { return nil }
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        var value = UInt32(first) & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F)
        for index in 1..<length {
            guard let next = byte(offset + index), next & 0xC0 == 0x80 else {
                return ("\u{FFFD}", 1)
            }
            value = value << 6 | UInt32(next & 0x3F)
        }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }

    /// The length in bytes of the blank at an offset, 0 if there is none. Blanks that only web
    /// pages or input methods produce count too. A backslash before a line break joins lines.
    func blankLength(_ offset: Int) -> Int {
        guard let first = byte(offset) else { return 0 }
        switch first {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0x0B, 0x0C: return 1
        case UInt8(ascii: "\\"):
            if byte(offset + 1) == UInt8(ascii: "\n") { return 2 }
            return byte(offset + 1) == UInt8(ascii: "\r") && byte(offset + 2) == UInt8(ascii: "\n")
                ? 3 : 0
        case 0..<0x80: return 0
        default:
            guard let (scalar, length) = scalar(offset) else { return 0 }
            return scalar.properties.isWhitespace || scalar == "\u{FEFF}" || scalar == "\u{200B}"
                ? length : 0
        }
    }

    /// The offset after blanks and a comment, and after line breaks too inside brackets.
    func skipBlanks(_ start: Int, lineBreaks: Bool) -> Int {
        var offset = start
        while true {
            let blank = blankLength(offset)
            if blank > 0 {
                offset += blank
            } else if byte(offset) == UInt8(ascii: "#") {
                offset = endOfLine(offset)
            } else if lineBreaks, byte(offset) == UInt8(ascii: "\n") {
                offset += 1
            } else {
                return offset
            }
        }
    }

    func endOfLine(_ start: Int) -> Int {
        bytes[min(start, count)...].firstIndex(of: UInt8(ascii: "\n")) ?? count
    }

    /// The lexeme at or after an offset.
    func lexeme(at start: Int, insideBrackets: Bool) -> Lexeme {
        let lower = skipBlanks(start, lineBreaks: insideBrackets)
        let (kind, upper) = read(lower)
        return Lexeme(
            kind: kind, span: SourceSpan(lower: lower, upper: upper), afterBlank: lower > start)
    }

    /// The end of a bare word that starts at an offset: the next blank, `;` or line break. A `#`
    /// counts as part of it, as in any shell.
    func bareWordEnd(_ start: Int) -> Int {
        var offset = start
        while let byte = byte(offset), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: ";"),
            blankLength(offset) == 0
        {
            offset += scalar(offset)?.length ?? 1
        }
        return offset
    }

    private func read(_ lower: Int) -> (Lexeme.Kind, Int) {
        guard let first = byte(lower) else { return (.end, lower) }
        switch first {
        case UInt8(ascii: "\n"): return (.newline, lower + 1)
        case UInt8(ascii: ";"): return (.semicolon, lower + 1)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return readText(lower)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return readNumber(lower)
        case UInt8(ascii: ".") where byte(lower + 1).map(isDigit) == true: return readNumber(lower)
        case UInt8(ascii: "\\") where lower + 1 == count:
            return (.broken(.unfinishedLine), count)
        default: break
        }
        if let end = identifierEnd(lower) {
            return (.identifier(text(SourceSpan(lower: lower, upper: end))), end)
        }
        return readSymbol(lower)
    }

    /// The end of the name that starts at an offset, nil when none does.
    func identifierEnd(_ lower: Int) -> Int? {
        guard let (start, length) = scalar(lower), start == "_" || start.isNameStart else {
            return nil
        }
        var offset = lower + length
        while let (next, length) = scalar(offset), next == "_" || next.isNamePart {
            offset += length
        }
        return offset
    }

    private static let longSymbols = [
        "===", "!==", "...", "**", "//", "==", "!=", "<=", ">=", "<>", "&&", "||", "->", ":=", "+=",
        "-=", "*=", "/=",
    ]

    private func readSymbol(_ lower: Int) -> (Lexeme.Kind, Int) {
        for symbol in Lexer.longSymbols {
            let end = lower + symbol.utf8.count
            if end <= count, bytes[lower..<end].elementsEqual(symbol.utf8) {
                if let use = OperatorSpelling.use[symbol] {
                    return (.broken(.operatorSpelling(found: symbol, use: use)), end)
                }
                return (.symbol(symbol), end)
            }
        }
        guard let (scalar, length) = scalar(lower) else { return (.end, lower) }
        if scalar.isASCII, "()[]{}.,:=+-*/%@<>".unicodeScalars.contains(scalar) {
            return (.symbol(String(Character(scalar))), lower + 1)
        }
        if let use = OperatorSpelling.use[String(Character(scalar))] {
            return (
                .broken(.operatorSpelling(found: String(Character(scalar)), use: use)),
                lower + length
            )
        }
        return (.broken(.unknownCharacter(scalar)), lower + length)
    }

    func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// Spellings of operators from other languages or web pages, with the spelling in this language.
enum OperatorSpelling {
    static let use = [
        "&&": "and", "||": "or", "!": "not", "^": "**", "<>": "!=", "===": "==", "!==": "!=",
        "\u{2212}": "-", "\u{2013}": "-", "\u{2014}": "-", "\u{00D7}": "*", "\u{00F7}": "/",
        "\u{201C}": "\"", "\u{201D}": "\"", "\u{201E}": "\"", "\u{2018}": "'", "\u{2019}": "'",
        "\u{2264}": "<=", "\u{2265}": ">=", "\u{2260}": "!=", "\u{FF1D}": "=", "\u{FF0C}": ",",
    ]
}

extension Unicode.Scalar {
    var isNameStart: Bool {
        isASCII
            ? ("a"..."z").contains(self) || ("A"..."Z").contains(self) : properties.isXIDStart
    }

    var isNamePart: Bool {
        isASCII
            ? isNameStart || ("0"..."9").contains(self) : properties.isXIDContinue
    }
}
