/// Numbers and quoted texts inside tags, in Python's syntax.
enum TemplateLiteral {
    /// The text between the quotes at a place, and the place after it.
    static func string(
        _ source: [Unicode.Scalar], _ start: Int, line: Int
    ) throws -> (String, end: Int) {
        let quote = source[start]
        var text = String.UnicodeScalarView()
        var index = start + 1
        while index < source.count {
            let scalar = source[index]
            if scalar == quote { return (String(text), index + 1) }
            index += 1
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            guard index < source.count else { break }
            let escaped = source[index]
            index += 1
            try escape(escaped, source, &index, into: &text, line: line)
        }
        throw TemplateError.syntax(line: line, problem: "the quotes are never closed")
    }

    private static func escape(
        _ scalar: Unicode.Scalar, _ source: [Unicode.Scalar], _ index: inout Int,
        into text: inout String.UnicodeScalarView, line: Int
    ) throws {
        switch scalar {
        case "n": text.append("\n")
        case "t": text.append("\t")
        case "r": text.append("\r")
        case "a": text.append("\u{7}")
        case "b": text.append("\u{8}")
        case "f": text.append("\u{C}")
        case "v": text.append("\u{B}")
        case "\\", "'", "\"": text.append(scalar)
        case "\n": break
        case "x": text.append(try code(2, 16, source, &index, line: line))
        case "u": text.append(try code(4, 16, source, &index, line: line))
        case "U": text.append(try code(8, 16, source, &index, line: line))
        case "0"..."7":
            index -= 1
            var length = 1
            while length < 3, index + length < source.count,
                ("0"..."7").contains(source[index + length])
            {
                length += 1
            }
            text.append(try code(length, 8, source, &index, line: line))
        case "N": throw TemplateError.unsupported(line: line, what: "\\N in a text")
        default:
            text.append("\\")
            text.append(scalar)
        }
    }

    private static func code(
        _ length: Int, _ radix: UInt32, _ source: [Unicode.Scalar], _ index: inout Int, line: Int
    ) throws -> Unicode.Scalar {
        guard index + length <= source.count else {
            throw TemplateError.syntax(line: line, problem: "an escape ends too early")
        }
        var code: UInt32 = 0
        for scalar in source[index..<index + length] {
            guard let digit = Character(scalar).hexDigitValue, scalar.isASCII else {
                throw TemplateError.syntax(line: line, problem: "an escape wants \(length) digits")
            }
            code = code << (radix == 16 ? 4 : 3) | UInt32(digit)
        }
        index += length
        guard let scalar = Unicode.Scalar(code) else {
            throw TemplateError.syntax(line: line, problem: "an escape names no character")
        }
        return scalar
    }

    /// The number at a place: `12`, `1_000`, `0x1F`, `1.5`, `2e-3`.
    static func number(
        _ source: [Unicode.Scalar], _ start: Int, line: Int
    ) throws -> (TemplateToken.Kind, end: Int) {
        func isDigit(_ index: Int) -> Bool {
            index < source.count && ("0"..."9").contains(source[index])
        }
        func at(_ index: Int) -> Unicode.Scalar? { index < source.count ? source[index] : nil }
        let prefixes: [Unicode.Scalar: Int] = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2]
        if source[start] == "0", let radix = at(start + 1).flatMap({ prefixes[$0] }) {
            var digits = ""
            var index = start + 2
            while let scalar = at(index), scalar == "_" || scalar.properties.isASCIIHexDigit {
                if scalar != "_" { digits.unicodeScalars.append(scalar) }
                index += 1
            }
            guard let value = Int(digits, radix: radix) else {
                throw TemplateError.syntax(line: line, problem: "0x\(digits) is no number")
            }
            return (.integer(value), index)
        }
        var digits = ""
        func run(_ index: inout Int) {
            while isDigit(index) || at(index) == "_" && isDigit(index + 1) {
                if let scalar = at(index), scalar != "_" { digits.unicodeScalars.append(scalar) }
                index += 1
            }
        }
        var index = start
        run(&index)
        var isFloat = false
        if at(index) == ".", isDigit(index + 1), start == 0 || source[start - 1] != "." {
            isFloat = true
            digits += "."
            index += 1
            run(&index)
        }
        if at(index) == "e" || at(index) == "E" {
            let hasSign = at(index + 1) == "-" || at(index + 1) == "+"
            if isDigit(index + (hasSign ? 2 : 1)) {
                isFloat = true
                digits += "e" + (at(index + 1) == "-" ? "-" : "")
                index += hasSign ? 2 : 1
                run(&index)
            }
        }
        if isFloat, let value = Double(digits) { return (.float(value), index) }
        guard let value = Int(digits) else {
            throw TemplateError.syntax(line: line, problem: "the number \(digits) is too large")
        }
        return (.integer(value), index)
    }
}
