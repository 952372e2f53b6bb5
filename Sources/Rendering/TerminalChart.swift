/// Lines in a terminal: a mark for each point, dots between them.
struct TerminalChart {
    private static let height = 12
    private static let colors: [TextColor] = [.cyan, .yellow, .magenta, .green, .red, .blue]

    let lines: [(name: String, points: [(x: Double, y: Double)])]
    let xName: String?
    let appearance: Appearance

    private struct Cell {
        var character: Character = " "
        var line = 0
    }

    func rendered() -> StyledText {
        guard let range = ChartRange(lines) else { return StyledText("no finite values", .faint) }
        let height = TerminalChart.height
        let yTicks = Ticks(range.y, count: 4)
        let margin = (yTicks.labels.map(TextWidth.of).max() ?? 0) + 2
        let width = max(8, min(100, appearance.columns - margin - 1))
        func column(_ x: Double) -> Int {
            Int((ChartRange.share(x, of: range.x) * Double(width - 1)).rounded())
        }
        func row(_ y: Double) -> Int {
            Int(((1 - ChartRange.share(y, of: range.y)) * Double(height - 1)).rounded())
        }
        var grid = [[Cell]](repeating: [Cell](repeating: Cell(), count: width), count: height)
        for (index, line) in lines.enumerated() {
            let places = line.points.map { point in
                point.x.isFinite && point.y.isFinite ? (column(point.x), row(point.y)) : nil
            }
            for (a, b) in zip(places, places.dropFirst()) {
                guard let a, let b else { continue }
                TerminalChart.connect(a, b) { x, y in
                    if grid[y][x].character == " " {
                        grid[y][x] = Cell(character: appearance.isUnicode ? "·" : ".", line: index)
                    }
                }
            }
            for case let place? in places {
                grid[place.1][place.0] = Cell(character: mark(index), line: index)
            }
        }
        var text = StyledText()
        if lines.count > 1 { text.line(legend) }
        let labels = Dictionary(
            zip(yTicks.values.map(row), yTicks.labels), uniquingKeysWith: { first, _ in first })
        let bar = appearance.isUnicode ? "│" : "|"
        for (index, cells) in grid.enumerated() {
            text.line(
                TextWidth.padded(labels[index] ?? "", to: margin - 1, onLeft: true) + bar, .faint)
            var line = StyledText()
            for cell in cells { line.append(String(cell.character), style(cell.line)) }
            text.append(line.withoutTrailingBlanks)
        }
        text.line(ruler(range, column, width, margin))
        return text
    }

    /// The numbers below the horizontal axis, and its name.
    private func ruler(
        _ range: ChartRange, _ column: (Double) -> Int, _ width: Int, _ margin: Int
    ) -> StyledText {
        let ticks = Ticks(range.x, count: max(2, width / 10), isWhole: range.isWholeX)
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
        if let xName {
            let padding = max(0, margin + (width - TextWidth.of(xName)) / 2)
            text.line(String(repeating: " ", count: padding) + xName, .faint)
        }
        return text
    }

    private var legend: StyledText {
        var text = StyledText()
        for (index, line) in lines.enumerated() {
            text.append((index == 0 ? "" : "  ") + "\(mark(index)) \(line.name)", style(index))
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
