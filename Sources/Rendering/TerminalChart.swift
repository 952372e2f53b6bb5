/// A chart in a terminal: a mark for each point, dots between the points of a line, and columns of
/// block characters for bars.
struct TerminalChart {
    private static let height = 12
    private static let colors: [TextColor] = [.cyan, .yellow, .magenta, .green, .red, .blue]

    let chart: Chart
    let appearance: Appearance

    private struct Cell {
        var character: Character = " "
        var line = 0
    }

    /// The places of numbers among the cells.
    private struct Grid {
        let axes: (x: Axis, y: Axis)
        let width: Int
        var cells: [[Cell]]

        init(_ axes: (x: Axis, y: Axis), width: Int) {
            (self.axes, self.width) = (axes, width)
            cells = [[Cell]](
                repeating: [Cell](repeating: Cell(), count: width), count: TerminalChart.height)
        }

        func column(_ x: Double) -> Int {
            Int((axes.x.share(x) * Double(width - 1)).rounded())
        }

        func row(_ y: Double) -> Int {
            Int(((1 - axes.y.share(y)) * Double(TerminalChart.height - 1)).rounded())
        }
    }

    func rendered() -> StyledText {
        guard let axes = chart.axes else { return StyledText("no finite values", .faint) }
        let yTicks = axes.y.ticks(4)
        let margin = (yTicks.labels.map(TextWidth.of).max() ?? 0) + 2
        let width = max(8, min(100, appearance.columns - margin - 1))
        var grid = Grid(axes, width: width)
        for (index, line) in chart.series.enumerated() {
            if case .bars(let width) = line.mark, chart.series.count == 1 {
                drawBars(line, width, &grid)
            } else {
                draw(line, index, &grid)
            }
        }
        var text = StyledText()
        if chart.hasLegend { text.line(legend) }
        if let name = chart.yName {
            text.line(TextWidth.cut(TextWidth.oneLine(name), to: appearance.columns), .faint)
        }
        let labels = Dictionary(
            zip(yTicks.values.map(grid.row), yTicks.labels), uniquingKeysWith: { first, _ in first }
        )
        let bar = appearance.isUnicode ? "│" : "|"
        for (index, cells) in grid.cells.enumerated() {
            text.line(
                TextWidth.padded(labels[index] ?? "", to: margin - 1, onLeft: true) + bar, .faint)
            var line = StyledText()
            for cell in cells { line.append(String(cell.character), style(cell.line)) }
            text.append(line.withoutTrailingBlanks)
        }
        text.line(ruler(axes.x, grid.column, width, margin))
        return text
    }

    private func draw(_ line: Chart.Series, _ index: Int, _ grid: inout Grid) {
        let places = line.points.map { point in
            chart.isShown(point) ? (grid.column(point.x), grid.row(point.y)) : nil
        }
        if !line.isPoints {
            for (a, b) in zip(places, places.dropFirst()) {
                guard let a, let b else { continue }
                TerminalChart.connect(a, b) { x, y in
                    if grid.cells[y][x].character == " " {
                        grid.cells[y][x] = Cell(
                            character: appearance.isUnicode ? "·" : ".", line: index)
                    }
                }
            }
        }
        for case let place? in places {
            grid.cells[place.1][place.0] = Cell(character: mark(index), line: index)
        }
    }

    private static let eighths: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// Columns up to an eighth of a cell. A bar that is not zero has one eighth at least.
    private func drawBars(_ line: Chart.Series, _ barWidth: Double, _ grid: inout Grid) {
        let height = TerminalChart.height
        for point in line.points where chart.isShown(point) && point.y > 0 {
            let eighths = max(1, Int((grid.axes.y.share(point.y) * Double(8 * height)).rounded()))
            let left = grid.column(point.x - barWidth / 2)
            let right = grid.column(point.x + barWidth / 2)
            for column in left...max(left, right - (right < grid.width - 1 ? 1 : 0)) {
                for level in 0..<height where eighths > 8 * level {
                    let filled = min(8, eighths - 8 * level)
                    grid.cells[height - 1 - level][column] = Cell(
                        character: appearance.isUnicode ? TerminalChart.eighths[filled - 1] : "#")
                }
            }
        }
    }

    /// The numbers below the horizontal axis, and its name.
    private func ruler(
        _ axis: Axis, _ column: (Double) -> Int, _ width: Int, _ margin: Int
    ) -> StyledText {
        let ticks = axis.ticks(max(2, width / 10))
        var line = [Character](repeating: " ", count: margin + width)
        var free = 0
        for (value, label) in zip(ticks.values, ticks.labels) {
            let start = min(
                margin + width - label.count, max(0, margin + column(value) - label.count / 2))
            guard start >= free else { continue }
            line.replaceSubrange(start..<start + label.count, with: label)
            free = start + label.count + 1
        }
        var text = StyledText(String(line), .faint).withoutTrailingBlanks
        if let written = chart.xName {
            let xName = TextWidth.cut(TextWidth.oneLine(written), to: appearance.columns)
            let padding = max(0, margin + (width - TextWidth.of(xName)) / 2)
            text.line(String(repeating: " ", count: padding) + xName, .faint)
        }
        return text
    }

    private var legend: StyledText {
        var text = StyledText()
        var used = 0
        for (index, line) in chart.series.enumerated() {
            let name = TextWidth.cut(TextWidth.oneLine(line.name), to: appearance.columns - 2)
            let entry = "\(mark(index)) \(name)"
            let width = TextWidth.of(entry)
            if used > 0, used + 2 + width > appearance.columns {
                text.append("\n")
                used = 0
            }
            text.append((used == 0 ? "" : "  ") + entry, style(index))
            used += width + (used == 0 ? 0 : 2)
        }
        return text
    }

    private func mark(_ line: Int) -> Character {
        let marks: [Character] =
            appearance.isUnicode ? ["•", "×", "+", "○", "▪", "△"] : ["*", "x", "+", "o", "#", "@"]
        return marks[line % marks.count]
    }

    private func style(_ line: Int) -> TextStyle {
        TextStyle(foreground: TerminalChart.colors[line % TerminalChart.colors.count])
    }

    /// Bresenham's line, both ends included.
    private static func connect(
        _ start: (Int, Int), _ end: (Int, Int), _ visit: (Int, Int) -> Void
    ) {
        var (x, y) = start
        let (width, height) = (abs(end.0 - x), -abs(end.1 - y))
        let (right, down) = (x < end.0 ? 1 : -1, y < end.1 ? 1 : -1)
        var error = width + height
        while true {
            visit(x, y)
            if (x, y) == end { return }
            let twice = 2 * error
            if twice >= height {
                error += height
                x += right
            }
            if twice <= width {
                error += width
                y += down
            }
        }
    }
}
