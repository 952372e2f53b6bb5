import JSON
import Rendering
import Tensors

extension Value {
    /// The forms in which the value can be shown. A matrix has a heat map, a list of numbers a
    /// line, a record a table; other plain values have text alone.
    package func display(_ appearance: Appearance) -> Display {
        if case .object(let object) = self { return object.display(appearance) }
        var display = Display(text: { rendered(appearance) }, json: { printedJSON })
        switch self {
        case .record: display.html = { document(appearance).html }
        case .list(let items) where Value.table(of: items, count: 1, appearance) != nil:
            display.html = { document(appearance).html }
        case .tensor(let tensor) where tensor.shape.count == 2 && tensor.count > 0:
            display.html = { HeatMap(tensor).html }
        // A few numbers say more than their line.
        case .list(let items) where items.count >= 8 && items.allSatisfy(\.isNumber):
            display.svg = {
                let points = items.enumerated().map {
                    (Double($0.offset), $0.element.asNumber ?? .nan)
                }
                let chart = Chart([Chart.Series("value", points)], xName: "index")
                return Picture(.chart(chart), title: summary).svg
            }
        default: break
        }
        return display
    }

    /// The output of a statement that yields the value. Its size is limited: a long list shows its
    /// beginning and end.
    package func rendered(_ appearance: Appearance) -> StyledText {
        document(appearance).rendered(appearance)
    }

    private func document(_ appearance: Appearance) -> Document {
        switch self {
        case .null, .bool, .number: return Document(summary)
        case .text(let text): return Document(TextWidth.printable(text))
        case .tensor(let tensor): return Document(TensorText.rendered(tensor, appearance))
        case .object(let object): return object.document(appearance)
        case .list(let items):
            return Value.table(of: items, appearance)
                ?? Document(Value.rendered(items, appearance))
        case .record(let record):
            var table = Table([.init("field"), .init("value")])
            table.styles = [0: .name]
            table.wraps = true
            for (key, value) in record.prefix(40) {
                let shown =
                    if case .number(let number) = value { NumberText.exact(number) } else {
                        value.brief
                    }
                table.append([key, shown])
            }
            var document = Document()
            document.line(table, showsTitles: false)
            if record.count > 40 { document.line("… and \(record.count - 40) more", .faint) }
            return document
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
    package var brief: String {
        switch self {
        case .number(let number): NumberText.significant(number)
        case .text(let text): JSON.quoted(String(text.prefix(200)))
        case .list(let items) where isPlain:
            "[" + items.map(\.brief).joined(separator: ", ") + "]"
        default: summary
        }
    }
}

extension HeatMap {
    /// A matrix without a diagonal of its own.
    package init(_ tensor: Tensor) {
        self.init(
            rows: tensor.shape[0], columns: tensor.shape[1],
            values: tensor.values.map { Double($0) }, marksDiagonal: false, rowLabel: "",
            columnLabel: "")
        (rowName, columnName) = ("row", "column")
    }
}
