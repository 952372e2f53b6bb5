import Foundation

/// A small matrix as colored cells: dark for the smallest value, bright for the largest.
package struct HeatMap: Sendable {
    package var rows: Int
    package var columns: Int
    /// Row after row.
    package var values: [Double]
    /// Whether to mark the cells whose value should be the largest of their row and column.
    package var marksDiagonal: Bool
    package var rowLabel: String
    package var columnLabel: String
    /// The names of the axes, for pictures: "constitution". May be empty.
    package var rowName = ""
    package var columnName = ""
    /// What this matrix is among several; may be empty.
    package var title = ""
    /// The unit of the values, such as "nats a token"; may be empty.
    package var unit = ""
    /// The distance of the labels, where a row or a column stands for several.
    private(set) var rowStep = 1
    private(set) var columnStep = 1

    package init(
        rows: Int, columns: Int, values: [Double], marksDiagonal: Bool = true,
        rowLabel: String = "c", columnLabel: String = "y"
    ) {
        self.rows = rows
        self.columns = columns
        self.values = values
        self.marksDiagonal = marksDiagonal
        self.rowLabel = rowLabel
        self.columnLabel = columnLabel
    }

    /// Without color only the digits are shown; the diagonal is in brackets in both cases.
    package func rendered(_ appearance: Appearance) -> StyledText {
        guard let range else { return StyledText("empty", .faint) }
        let labelWidth = "\(rowLabel)\(max(0, rows - 1))".count + 1
        // Brackets around the diagonal, and a blank between cells.
        let decimals = decimals
        let widest = [range.lowerBound, range.upperBound].map {
            HeatMap.digits($0, decimals: decimals).count
        }
        let cellWidth = max(6, widest.max() ?? 0) + 3
        let shownColumns = min(columns, max(1, (appearance.columns - labelWidth) / cellWidth))
        let shownRows = min(rows, 16)
        let isWhole = shownRows == rows && shownColumns == columns
        if !isWhole, !marksDiagonal {
            let blocks = averaged(atMost: shownRows, shownColumns)
            var text = blocks.map.rendered(appearance)
            text.line(
                "\(rows) × \(columns): each cell is the mean of up to \(blocks.down) × "
                    + "\(blocks.across) values", .faint)
            return text
        }
        var titles = StyledText(String(repeating: " ", count: labelWidth))
        for column in 0..<shownColumns {
            titles.append(
                TextWidth.padded(
                    "\(columnLabel)\(column * columnStep)", to: cellWidth - 1, onLeft: true) + " ",
                .faint)
        }
        var text = titles.withoutTrailingBlanks
        for row in 0..<shownRows {
            var line = StyledText(
                TextWidth.padded("\(rowLabel)\(row * rowStep)", to: labelWidth), .faint)
            for column in 0..<shownColumns {
                let value = values[row * columns + column]
                let isDiagonal = isDiagonal(row, column)
                let digits = HeatMap.digits(value, decimals: decimals)
                let cell = TextWidth.padded(
                    isDiagonal ? "[\(digits)]" : "\(digits) ", to: cellWidth, onLeft: true)
                let style =
                    appearance.color == .none
                    ? .plain : HeatMap.style(share(value, of: range), isBold: isDiagonal)
                line.append(cell, style)
            }
            text.line(line.withoutTrailingBlanks)
        }
        if !isWhole { text.line("\(shownRows) × \(shownColumns) of \(rows) × \(columns)", .faint) }
        return text
    }

    /// The means of equal blocks, so that at most this many rows and columns remain; and the sides
    /// of a block. A block without a finite value is nan.
    func averaged(atMost mostRows: Int, _ mostColumns: Int) -> (
        map: HeatMap, down: Int, across: Int
    ) {
        let down = max(1, (rows + mostRows - 1) / max(1, mostRows))
        let across = max(1, (columns + mostColumns - 1) / max(1, mostColumns))
        let (shownRows, shownColumns) = ((rows + down - 1) / down, (columns + across - 1) / across)
        var means: [Double] = []
        for row in 0..<shownRows {
            for column in 0..<shownColumns {
                var (sum, count) = (0.0, 0)
                for i in row * down..<min(rows, (row + 1) * down) {
                    for j in column * across..<min(columns, (column + 1) * across)
                    where values[i * columns + j].isFinite {
                        sum += values[i * columns + j]
                        count += 1
                    }
                }
                means.append(count > 0 ? sum / Double(count) : .nan)
            }
        }
        var map = self
        (map.rows, map.columns, map.values) = (shownRows, shownColumns, means)
        map.marksDiagonal = marksDiagonal && down * across == 1
        (map.rowStep, map.columnStep) = (down, across)
        return (map, down, across)
    }

    /// The smallest and the largest finite value; nil if there is none.
    var range: ClosedRange<Double>? {
        let finite = values.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return nil }
        return low...high
    }

    /// The place of a value in the range, from 0 to 1.
    func share(_ value: Double, of range: ClosedRange<Double>) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        return high > low ? (value - low) / (high - low) : 0.5
    }

    func isDiagonal(_ row: Int, _ column: Int) -> Bool {
        marksDiagonal && row == column % max(1, rows)
    }

    /// The decimals that the differences between cells need.
    var decimals: Int { range.map(HeatMap.decimals) ?? 3 }

    /// The same for several matrices that share a scale.
    static func decimals(_ range: ClosedRange<Double>) -> Int {
        guard range.upperBound > range.lowerBound else { return 3 }
        let distance = log10(range.upperBound - range.lowerBound)
        return min(6, max(3, 2 - Int(distance.rounded(.down))))
    }

    static func digits(_ value: Double, decimals: Int) -> String {
        NumberText.fixed(
            value, decimals: value.magnitude < 100 ? decimals : value.magnitude < 1e4 ? 1 : 0)
    }

    /// The style of a cell; plain for a value that is not finite.
    static func style(_ share: Double, isBold: Bool = false) -> TextStyle {
        guard share.isFinite else { return .plain }
        let color = ramp(share)
        let isDark = 0.3 * color.0 + 0.6 * color.1 + 0.1 * color.2 < 128
        let background = TextColor.rgb(UInt8(color.0), UInt8(color.1), UInt8(color.2))
        return TextStyle(
            foreground: isDark ? .rgb(240, 240, 240) : .rgb(20, 20, 20), background: background,
            isBold: isBold)
    }

    /// Viridis in five stops: even in lightness, and readable by the color-blind.
    private static func ramp(_ share: Double) -> (Double, Double, Double) {
        let stops: [(Double, Double, Double)] = [
            (68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37),
        ]
        let position = min(max(share, 0), 1) * Double(stops.count - 1)
        let index = min(stops.count - 2, Int(position))
        let part = position - Double(index)
        let (a, b) = (stops[index], stops[index + 1])
        return (
            a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part, a.2 + (b.2 - a.2) * part
        )
    }
}
