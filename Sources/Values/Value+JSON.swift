import JSON
import Tensors

extension Value {
    /// Numbers become doubles, to the nearest. If several members have the same key, the last one
    /// counts.
    package init(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let truth): self = .bool(truth)
        case .number(let digits): self = .number(Double(digits) ?? .nan)
        case .string(let text): self = .text(text)
        case .array(let elements): self = .list(elements.map { Value($0) })
        case .object(let members):
            self = .record(Record(members.map { ($0.key, Value($0.value)) }) { $1 })
        }
    }

    /// The value as one line of JSON. Numbers without a JSON form (nan, inf) become null.
    package var json: String {
        var writer = JSON.Writer()
        write(to: &writer)
        return writer.text
    }

    /// Indented by two blanks a level, with lists of plain numbers kept on one line.
    package var prettyJSON: String {
        var writer = JSON.Writer(style: .indented)
        write(to: &writer)
        return writer.text
    }

    private func write(to writer: inout JSON.Writer) {
        switch self {
        case .null: writer.null()
        case .bool(let truth): writer.bool(truth)
        case .number(let number): writer.number(number)
        case .text(let text): writer.string(text)
        case .list(let items):
            writer.openArray(isFlat: items.allSatisfy(\.isScalar))
            for item in items { item.write(to: &writer) }
            writer.closeArray()
        case .record(let record):
            writer.openObject()
            for (key, value) in record {
                writer.key(key)
                value.write(to: &writer)
            }
            writer.closeObject()
        case .tensor(let tensor):
            var values = tensor.values[...]
            Value.write(&values, tensor.shape[...], to: &writer)
        case .object(let object): object.jsonValue.write(to: &writer)
        }
    }

    /// A tensor as nested lists, each number in the shortest digits of its float32.
    private static func write(
        _ values: inout ArraySlice<Float>, _ shape: ArraySlice<Int>, to writer: inout JSON.Writer
    ) {
        guard let count = shape.first else {
            writer.number(values.popFirst() ?? .nan)
            return
        }
        writer.openArray(isFlat: shape.count == 1)
        for _ in 0..<count { write(&values, shape.dropFirst(), to: &writer) }
        writer.closeArray()
    }

    private var isScalar: Bool {
        switch self {
        case .null, .bool, .number: true
        default: false
        }
    }
}
