/// Pictures as SVG, drawn here: they need no other program and no network.
extension Picture {
    /// One SVG document of 640 by 400 pixels.
    package var svg: String {
        let drawing =
            switch content {
            case .matrix(let rows, let columns, let values): Picture.cells(rows, columns, values)
            case .lines(let series): Picture.chart(series, xName)
            }
        func text(_ words: String, _ y: Double) -> String {
            Picture.text(words, x: 320, y: y, anchor: "middle")
        }
        // A ground of its own: the numbers stay readable in a dark theme.
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 400\" width=\"640\" "
            + "height=\"400\" font-family=\"sans-serif\" font-size=\"13\">"
            + "<rect width=\"640\" height=\"400\" fill=\"#ffffff\"/>" + text(title, 22)
            + (drawing ?? text("no finite values", 200)) + "</svg>"
    }

    /// The picture within a page: a matrix as a table, lines as inline SVG.
    package var html: String {
        switch content {
        case .matrix(let rows, let columns, let values):
            StyledText(title, .heading).html
                + HeatMap(
                    rows: rows, columns: columns, values: values, marksDiagonal: false,
                    rowLabel: "", columnLabel: ""
                ).html
        case .lines: svg
        }
    }

    // MARK: Parts

    /// The part of the drawing inside the axes, in pixels.
    private enum Frame {
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

    /// A matrix as colored squares; a large one is averaged to squares that a screen can show. Nil
    /// if no number is finite.
    private static func cells(_ rows: Int, _ columns: Int, _ values: [Double]) -> String? {
        guard rows > 0, columns > 0 else { return nil }
        let map = HeatMap(rows: rows, columns: columns, values: values, marksDiagonal: false)
            .averaged(atMost: 64, 64).map
        let (shownRows, shownColumns, means) = (map.rows, map.columns, map.values)
        guard let range = map.range else { return nil }
        let width = (Frame.right - Frame.left) / Double(shownColumns)
        let height = (Frame.bottom - Frame.top) / Double(shownRows)
        var drawing = ""
        for row in 0..<shownRows {
            for column in 0..<shownColumns {
                let share = map.share(means[row * shownColumns + column], of: range)
                guard let color = HeatMap.style(share).background else { continue }
                func fixed(_ number: Double) -> String { NumberText.fixed(number, decimals: 2) }
                drawing +=
                    "<rect x=\"\(fixed(Frame.left + width * Double(column)))\" "
                    + "y=\"\(fixed(Frame.top + height * Double(row)))\" width=\"\(fixed(width))\" "
                    + "height=\"\(fixed(height))\" fill=\"\(color.css)\"/>"
                guard width >= 60, height >= 18 else { continue }
                drawing += text(
                    HeatMap.digits(
                        means[row * shownColumns + column], decimals: map.decimals),
                    x: Frame.left + width * (Double(column) + 0.5),
                    y: Frame.top + height * (Double(row) + 0.5) + 5, anchor: "middle",
                    color: share > 0.55 ? "#000000" : "#ffffff")
            }
            guard shownRows <= 24 else { continue }
            drawing += text(
                "\(row)", x: Frame.left - 6,
                y: Frame.top + height * (Double(row) + 0.5) + 5, anchor: "end")
        }
        let scale =
            "dark \(NumberText.significant(range.lowerBound, digits: 4)), bright "
            + NumberText.significant(range.upperBound, digits: 4)
        return drawing + text(scale, x: 320, y: Frame.bottom + 20, anchor: "middle")
    }

    private static func text(
        _ words: String, x: Double, y: Double, anchor: String, color: String = "#000000"
    ) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\" fill=\"\(color)\">"
            + "\(HTML.escaped(TextWidth.oneLine(words)))</text>"
    }
}
