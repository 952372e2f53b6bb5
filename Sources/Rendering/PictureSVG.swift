/// Pictures as SVG, drawn here: they need no other program and no network.
extension Picture {
    /// One SVG document, 640 pixels wide and 400 high; many matrices need more height.
    package var svg: String {
        let drawing =
            switch content {
            case .matrices(let maps): Picture.panels(maps)
            case .lines(let series): Picture.chart(series, xName).map { Drawing(elements: $0) }
            }
        let shown =
            drawing
            ?? Drawing(elements: Picture.text("no finite values", x: 320, y: 200, anchor: "middle"))
        let size = "width=\"640\" height=\"\(Int(shown.height))\""
        // A ground of its own: the numbers stay readable in a dark theme.
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 \(Int(shown.height))\" "
            + "\(size) font-family=\"sans-serif\" font-size=\"13\">"
            + "<rect \(size) fill=\"#ffffff\"/>"
            + Picture.text(title, x: 320, y: 22, anchor: "middle") + shown.elements + "</svg>"
    }

    /// The picture within a page: matrices as tables, lines as inline SVG.
    package var html: String {
        switch content {
        case .matrices(let maps):
            StyledText(title, .heading).html
                + maps.prefix(Picture.mostPanels).map { map in
                    (map.title.isEmpty ? "" : StyledText(map.title, .name).html) + map.html
                }.joined()
                + (maps.count > Picture.mostPanels
                    ? StyledText(left(after: Picture.mostPanels, of: maps.count), .faint).html : "")
        case .lines: svg
        }
    }

    /// The elements inside a picture's frame, and the height in pixels that they need.
    struct Drawing {
        var elements: String
        var height = 400.0
    }

    // MARK: Parts

    /// The part of the drawing inside the axes, in pixels.
    enum Frame {
        static let left = 80.0
        static let right = 620.0
        static let top = 40.0
        static let bottom = 360.0
    }

    /// Okabe and Ito's colors, which the color-blind can tell apart; black comes first.
    private static let colors = [
        "#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
    ]

    /// Nil if no number is finite.
    private static func chart(
        _ series: [(name: String, points: [(x: Double, y: Double)])], _ xName: String?
    ) -> String? {
        guard let range = ChartRange(series) else { return nil }
        func place(_ point: (x: Double, y: Double)) -> String {
            NumberText.fixed(across(point.x, range), decimals: 1) + ","
                + NumberText.fixed(down(point.y, range), decimals: 1)
        }
        var drawing = axes(range, xName)
        if series.count == 1 {
            drawing += text(
                series[0].name, x: 20, y: (Frame.top + Frame.bottom) / 2, anchor: "middle",
                isUpright: true)
        }
        for (index, line) in series.enumerated() {
            let color = colors[index % colors.count]
            // A gap where a number is not finite.
            for run in thinned(line.points).split(whereSeparator: {
                !$0.x.isFinite || !$0.y.isFinite
            }) {
                let path = run.map(place).joined(separator: " ")
                drawing +=
                    run.count == 1
                    ? dot(path, color)
                    : "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" "
                        + "stroke-width=\"2\"/>"
                // Marks where they do not run into each other.
                guard run.count > 1, line.points.count <= 40 else { continue }
                drawing += run.map { dot(place($0), color) }.joined()
            }
            guard series.count > 1 else { continue }
            drawing += text(
                line.name, x: Frame.right, y: Frame.top + 16 * Double(index + 1), anchor: "end",
                color: color)
        }
        return drawing
    }

    private static func dot(_ place: String, _ color: String) -> String {
        let parts = place.split(separator: ",")
        return "<circle cx=\"\(parts[0])\" cy=\"\(parts[1])\" r=\"3\" fill=\"\(color)\"/>"
    }

    private static func across(_ x: Double, _ range: ChartRange) -> Double {
        Frame.left + ChartRange.share(x, of: range.x) * (Frame.right - Frame.left)
    }

    private static func down(_ y: Double, _ range: ChartRange) -> Double {
        Frame.bottom - ChartRange.share(y, of: range.y) * (Frame.bottom - Frame.top)
    }

    /// The frame with round numbers on both axes, and the name of the horizontal one.
    private static func axes(_ range: ChartRange, _ xName: String?) -> String {
        var drawing =
            "<path d=\"M\(Frame.left) \(Frame.top)V\(Frame.bottom)H\(Frame.right)\" fill=\"none\" "
            + "stroke=\"#808080\"/>"
        let yTicks = Ticks(range.y, count: 6)
        for (value, label) in zip(yTicks.values, yTicks.labels) {
            let y = down(value, range)
            drawing +=
                "<path d=\"M\(Frame.left) \(NumberText.fixed(y, decimals: 1))H\(Frame.right)\" "
                + "stroke=\"#e0e0e0\"/>"
                + text(label, x: Frame.left - 6, y: y + 5, anchor: "end")
        }
        let xTicks = Ticks(range.x, count: 8, isWhole: range.isWholeX)
        for (value, label) in zip(xTicks.values, xTicks.labels) {
            drawing += text(
                label, x: across(value, range), y: Frame.bottom + 18, anchor: "middle")
        }
        if let xName { drawing += text(xName, x: 350, y: Frame.bottom + 35, anchor: "middle") }
        return drawing
    }

    /// At most some 2,000 points: of each stretch the lowest and the highest, so that no peak is
    /// lost.
    private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        guard points.count > 2000 else { return points }
        let stretch = (points.count + 999) / 1000
        return stride(from: 0, to: points.count, by: stretch).flatMap { start in
            let part = points[start..<min(points.count, start + stretch)]
            let order = part.indices.filter { part[$0].y.isFinite }
            guard let low = order.min(by: { part[$0].y < part[$1].y }),
                let high = order.max(by: { part[$0].y < part[$1].y })
            else { return Array(part.prefix(1)) }
            return low == high ? [part[low]] : [part[min(low, high)], part[max(low, high)]]
        }
    }

    /// One line of text; `anchor` is the part of it that stands at `x`. An upright line runs from
    /// below to above.
    static func text(
        _ words: String, x: Double, y: Double, anchor: String, color: String = "#000000",
        isUpright: Bool = false
    ) -> String {
        if words.isEmpty { return "" }
        let turn = isUpright ? " transform=\"rotate(-90 \(x) \(y))\"" : ""
        return "<text\(turn) x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\" fill=\"\(color)\">"
            + "\(HTML.escaped(TextWidth.oneLine(words)))</text>"
    }
}
