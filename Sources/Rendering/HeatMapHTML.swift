/// Heat maps as tables of a page.
extension HeatMap {
    /// Largest number of rows and of columns that a page shows.
    private static let htmlLimit = 32

    /// A table with colored cells, the whole number and the names in each cell's title, and the
    /// scale of color beside it.
    package var html: String {
        guard let range else { return StyledText("empty", .faint).html }
        let decimals = decimals
        let shownRows = min(rows, HeatMap.htmlLimit)
        let shownColumns = min(columns, HeatMap.htmlLimit)
        var head = HTML.element("th", "")
        for column in 0..<shownColumns {
            head += HTML.element("th", HTML.escaped("\(columnLabel)\(column)"))
        }
        var body = ""
        for row in 0..<shownRows {
            var cells = HTML.element("th", HTML.escaped("\(rowLabel)\(row)"))
            for column in 0..<shownColumns {
                let value = values[row * columns + column]
                let isDiagonal = self.isDiagonal(row, column)
                var style = "text-align: right"
                let css = HeatMap.style(share(value, of: range), isBold: isDiagonal).css
                if !css.isEmpty { style += "; " + css }
                if isDiagonal {
                    // White within black shows on every color of the scale.
                    style +=
                        "; border: 2px solid currentColor; "
                        + "box-shadow: inset 0 0 0 1px black, inset 0 0 0 2px white"
                }
                cells += HTML.element(
                    "td", style: style, title: title(row, column, value),
                    HTML.escaped(HeatMap.digits(value, decimals: decimals)))
            }
            body += HTML.element("tr", cells)
        }
        let table = HTML.element(
            "table",
            HTML.element("thead", HTML.element("tr", head)) + HTML.element("tbody", body))
        return HTML.element(
            "div",
            style: "display: flex; flex-wrap: wrap; align-items: center; gap: 16px; "
                + HTML.printed,
            table + scale(range, rows: shownRows))
            + HTML.element(
                "div", style: "opacity: 0.7",
                HTML.escaped(TextWidth.oneLine(caption(range, shownRows, shownColumns))))
    }

    /// "constitution c0, response y1: -2 nats a token"
    private func title(_ row: Int, _ column: Int, _ value: Double) -> String {
        func named(_ name: String, _ label: String, _ index: Int) -> String {
            TextWidth.oneLine(name.isEmpty ? "\(label)\(index)" : "\(name) \(label)\(index)")
        }
        return "\(named(rowName, rowLabel, row)), \(named(columnName, columnLabel, column)): "
            + NumberText.significant(value) + (unit.isEmpty ? "" : " \(unit)")
    }

    private func caption(
        _ range: ClosedRange<Double>, _ shownRows: Int, _ shownColumns: Int
    ) -> String {
        var parts: [String] = []
        if !rowName.isEmpty, !columnName.isEmpty {
            parts.append("rows: \(rowName), columns: \(columnName)")
        }
        if marksDiagonal { parts.append("framed: the diagonal") }
        parts.append(
            "dark \(NumberText.significant(range.lowerBound, digits: 4)), bright "
                + NumberText.significant(range.upperBound, digits: 4)
                + (unit.isEmpty ? "" : " \(unit)"))
        if shownRows < rows || shownColumns < columns {
            parts.append("\(shownRows) × \(shownColumns) of \(rows) × \(columns)")
        }
        return parts.joined(separator: "; ")
    }

    /// The scale of color with its numbers, in the color of the page's text.
    private func scale(_ range: ClosedRange<Double>, rows: Int) -> String {
        guard range.upperBound > range.lowerBound else { return "" }
        let steps = 24
        let height = Double(min(240, max(96, 26 * rows)))
        let (top, left, width) = (8.0, 1.0, 14.0)
        func fixed(_ number: Double) -> String { NumberText.fixed(number, decimals: 1) }
        var drawing = ""
        for step in 0..<steps {
            let color = HeatMap.style((Double(step) + 0.5) / Double(steps)).background?.css ?? ""
            let part = height / Double(steps)
            drawing +=
                "<rect x=\"\(left)\" y=\"\(fixed(top + height - part * Double(step + 1)))\" "
                + "width=\"\(width)\" height=\"\(fixed(part + 0.5))\" fill=\"\(color)\"/>"
        }
        let ticks = Ticks(range, count: 5)
        for (value, label) in zip(ticks.values, ticks.labels) {
            let y = top + height * (1 - share(value, of: range))
            drawing +=
                "<path d=\"M\(left + width) \(fixed(y))h4\" stroke=\"currentColor\"/>"
                + "<text x=\"\(left + width + 7)\" y=\"\(fixed(y + 4))\" fill=\"currentColor\">"
                + "\(HTML.escaped(label))</text>"
        }
        let longest = ticks.labels.map(\.count).max() ?? 0
        let size = (width: 24 + 8 * longest, height: Int(height + 2 * top))
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"scale\" "
            + "width=\"\(size.width)\" height=\"\(size.height)\" "
            + "viewBox=\"0 0 \(size.width) \(size.height)\" font-family=\"sans-serif\" "
            + "font-size=\"12\">" + drawing + "</svg>"
    }
}
