/// Numbers for a picture: lines over a common axis, or a matrix.
package struct Picture: Sendable {
    package enum Content: Sendable {
        case lines([(name: String, points: [(x: Double, y: Double)])])
        case matrix(rows: Int, columns: Int, values: [Double])
    }

    package var content: Content
    package var title: String

    package init(_ content: Content, title: String) {
        self.content = content
        self.title = title
    }

    package func rendered(_ appearance: Appearance) -> StyledText {
        var text = StyledText(title, .heading)
        switch content {
        case .matrix(let rows, let columns, let values):
            text.line(
                HeatMap(
                    rows: rows, columns: columns, values: values, marksDiagonal: false,
                    rowLabel: "", columnLabel: ""
                ).rendered(appearance))
        case .lines(let lines):
            for line in lines { text.line(Picture.rendered(line.points, appearance)) }
        }
        return text
    }

    /// A line of dots, fifteen rows high, with the range of both axes.
    private static func rendered(
        _ points: [(x: Double, y: Double)], _ appearance: Appearance
    ) -> StyledText {
        let points = points.filter { $0.x.isFinite && $0.y.isFinite }
        guard let first = points.first else { return StyledText("no finite values", .faint) }
        var (low, high) = (first.y, first.y)
        var (left, right) = (first.x, first.x)
        for point in points {
            low = min(low, point.y)
            high = max(high, point.y)
            left = min(left, point.x)
            right = max(right, point.x)
        }
        let height = 12
        let labels = [high, low].map { NumberText.significant($0, digits: 4) }
        let margin = (labels.map(TextWidth.of).max() ?? 0) + 2
        let width = max(8, min(100, appearance.columns - margin - 1))
        var grid = [[Character]](
            repeating: [Character](repeating: " ", count: width), count: height)
        let dot: Character = appearance.isUnicode ? "•" : "*"
        for point in points {
            let x = right > left ? (point.x - left) / (right - left) : 0
            let y = high > low ? (point.y - low) / (high - low) : 0.5
            let column = min(width - 1, max(0, Int((x * Double(width - 1)).rounded())))
            let row = min(height - 1, max(0, Int(((1 - y) * Double(height - 1)).rounded())))
            grid[row][column] = dot
        }
        var text = StyledText()
        let bar = appearance.isUnicode ? "│" : "|"
        for (row, cells) in grid.enumerated() {
            let label = row == 0 ? labels[0] : row == height - 1 ? labels[1] : ""
            text.line(TextWidth.padded(label, to: margin - 1, onLeft: true) + bar, .faint)
            text.append(String(cells), TextStyle(foreground: .cyan))
        }
        let start = NumberText.significant(left, digits: 4)
        let end = NumberText.significant(right, digits: 4)
        text.line(
            String(repeating: " ", count: margin) + start
                + TextWidth.padded(end, to: max(1, width - TextWidth.of(start)), onLeft: true),
            .faint)
        return text
    }
}
