/// Rows in aligned columns. If the window is narrow, texts are shortened or wrapped, and columns
/// that do not fit are named below the table.
package struct Table: Sendable {
    package struct Column: Sendable {
        package var title: String
        package var isNumeric: Bool
        /// Whether texts are cut in their middle: names of weights differ at their ends.
        package var keepsEnds: Bool

        package init(_ title: String, isNumeric: Bool = false, keepsEnds: Bool = false) {
            self.title = title
            self.isNumeric = isNumeric
            self.keepsEnds = keepsEnds
        }
    }

    package var columns: [Column]
    package var rows: [[String]] = []
    /// The style of each column's cells.
    package var styles: [Int: TextStyle] = [:]
    /// Cells of text are not cut to fewer cells than this.
    private static let leastText = 12

    /// Whether the last column wraps at blanks; otherwise its texts are cut.
    package var wraps = false

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func append(_ cells: [String]) {
        rows.append(cells.map { TextWidth.oneLine($0) })
    }

    package func rendered(_ appearance: Appearance, showsTitles: Bool = true) -> StyledText {
        guard !columns.isEmpty else { return StyledText() }
        // A number is never cut: the last columns are left out instead.
        let fitting = fittingColumns(appearance.columns, showsTitles: showsTitles)
        if fitting < columns.count {
            var narrower = self
            narrower.columns.removeLast(columns.count - fitting)
            narrower.rows = rows.map { Array($0.prefix(fitting)) }
            var text = narrower.rendered(appearance, showsTitles: showsTitles)
            let missing = columns.suffix(columns.count - fitting).map(\.title)
            let rest = missing.count > 12 ? " and \(missing.count - 12) more" : ""
            let names = missing.prefix(12).joined(separator: ", ")
            for line in TextWidth.wrapped("not shown: \(names)\(rest)", to: appearance.columns) {
                text.line(line, .faint)
            }
            return text
        }
        var widths = columns.map { showsTitles ? TextWidth.of($0.title) : 0 }
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], TextWidth.of(cell))
            }
        }
        if wraps, let last = widths.indices.last {
            let left = appearance.columns - widths.dropLast().reduce(2 * last, +)
            if left < 20, columns.count == 2 { return stacked(appearance.columns) }
            widths[last] = min(widths[last], max(20, left))
        } else {
            shrink(&widths, to: appearance.columns)
        }
        var text = StyledText()
        if showsTitles {
            text.line(line(columns.map(\.title), widths) { _ in .faint })
        }
        for row in rows {
            for part in wraps ? wrapped(row, widths) : [row] {
                text.line(line(part, widths) { styles[$0] ?? .plain })
            }
        }
        return text
    }

    /// Both cells of each row below each other, for a window that is too narrow for columns.
    private func stacked(_ width: Int) -> StyledText {
        var text = StyledText()
        for row in rows where row.count == 2 {
            for part in TextWidth.wrapped(row[0], to: width) {
                text.line(part, styles[0] ?? .plain)
            }
            for part in TextWidth.wrapped(row[1], to: max(8, width - 4)) {
                text.line("    " + part, styles[1] ?? .plain)
            }
        }
        return text
    }

    /// A row as several rows, with the parts of its last cell below each other.
    private func wrapped(_ row: [String], _ widths: [Int]) -> [[String]] {
        guard row.count == columns.count, let last = row.last, let width = widths.last else {
            return [row]
        }
        return TextWidth.wrapped(last, to: width).enumerated().map { index, part in
            (index == 0 ? Array(row.dropLast()) : row.dropLast().map { _ in "" }) + [part]
        }
    }

    /// Whether a text is too long for its column in a window of this width.
    package func cutsTexts(to width: Int) -> Bool {
        let fitting = fittingColumns(width)
        let widths = columns.indices.prefix(fitting).map { index in
            rows.map { index < $0.count ? TextWidth.of($0[index]) : 0 }.reduce(
                TextWidth.of(columns[index].title), max)
        }
        return widths.reduce(2 * (fitting - 1), +) > width
    }

    /// How many of the first columns fit into a width; the others are left out.
    private func fittingColumns(_ width: Int, showsTitles: Bool = true) -> Int {
        var count = 0
        var left = width + 2
        for needed in leastWidths(showsTitles) {
            left -= needed + 2
            guard left >= 0 || count < 2 else { break }
            count += 1
        }
        return count
    }

    /// The widths of the columns with their texts cut as far as that is sensible. Titles and
    /// numbers are never cut.
    private func leastWidths(_ showsTitles: Bool) -> [Int] {
        columns.indices.map { index in
            let cells = rows.map { index < $0.count ? TextWidth.of($0[index]) : 0 }
            let title = showsTitles ? TextWidth.of(columns[index].title) : 0
            let widest = cells.max() ?? 0
            return max(
                title,
                columns[index].isNumeric
                    ? widest : min(widest, columns[index].keepsEnds ? 20 : Table.leastText))
        }
    }

    /// Shortens the widest cells first, so that short cells stay complete.
    private func shrink(_ widths: inout [Int], to columns: Int) {
        let gaps = 2 * (widths.count - 1)
        // Two numeric columns alone have to give way like texts.
        let texts = widths.indices.filter { !self.columns[$0].isNumeric }
        let shrinkable = self.columns.count > 2 ? texts : Array(widths.indices)
        var excess = widths.reduce(gaps, +) - columns
        while excess > 0, let widest = shrinkable.max(by: { widths[$0] <= widths[$1] }),
            widths[widest] > 4
        {
            widths[widest] -= 1
            excess -= 1
        }
    }

    private func line(_ cells: [String], _ widths: [Int], style: (Int) -> TextStyle) -> StyledText {
        var text = StyledText()
        for index in widths.indices {
            let whole = index < cells.count ? cells[index] : ""
            let cell =
                columns[index].keepsEnds
                ? TextWidth.cutInside(whole, to: widths[index])
                : TextWidth.cut(whole, to: widths[index])
            let isLast = index == widths.count - 1
            if columns[index].isNumeric {
                text.append(
                    TextWidth.padded(cell, to: widths[index], onLeft: true), style(index))
            } else {
                text.append(isLast ? cell : TextWidth.padded(cell, to: widths[index]), style(index))
            }
            if !isLast { text.append("  ") }
        }
        return text.withoutTrailingBlanks
    }
}
