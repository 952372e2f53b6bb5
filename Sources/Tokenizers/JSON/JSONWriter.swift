/// Writes JSON the way the `tokenizers` package saves it: two blanks a level, every member and
/// element on a line, text unescaped wherever JSON allows.
struct JSONWriter {
    private(set) var text = ""

    static func write(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.write(value, indent: "")
        return writer.text
    }

    private mutating func write(_ value: JSONValue, indent: String) {
        switch value {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .number(let number): text += Int(exactly: number).map { String($0) } ?? String(number)
        case .string(let string): write(string)
        case .array(let values):
            list("[", "]", indent, values) { $0.write($1, indent: indent + "  ") }
        case .object(let members):
            list("{", "}", indent, members) {
                $0.write($1.key)
                $0.text += ": "
                $0.write($1.value, indent: indent + "  ")
            }
        }
    }

    private mutating func list<Element>(
        _ open: String, _ close: String, _ indent: String, _ elements: [Element],
        _ write: (inout JSONWriter, Element) -> Void
    ) {
        text += open
        for (place, element) in elements.enumerated() {
            text += (place == 0 ? "\n" : ",\n") + indent + "  "
            write(&self, element)
        }
        text += elements.isEmpty ? close : "\n\(indent)\(close)"
    }

    private mutating func write(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
