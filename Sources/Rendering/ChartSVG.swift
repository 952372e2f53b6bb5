/// Charts as SVG.
extension Chart {
    /// Nil if no point is shown.
    var drawing: Picture.Drawing? {
        guard let axes else { return nil }
        let legend = hasLegend ? self.legend : (elements: "", rows: 0)
        let frame = Frame(top: 40 + 18 * Double(legend.rows))
        var drawing = legend.elements + ruled(axes, frame)
        let isAlone = series.count == 1
        for (index, line) in series.enumerated() {
            let look = Look(index)
            switch line.mark {
            case .line: drawing += path(line, axes, frame, look, isAlone: isAlone)
            case .points: drawing += cloud(line, axes, frame, look)
            case .bars(let width): drawing += bars(line, width, axes, frame, look, isAlone)
            }
        }
        return Picture.Drawing(elements: drawing, height: frame.bottom + 40)
    }

    /// The part of the drawing inside the axes, in pixels.
    private struct Frame {
        let left = 80.0
        let right = 620.0
        let top: Double
        var bottom: Double { top + 320 }

        func across(_ x: Double, _ axis: Axis) -> Double { left + axis.share(x) * (right - left) }
        func down(_ y: Double, _ axis: Axis) -> Double { bottom - axis.share(y) * (bottom - top) }
    }

    private static func fixed(_ number: Double) -> String {
        NumberText.fixed(number, decimals: 1)
    }

    // MARK: Axes

    /// The frame with round numbers on both axes, and their names.
    private func ruled(_ axes: (x: Axis, y: Axis), _ frame: Frame) -> String {
        var drawing =
            "<path d=\"M\(frame.left) \(frame.top)V\(frame.bottom)H\(frame.right)\" fill=\"none\" "
            + "stroke=\"#808080\"/>"
        let yTicks = axes.y.ticks(6)
        for (value, label) in zip(yTicks.values, yTicks.labels) {
            let y = frame.down(value, axes.y)
            drawing +=
                "<path d=\"M\(frame.left) \(Chart.fixed(y))H\(frame.right)\" stroke=\"#e0e0e0\"/>"
                + Picture.text(label, x: frame.left - 6, y: y + 5, anchor: "end")
        }
        let xTicks = axes.x.ticks(8)
        for (value, label) in zip(xTicks.values, xTicks.labels) {
            drawing += Picture.text(
                label, x: frame.across(value, axes.x), y: frame.bottom + 18, anchor: "middle")
        }
        if let xName {
            drawing += Picture.text(
                TextWidth.cut(TextWidth.oneLine(xName), to: 70), x: 350, y: frame.bottom + 35,
                anchor: "middle")
        }
        let name = yName ?? (series.count == 1 ? series[0].name : "")
        return drawing
            + Picture.text(
                TextWidth.cut(TextWidth.oneLine(name), to: 42), x: 20,
                y: (frame.top + frame.bottom) / 2, anchor: "middle", isUpright: true)
    }

    // MARK: Series

    /// A series' color, dashes and mark; each alone tells it from its neighbors.
    private struct Look {
        let color: String
        let dashes: String
        private let shape: Int

        init(_ index: Int) {
            color = Look.colors[index % Look.colors.count]
            dashes = Look.patterns[index % Look.patterns.count]
            shape = index % 6
        }

        /// Okabe and Ito's colors, which the color-blind can tell apart; black comes first.
        private static let colors = [
            "#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
        ]
        private static let patterns = ["", "8 3", "2 3", "8 3 2 3", "12 4"]

        var stroke: String {
            "fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\""
                + (dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"")
        }

        /// A disk, a square, a triangle, a diamond, a cross or a plus.
        func mark(_ x: Double, _ y: Double) -> String {
            let (a, b) = (Chart.fixed(x), Chart.fixed(y))
            let filled = "fill=\"\(color)\""
            let drawn = "fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\""
            return switch shape {
            case 0: "<circle cx=\"\(a)\" cy=\"\(b)\" r=\"3\" \(filled)/>"
            case 1: "<path d=\"M\(a) \(b)m-3-3h6v6h-6z\" \(filled)/>"
            case 2: "<path d=\"M\(a) \(b)m0-4l4 7h-8z\" \(filled)/>"
            case 3: "<path d=\"M\(a) \(b)m0-4l4 4-4 4-4-4z\" \(filled)/>"
            case 4: "<path d=\"M\(a) \(b)m-3-3l6 6m0-6l-6 6\" \(drawn)/>"
            default: "<path d=\"M\(a) \(b)m-4 0h8m-4-4v8\" \(drawn)/>"
            }
        }
    }

