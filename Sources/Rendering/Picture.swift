/// Numbers for a picture: lines over a common axis, or a matrix.
package struct Picture: Sendable {
    package enum Content: Sendable {
        case lines([(name: String, points: [(x: Double, y: Double)])])
        case matrix(rows: Int, columns: Int, values: [Double])
    }

    package var content: Content
    package var title: String
    /// The name of the horizontal axis of lines; nil for the number of the item.
    package var xName: String?

    package init(_ content: Content, title: String, xName: String? = nil) {
        self.content = content
        self.title = title
        self.xName = xName
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
            text.line(TerminalChart(lines: lines, xName: xName, appearance: appearance).rendered())
        }
        return text
    }
}
