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
                        "; border: 2px solid; "
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
            table + scale(range, decimals: decimals))
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
            "dark \(HeatMap.digits(range.lowerBound, decimals: decimals)), bright "
                + HeatMap.digits(range.upperBound, decimals: decimals)
                + (unit.isEmpty ? "" : " \(unit)"))
        if shownRows < rows || shownColumns < columns {
            parts.append("\(shownRows) × \(shownColumns) of \(rows) × \(columns)")
        }
        return parts.joined(separator: "; ")
    }

    /// The scale of color, with the numbers of its ends and its middle in the digits of the cells.
    private func scale(_ range: ClosedRange<Double>, decimals: Int) -> String {
        guard range.upperBound > range.lowerBound else { return "" }
        let colors = (0...8).map {
            HeatMap.style(Double($0) / 8).background?.css ?? ""
        }
        let bar = HTML.element(
            "div",
            style: "width: 14px; height: 96px; "
                + "background: linear-gradient(to top, \(colors.joined(separator: ", ")))", "")
        let middle = (range.lowerBound + range.upperBound) / 2
        let numbers = [range.upperBound, middle, range.lowerBound].map {
            HTML.element("div", HTML.escaped(HeatMap.digits($0, decimals: decimals)))
        }
        let labels = HTML.element(
            "div",
            style: "display: flex; flex-direction: column; justify-content: space-between; "
                + "height: 96px; line-height: 1; text-align: right",
            numbers.joined())
        return HTML.element(
            "div", style: "display: flex; gap: 6px; white-space: nowrap", bar + labels)
    }
}
