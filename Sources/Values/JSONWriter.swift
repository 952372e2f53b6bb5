import Tensors

/// Values as JSON. Numbers without a JSON form (nan, inf) become null.
package enum JSONWriter {
    /// One line.
    package static func text(_ value: Value) -> String {
        var writer = Writer(indent: nil)
        writer.write(value, depth: 0)
        return writer.text
    }

    /// Indented by two blanks a level, with lists of plain numbers kept on one line.
    package static func pretty(_ value: Value) -> String {
        var writer = Writer(indent: 2)
        writer.write(value, depth: 0)
        return writer.text
    }

    static func quoted(_ text: String) -> String {
        var writer = Writer(indent: nil)
        writer.write(text)
        return writer.text
    }

    package static func number(_ number: Double) -> String {
        guard number.isFinite else { return "null" }
        if number == number.rounded(), number.magnitude < 1e15 { return "\(Int(number))" }
        return "\(number)"
    }

    private struct Writer {
        let indent: Int?
        var text = ""

        mutating func write(_ value: Value, depth: Int) {
            switch value {
            case .null: text += "null"
            case .bool(let truth): text += truth ? "true" : "false"
            case .number(let number): text += JSONWriter.number(number)
            case .text(let string): write(string)
            case .list(let items):
                let isFlat = items.allSatisfy(\.isScalar)
                write(items.count, "[", "]", depth, isFlat: isFlat) { writer, index, depth in
                    writer.write(items[index], depth: depth)
                }
            case .record(let record):
                let pairs = Array(record)
                write(pairs.count, "{", "}", depth, isFlat: false) { writer, index, depth in
                    writer.write(pairs[index].key)
                    writer.text += writer.indent == nil ? ":" : ": "
                    writer.write(pairs[index].value, depth: depth)
                }
            case .tensor(let tensor):
                let values = tensor.values
                var offset = 0
                write(tensor: values, tensor.shape[...], &offset, depth)
            case .object(let object): write(object.jsonValue, depth: depth)
            }
        }

        private mutating func write(
            tensor values: [Float], _ shape: ArraySlice<Int>, _ offset: inout Int, _ depth: Int
        ) {
            guard let count = shape.first else {
                // The shortest decimal that reads back as the same float32.
                let value = offset < values.count ? values[offset] : .nan
                text += value.isFinite ? "\(value)" : "null"
                offset += 1
                return
            }
            var position = offset
            write(count, "[", "]", depth, isFlat: shape.count == 1) { writer, _, depth in
                writer.write(tensor: values, shape.dropFirst(), &position, depth)
            }
            offset = position
        }

        private mutating func write(
            _ count: Int, _ open: String, _ close: String, _ depth: Int, isFlat: Bool,
            item: (inout Writer, Int, Int) -> Void
        ) {
            text += open
            for index in 0..<count {
                if index > 0 { text += indent == nil || !isFlat ? "," : ", " }
                if !isFlat { newLine(depth + 1) }
                item(&self, index, depth + 1)
            }
            if count > 0, !isFlat { newLine(depth) }
            text += close
        }

        private mutating func newLine(_ depth: Int) {
            guard let indent else { return }
            text += "\n" + String(repeating: " ", count: indent * depth)
        }

        mutating func write(_ string: String) {
            text += "\""
            for scalar in string.unicodeScalars {
                switch scalar.value {
                case 0x22: text += "\\\""
                case 0x5C: text += "\\\\"
                case 0x0A: text += "\\n"
                case 0x0D: text += "\\r"
                case 0x09: text += "\\t"
                case 0..<0x20, 0x7F, 0x2028, 0x2029:
                    let hex = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                default: text.unicodeScalars.append(scalar)
                }
            }
            text += "\""
        }
    }
}

extension Value {
    fileprivate var isScalar: Bool {
        switch self {
        case .null, .bool, .number: true
        default: false
        }
    }
}
