import JSON
import Rendering

extension Value {
    /// The output of a statement that yields the value. Its size is limited: a long list shows its
    /// beginning and end.
    package func rendered(_ appearance: Appearance) -> StyledText {
        switch self {
        case .null, .bool, .number: return StyledText(summary)
        case .text(let text): return StyledText(TextWidth.printable(text))
        case .tensor(let tensor): return TensorText.rendered(tensor, appearance)
        case .object(let object): return object.rendered(appearance)
        case .list(let items): return Value.rendered(items, appearance)
        case .record(let record):
            var table = Table([.init("field"), .init("value")])
            table.styles = [0: .name]
            for (key, value) in record.prefix(40) { table.append([key, value.brief]) }
            var text = table.rendered(appearance, showsTitles: false)
            if record.count > 40 { text.line("… and \(record.count - 40) more", .faint) }
            return text
        }
    }

    private static func rendered(_ items: [Value], _ appearance: Appearance) -> StyledText {
        let isShort = items.count <= 64 && items.allSatisfy(\.isPlain)
        if isShort {
            let line = "[" + items.map(\.brief).joined(separator: ", ") + "]"
            if TextWidth.of(line) <= 2 * appearance.columns { return StyledText(line) }
        }
        var text = StyledText("list of \(NumberText.grouped(items.count))", .faint)
        let shown =
            items.count > 12
            ? Array(0..<8) + Array((items.count - 2)..<items.count)
            : Array(items.indices)
        for (position, index) in shown.enumerated() {
            if position > 0, index != shown[position - 1] + 1 { text.line("  …", .faint) }
            text.line("  [\(index)] ", .faint)
            text.append(TextWidth.cut(items[index].brief, to: appearance.columns - 8))
        }
        return text
    }

    private var isPlain: Bool {
        switch self {
        case .null, .bool, .number, .text: true
        case .list(let items): items.count <= 16 && items.allSatisfy(\.isPlain)
        default: false
        }
    }

    /// One line that shows a small value completely.
    var brief: String {
        switch self {
        case .number(let number): NumberText.significant(number)
        case .text(let text): JSON.quoted(String(text.prefix(200)))
        case .list(let items) where isPlain:
            "[" + items.map(\.brief).joined(separator: ", ") + "]"
        default: summary
        }
    }
}
