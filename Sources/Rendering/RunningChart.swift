/// A small chart of one line within a page, for work that is under way. It has no ground, and an
/// ink that is legible in a light and in a dark theme.
package struct RunningChart: Sendable {
    package var points: [(x: Double, y: Double)]
    package var xName: String
    package var yName: String

    package init(points: [(x: Double, y: Double)], xName: String, yName: String) {
        (self.points, self.xName, self.yName) = (points, xName, yName)
    }

    private enum Frame {
        static let (width, height) = (480.0, 160.0)
        static let (left, right, top, bottom) = (64.0, 470.0, 10.0, 122.0)
    }

    /// An image; nil if no point is finite.
    package var html: String? {
        let finite = points.filter { $0.x.isFinite && $0.y.isFinite }
        guard let axes = Chart([.init(yName, finite)]).axes else { return nil }
        func across(_ x: Double) -> String {
            RunningChart.fixed(
                Frame.left + axes.x.share(x) * (Frame.right - Frame.left))
        }
        func down(_ y: Double) -> String {
            RunningChart.fixed(
                Frame.bottom - axes.y.share(y) * (Frame.bottom - Frame.top))
        }
        var drawing =
            "<path d=\"M\(Frame.left) \(Frame.top)V\(Frame.bottom)H\(Frame.right)\" "
            + "fill=\"none\" stroke=\"\(HTML.ink)\" stroke-opacity=\"0.6\"/>"
        let yTicks = axes.y.ticks(5)
        for (value, label) in zip(yTicks.values, yTicks.labels) {
            drawing +=
                "<path d=\"M\(Frame.left) \(down(value))H\(Frame.right)\" stroke=\"\(HTML.ink)\" "
                + "stroke-opacity=\"0.2\"/>"
                + RunningChart.text(label, x: "\(Frame.left - 6)", y: down(value), "end", dy: 4)
        }
        let xTicks = Ticks(axes.x.range, count: 8, isWhole: true)
        for (value, label) in zip(xTicks.values, xTicks.labels) {
            drawing += RunningChart.text(
                label, x: across(value), y: "\(Frame.bottom)", "middle", dy: 15)
        }
        let middle = "\((Frame.left + Frame.right) / 2)"
        drawing += RunningChart.text(xName, x: middle, y: "\(Frame.bottom)", "middle", dy: 31)
        let half = RunningChart.fixed((Frame.top + Frame.bottom) / 2)
        drawing +=
            "<text transform=\"rotate(-90 12 \(half))\" x=\"12\" y=\"\(half)\" "
            + "text-anchor=\"middle\" fill=\"\(HTML.ink)\">"
            + "\(HTML.escaped(TextWidth.oneLine(yName)))</text>"
        drawing +=
            finite.count == 1
            ? "<circle cx=\"\(across(finite[0].x))\" cy=\"\(down(finite[0].y))\" r=\"3\" "
                + "fill=\"\(HTML.ink)\"/>"
            : "<polyline points=\""
                + finite.map { "\(across($0.x)),\(down($0.y))" }.joined(separator: " ")
                + "\" fill=\"none\" stroke=\"\(HTML.ink)\" stroke-width=\"2\"/>"
        let size = "width=\"\(Int(Frame.width))\" height=\"\(Int(Frame.height))\""
        return HTML.image(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) font-family=\"sans-serif\" "
                + "font-size=\"12\">\(drawing)</svg>",
            TextWidth.oneLine("\(yName) over \(xName)"))
    }

    private static func fixed(_ number: Double) -> String {
        NumberText.fixed(number, decimals: 1)
    }

    private static func text(
        _ words: String, x: String, y: String, _ anchor: String, dy: Int
    ) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" dy=\"\(dy)\" text-anchor=\"\(anchor)\" "
            + "fill=\"\(HTML.ink)\">\(HTML.escaped(TextWidth.oneLine(words)))</text>"
    }
}
