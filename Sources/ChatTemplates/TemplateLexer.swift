/// A lexeme of a template and the line it starts on.
struct TemplateToken: Sendable {
    enum Kind: Sendable, Equatable {
        case text(String)
        case openVariable, closeVariable, openBlock, closeBlock
        case name(String)
        case string(String)
        case integer(Int)
        case float(Double)
        case sign(String)
    }

    var kind: Kind
    var line: Int
}

/// Splits a template into lexemes, with Jinja's `trim_blocks` and `lstrip_blocks` on: a line end
/// after a block is removed, and so are blanks before a block at the start of its line.
struct TemplateLexer {
    private let source: [Unicode.Scalar]
    private var place = 0
    private var line = 1
    private var tokens: [TemplateToken] = []
    /// Whether the last input ended a line, or there was no input yet.
    private var startsLine = true

    static func tokens(of source: String) throws -> [TemplateToken] {
        guard source.utf8.count <= TemplateLimits.source else {
            throw TemplateError.tooMuch(
                line: 1, what: "is longer than \(TemplateLimits.source) characters")
        }
        var lexer = TemplateLexer(source)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count)
        var isBehindReturn = false
        for scalar in text.unicodeScalars {
            if scalar == "\n", isBehindReturn {
                isBehindReturn = false
                continue
            }
            isBehindReturn = scalar == "\r"
            scalars.append(isBehindReturn ? "\n" : scalar)
        }
        // One line end at the very end belongs to the file, not to the template.
        if scalars.last == "\n" { scalars.removeLast() }
        source = scalars
    }

    private func at(_ index: Int) -> Unicode.Scalar? {
        index < source.count ? source[index] : nil
    }

    private func stands(_ text: String, at index: Int) -> Bool {
        var index = index
        for scalar in text.unicodeScalars {
            if at(index) != scalar { return false }
            index += 1
        }
        return true
    }

    private mutating func move(to end: Int) {
        for index in place..<min(end, source.count) where source[index] == "\n" { line += 1 }
        place = min(end, source.count)
    }

    private mutating func append(_ kind: TemplateToken.Kind) {
        tokens.append(TemplateToken(kind: kind, line: line))
    }

    private mutating func run() throws {
        while place < source.count {
            guard let start = nextOpening() else {
                append(.text(string(place..<source.count)))
                return
            }
            let marker = source[start + 1]
            let sign = at(start + 2)
            appendText(upTo: start, sign: sign, isVariable: marker == "{")
            move(to: start)
            let hasSign = sign == "-" || sign == "+" && marker != "{"
            let inside = start + (hasSign ? 3 : 2)
            switch marker {
            case "#": try comment(inside)
            case "{": try variable(inside)
            default:
                if let end = rawOpening(inside) {
                    try raw(end)
                } else {
                    try block(inside)
                }
            }
            startsLine = place > 0 && source[place - 1] == "\n"
        }
    }

    private func nextOpening() -> Int? {
        var index = place
        while index + 1 < source.count {
            if source[index] == "{", ["{", "%", "#"].contains(source[index + 1]) { return index }
            index += 1
        }
        return nil
    }

    /// The text before a tag, trimmed as the tag requests.
    private mutating func appendText(upTo end: Int, sign: Unicode.Scalar?, isVariable: Bool) {
        var end = end
        if sign == "-" {
            while end > place, source[end - 1].isPythonSpace { end -= 1 }
        } else if !isVariable, sign != "+" {
            var start = end
            while start > place, source[start - 1] != "\n", source[start - 1].isPythonSpace {
                start -= 1
            }
            if start > place ? source[start - 1] == "\n" : startsLine { end = start }
        }
        if end > place { append(.text(string(place..<end))) }
    }

    private func string(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: source[range])
        return String(text)
    }

    /// The end of the tag and of the blanks that it removes: all blanks for `-`, one line end for a
    /// block.
    private func behind(_ end: Int, sign: Unicode.Scalar?, trims: Bool) -> Int {
        var end = end
        if sign == "-" {
            while let scalar = at(end), scalar.isPythonSpace { end += 1 }
        } else if sign == nil, trims, at(end) == "\n" {
            end += 1
        }
        return end
    }

    private mutating func comment(_ start: Int) throws {
        var index = start
        while index < source.count {
            if stands("#}", at: index) {
                let sign = index > start ? source[index - 1] : nil
                let signs = sign == "-" || sign == "+" ? sign : nil
                move(to: behind(index + 2, sign: signs, trims: true))
                return
            }
            index += 1
        }
        throw TemplateError.syntax(line: line, problem: "a comment is never closed")
    }

    /// The start of the text of `{% raw %}`; nil for another tag.
    private func rawOpening(_ start: Int) -> Int? {
        var index = start
        while at(index)?.isPythonSpace == true { index += 1 }
        guard stands("raw", at: index) else { return nil }
        index += 3
        while at(index)?.isPythonSpace == true { index += 1 }
        if stands("-%}", at: index) { return behind(index + 3, sign: "-", trims: false) }
        return stands("%}", at: index) ? index + 2 : nil
    }

    private mutating func raw(_ start: Int) throws {
        var index = start
        while index + 1 < source.count {
            if stands("{%", at: index), let (end, sign) = rawEnding(index + 2) {
                move(to: start)
                startsLine = false
                appendText(upTo: index, sign: sign, isVariable: false)
                move(to: end)
                return
            }
            index += 1
        }
        throw TemplateError.syntax(line: line, problem: "{% raw %} is never closed")
    }

    private func rawEnding(_ start: Int) -> (end: Int, sign: Unicode.Scalar?)? {
        var index = start
        let sign = at(index) == "-" || at(index) == "+" ? at(index) : nil
        if sign != nil { index += 1 }
        while at(index)?.isPythonSpace == true { index += 1 }
        guard stands("endraw", at: index) else { return nil }
        index += 6
        while at(index)?.isPythonSpace == true { index += 1 }
        let last = at(index) == "-" || at(index) == "+" ? at(index) : nil
        if last != nil { index += 1 }
        guard stands("%}", at: index) else { return nil }
        return (behind(index + 2, sign: last, trims: true), sign)
    }

    private mutating func variable(_ start: Int) throws {
        append(.openVariable)
        move(to: start)
        try lexemes("}}", signs: ["-"], trims: false)
        append(.closeVariable)
    }

    private mutating func block(_ start: Int) throws {
        append(.openBlock)
        move(to: start)
        try lexemes("%}", signs: ["-", "+"], trims: true)
        append(.closeBlock)
    }

    /// The lexemes of a tag, up to and including its end.
    private mutating func lexemes(
        _ closing: String, signs: [Unicode.Scalar], trims: Bool
    ) throws {
        let firstLine = line
        var open: [Unicode.Scalar] = []
        while let scalar = at(place) {
            if scalar.isPythonSpace {
                move(to: place + 1)
                continue
            }
            if open.isEmpty {
                if stands(closing, at: place) {
                    move(to: behind(place + 2, sign: nil, trims: trims))
                    return
                }
                if signs.contains(scalar), stands(closing, at: place + 1) {
                    move(to: behind(place + 3, sign: scalar, trims: trims))
                    return
                }
            }
            try lexeme(scalar, &open)
        }
        throw TemplateError.syntax(line: firstLine, problem: "a tag is never closed by \(closing)")
    }

    private static let closers: [Unicode.Scalar: Unicode.Scalar] = ["(": ")", "[": "]", "{": "}"]
    private static let doubles = ["//", "**", "==", "!=", ">=", "<="]
    private static let singles: Set<Unicode.Scalar> = Set("+-/*%~[](){}<>=.:|,;".unicodeScalars)

    private mutating func lexeme(
        _ scalar: Unicode.Scalar, _ open: inout [Unicode.Scalar]
    ) throws {
        if scalar == "\"" || scalar == "'" {
            let (text, end) = try TemplateLiteral.string(source, place, line: line)
            append(.string(text))
            move(to: end)
        } else if ("0"..."9").contains(scalar) {
            let (kind, end) = try TemplateLiteral.number(source, place, line: line)
            append(kind)
            move(to: end)
        } else if scalar.properties.isXIDStart || scalar == "_" {
            var end = place + 1
            while let next = at(end), next.properties.isXIDContinue { end += 1 }
            append(.name(string(place..<end)))
            move(to: end)
        } else if let double = Self.doubles.first(where: { stands($0, at: place) }) {
            append(.sign(double))
            move(to: place + 2)
        } else if Self.singles.contains(scalar) {
            if let closer = Self.closers[scalar] {
                open.append(closer)
            } else if scalar == ")" || scalar == "]" || scalar == "}" {
                guard open.popLast() == scalar else {
                    throw TemplateError.syntax(line: line, problem: "“\(scalar)” closes nothing")
                }
            }
            append(.sign(String(scalar)))
            move(to: place + 1)
        } else {
            throw TemplateError.syntax(
                line: line, problem: "“\(scalar.escaped(asASCII: false))” is not expected here")
        }
    }
}

extension Unicode.Scalar {
    /// Whether Python's `str.isspace` and `\s` accept the character.
    var isPythonSpace: Bool {
        if isASCII { return value == 0x20 || 0x09...0x0D ~= value || 0x1C...0x1F ~= value }
        return properties.isWhitespace
    }

    /// `\w` of Python's `re`: the characters that `str.isalnum` accepts, and the underscore.
    var isPythonWordCharacter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            true
        default: properties.numericType != nil || self == "_"
        }
    }
}
