/// Numbers for a picture: lines over a common axis, or matrices.
package struct Picture: Sendable {
    package enum Content: Sendable {
        case lines([(name: String, points: [(x: Double, y: Double)])])
        /// One matrix, or several that share a scale of color.
        case matrices([HeatMap])
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

    /// Largest number of matrices that a terminal shows.
    private static let mostInTerminal = 4

    package func rendered(_ appearance: Appearance) -> StyledText {
        var text = StyledText(title, .heading)
        switch content {
        case .matrices(let maps):
            for map in maps.prefix(Picture.mostInTerminal) {
                if !map.title.isEmpty { text.line(StyledText(map.title, .name)) }
                text.line(map.rendered(appearance))
            }
            if maps.count > Picture.mostInTerminal {
                text.line(left(after: Picture.mostInTerminal, of: maps.count), .faint)
            }
        case .lines(let lines):
            text.line(TerminalChart(lines: lines, xName: xName, appearance: appearance).rendered())
        }
        return text
    }

    /// "… and 3 more; an index selects: [4:]"
    func left(after shown: Int, of count: Int) -> String {
        "… and \(count - shown) more; a slice shows others: [\(shown):\(min(count, 2 * shown))]"
    }
}