    private func path(
        _ line: Series, _ axes: (x: Axis, y: Axis), _ frame: Frame, _ look: Look, isAlone: Bool
    ) -> String {
        func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
            (frame.across(point.x, axes.x), frame.down(point.y, axes.y))
        }
        var drawing = ""
        // A gap where a number has no place.
        for run in Chart.thinned(line.points).split(whereSeparator: { !isShown($0) }) {
            let places = run.map(place)
            if places.count > 1 {
                let joined = places.map { "\(Chart.fixed($0.x)),\(Chart.fixed($0.y))" }
                drawing += "<polyline points=\"\(joined.joined(separator: " "))\" \(look.stroke)/>"
            }
            // All marks where they do not run into each other, else some that tell lines apart.
            let step = line.points.count <= 40 ? 1 : max(1, places.count / 12)
            guard places.count == 1 || line.points.count <= 40 || !isAlone else { continue }
            for index in stride(from: 0, to: places.count, by: step) {
                drawing += look.mark(places[index].x, places[index].y)
            }
        }
        return drawing
    }

    /// Marks; of very many, one dot for each cell of three pixels that holds any.
    private func cloud(
        _ line: Series, _ axes: (x: Axis, y: Axis), _ frame: Frame, _ look: Look
    ) -> String {
        let places = line.points.filter(isShown).map {
            (x: frame.across($0.x, axes.x), y: frame.down($0.y, axes.y))
        }
        guard places.count > 1000 else {
            return places.map { look.mark($0.x, $0.y) }.joined()
        }
        var seen: Set<Int> = []
        var dots = ""
        for place in places {
            let (column, row) = (Int(place.x / 3), Int(place.y / 3))
            guard seen.insert(row * 1000 + column).inserted else { continue }
            dots += "M\(column * 3 + 1) \(row * 3 + 1)h0"
        }
        return "<path d=\"\(dots)\" stroke=\"\(look.color)\" stroke-width=\"3\" "
            + "stroke-linecap=\"round\"/>"
    }

    private func bars(
        _ line: Series, _ width: Double, _ axes: (x: Axis, y: Axis), _ frame: Frame, _ look: Look,
        _ isAlone: Bool
    ) -> String {
        // Bars of one width have no place on a logarithmic axis.
        guard xScale == .linear, let first = line.points.first else { return "" }
        let ground = frame.bottom
        // One outline, so that bars of several series can be seen through each other.
        var outline =
            "M\(Chart.fixed(frame.across(first.x - width / 2, axes.x))) \(Chart.fixed(ground))"
        for point in line.points {
            let top = isShown(point) ? frame.down(point.y, axes.y) : ground
            outline += "V\(Chart.fixed(top))"
            outline += "H\(Chart.fixed(frame.across(point.x + width / 2, axes.x)))"
            if isAlone { outline += "V\(Chart.fixed(ground))" }
        }
        outline += "V\(Chart.fixed(ground))"
        let dashes = look.dashes.isEmpty ? "" : " stroke-dasharray=\"\(look.dashes)\""
        return "<path d=\"\(outline)\" fill=\"\(isAlone ? "#0072b2" : look.color)\" "
            + "fill-opacity=\"\(isAlone ? "0.6" : "0.12")\" "
            + "stroke=\"\(isAlone ? "#ffffff" : look.color)\" "
            + "stroke-width=\"\(isAlone ? 1 : 2)\"\(dashes)/>"
    }

    // MARK: Legend

    /// Names of more series than this are counted.
    private static let mostNamed = 12

    /// The names in rows above the frame, each after a piece of its line.
    private var legend: (elements: String, rows: Int) {
        var elements = ""
        var (x, row) = (80.0, 0)
        for (index, line) in series.prefix(Chart.mostNamed).enumerated() {
            let name = TextWidth.cut(TextWidth.oneLine(line.name), to: 40)
            let width = 50 + 7.5 * Double(TextWidth.of(name))
            if x > 80, x + width > 632 { (x, row) = (80, row + 1) }
            let y = 44 + 18 * Double(row)
            let look = Look(index)
            if !line.isPoints {
                elements += "<path d=\"M\(Chart.fixed(x)) \(y - 4)h28\" \(look.stroke)/>"
            }
            if !line.isBars { elements += look.mark(x + 14, y - 4) }
            elements += Picture.text(name, x: x + 34, y: y, anchor: "start")
            x += width
        }
        if series.count > Chart.mostNamed {
            row += 1
            elements += Picture.text(
                "and \(series.count - Chart.mostNamed) more", x: 80, y: 44 + 18 * Double(row),
                anchor: "start")
        }
        return (elements, row + 1)
    }

    // MARK: Many points

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
}
