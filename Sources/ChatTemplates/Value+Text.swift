/// Values as text: in the form of `{{ value }}`, of Python's `repr` and of `json.dumps`.
extension Value {
    var shown: String {
        switch self {
        case .undefined: ""
        case .string(let text): text
        default: represented
        }
    }

    /// Python's `repr`.
    var represented: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .int(let number): String(number)
        case .float(let number): "\(number)"
        case .string(let text): Self.quoted(text)
        case .list(let values): "[" + values.map(\.represented).joined(separator: ", ") + "]"
        case .tuple(let values):
            "(" + values.map(\.represented).joined(separator: ", ")
                + (values.count == 1 ? ",)" : ")")
        case .dictionary(let dictionary):
            "{"
                + zip(dictionary.keys, dictionary.values).map {
                    "\($0.represented): \($1.represented)"
                }.joined(separator: ", ") + "}"
        case .namespace: "<Namespace>"
        case .stream: "<generator>"
        case .loop(let loop): "<LoopContext \(loop.index + 1)/\(loop.values.count)>"
        case .function: "<function>"
        }
    }

    private static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var quoted = String.UnicodeScalarView()
        quoted.append(quote)
        for scalar in scalars {
            switch scalar {
            case quote, "\\":
                quoted.append("\\")
                quoted.append(scalar)
            case "\n": quoted.append(contentsOf: "\\n".unicodeScalars)
            case "\r": quoted.append(contentsOf: "\\r".unicodeScalars)
            case "\t": quoted.append(contentsOf: "\\t".unicodeScalars)
            default:
                if scalar.isPythonPrintable {
                    quoted.append(scalar)
                } else {
                    quoted.append(contentsOf: escaped(scalar).unicodeScalars)
                }
            }
        }
        quoted.append(quote)
        return String(quoted)
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        let (letter, width) =
            scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        let digits = String(scalar.value, radix: 16)
        return "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
    }

    /// The options of `json.dumps`.
    struct JSONStyle {
        var escapesNonASCII = false
        /// The indentation of one level; nil for one line.
        var indent: String?
        var itemSeparator = ", "
        var keySeparator = ": "
        var sortsKeys = false
    }

    /// The value as JSON; nil if JSON has no form for it.
    func json(_ style: JSONStyle, level: Int = 0) -> String? {
        switch self {
        case .none: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .float(let number):
            if number.isNaN { return "NaN" }
            return number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : "\(number)"
        case .string(let text): return Self.jsonText(text, style)
        case .list(let values), .tuple(let values):
            return Self.jsonList(
                "[", "]", values.map { $0.json(style, level: level + 1) }, style, level)
        case .dictionary(let dictionary):
            var members = Array(zip(dictionary.keys, dictionary.values))
            if style.sortsKeys { members.sort { $0.0.isLess(than: $1.0) ?? false } }
            return Self.jsonList(
                "{", "}",
                members.map { key, value in
                    guard let key = key.jsonKey, let value = value.json(style, level: level + 1)
                    else { return nil }
                    return Self.jsonText(key, style) + style.keySeparator + value
                }, style, level)
        default: return nil
        }
    }

    private var jsonKey: String? {
        switch self {
        case .string(let text): text
        case .none: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .float(let number): "\(number)"
        default: nil
        }
    }

    private static func jsonList(
        _ open: String, _ close: String, _ parts: [String?], _ style: JSONStyle, _ level: Int
    ) -> String? {
        let known = parts.compactMap { $0 }
        guard known.count == parts.count else { return nil }
        guard let indent = style.indent, !known.isEmpty else {
            return open + known.joined(separator: style.itemSeparator) + close
        }
        let outer = "\n" + String(repeating: indent, count: level)
        let inner = outer + indent
        return open + inner + known.joined(separator: style.itemSeparator + inner) + outer + close
    }

    private static func jsonText(_ text: String, _ style: JSONStyle) -> String {
        var quoted = String.UnicodeScalarView()
        quoted.append("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted.append("\\")
                quoted.append(scalar)
            case "\n": quoted.append(contentsOf: "\\n".unicodeScalars)
            case "\r": quoted.append(contentsOf: "\\r".unicodeScalars)
            case "\t": quoted.append(contentsOf: "\\t".unicodeScalars)
            case "\u{8}": quoted.append(contentsOf: "\\b".unicodeScalars)
            case "\u{C}": quoted.append(contentsOf: "\\f".unicodeScalars)
            case "\0"..<" ":
                quoted.append(contentsOf: jsonEscape(UInt16(scalar.value)).unicodeScalars)
            default:
                if style.escapesNonASCII, scalar.value > 0x7E {
                    for unit in String(scalar).utf16 {
                        quoted.append(contentsOf: jsonEscape(unit).unicodeScalars)
                    }
                } else {
                    quoted.append(scalar)
                }
            }
        }
        quoted.append("\"")
        return String(quoted)
    }

    private static func jsonEscape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}

extension Unicode.Scalar {
    /// Whether Python's `repr` shows the character unescaped.
    fileprivate var isPythonPrintable: Bool {
        if self == " " { return true }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator, .spaceSeparator:
            return false
        default: return true
        }
    }
}
