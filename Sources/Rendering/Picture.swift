/// Numbers as a picture: a chart, matrices, or rates.
package struct Picture: Sendable {
    package enum Content: Sendable {
        case chart(Chart)
        /// One matrix, or several that share a scale of color.
        case matrices([HeatMap])
        /// Groups of bars, one below the other.
        case rates([RateBars])

        /// Lines over a common axis.
        package static func lines(
            _ lines: [(name: String, points: [(x: Double, y: Double)])], xName: String? = nil
        ) -> Content {
            .chart(Chart(lines.map { Chart.Series($0.name, $0.points) }, xName: xName))
        }
    }

    package var content: Content
    package var title: String

    package init(_ content: Content, title: String) {
        self.content = content
        self.title = title
    }

    /// Largest number of matrices that a terminal shows.
    private static let mostInTerminal = 4

    package func rendered(_ appearance: Appearance) -> StyledText {
        var text = StyledText(TextWidth.oneLine(title), .heading)
        switch content {
        case .matrices(let maps):
            for map in maps.prefix(Picture.mostInTerminal) {
                if !map.title.isEmpty {
                    text.line(StyledText(TextWidth.oneLine(map.title), .name))
                }
                text.line(map.rendered(appearance))
            }
            if maps.count > Picture.mostInTerminal {
                text.line(left(after: Picture.mostInTerminal, of: maps.count), .faint)
            }
        case .chart(let chart):
            text.line(TerminalChart(chart: chart, appearance: appearance).rendered())
        case .rates(let groups):
            for (index, group) in groups.enumerated() {
                if groups.count > 1 {
                    text.line(TextWidth.cut(TextWidth.oneLine(group.title), to: appearance.columns))
                }
                let next = groups.dropFirst(index + 1).first
                text.line(group.rendered(appearance, showsLegend: group.explains(before: next)))
            }
        }
        return text
    }

    /// "… and 3 more; an index selects: [4:]"
    func left(after shown: Int, of count: Int) -> String {
        "… and \(count - shown) more; a slice shows others: [\(shown):\(min(count, 2 * shown))]"
    }
}
