/// Heat maps as SVG: one panel for each, all with one scale of color.
extension Picture {
    /// Largest number of panels in one picture.
    static let mostPanels = 16

    /// Nil if no number is finite.
    static func panels(_ maps: [HeatMap]) -> Drawing? {
        let shown = maps.prefix(mostPanels).map { map in
            map.rows > 0 && map.columns > 0 ? map.averaged(atMost: 64, 64).map : map
        }
        let finite = shown.compactMap(\.range)
        guard let low = finite.map(\.lowerBound).min(), let high = finite.map(\.upperBound).max()
        else { return nil }
        let across = shown.count <= 1 ? 1 : shown.count <= 4 ? 2 : shown.count <= 9 ? 3 : 4
        let down = (shown.count + across - 1) / across
        let height = max(400, 40 + 150 * Double(down) + (maps.count > mostPanels ? 20 : 0))
        let place = Box(left: 8, top: 32, right: 540, bottom: height - 8)
        let width = (place.right - place.left) / Double(across)
        let tall = (place.bottom - place.top) / Double(down)
        var drawing = ""
        for (index, map) in shown.enumerated() {
            let (row, column) = (index / across, index % across)
            let panel = Box(
                left: place.left + width * Double(column), top: place.top + tall * Double(row),
                right: place.left + width * Double(column + 1) - 8,
                bottom: place.top + tall * Double(row + 1) - 4)
            drawing += Picture.panel(map, in: panel, range: low...high, isFirst: index == 0)
        }
        drawing += scale(low...high, shown[0], Box(left: 556, top: 48, right: 572, bottom: 352))
        if maps.count > mostPanels {
            drawing += text(
                "and \(maps.count - mostPanels) more", x: 632, y: height - 8, anchor: "end")
        }
        return Drawing(elements: drawing, height: height)
    }

    /// A rectangle, in pixels.
    private struct Box {
        var left, top, right, bottom: Double

        var element: String {
            "<rect x=\"\(Picture.fixed(left))\" y=\"\(Picture.fixed(top))\" "
                + "width=\"\(Picture.fixed(right - left))\" "
                + "height=\"\(Picture.fixed(bottom - top))\""
        }
    }

    private static func fixed(_ number: Double) -> String { NumberText.fixed(number, decimals: 2) }

    /// Some pixels a character at 13 pixels of height; digits and small letters are narrower.
    private static let characterWidth = 7.5

    /// One matrix with its title, the names of its axes and its labels.
    ///
    /// - Parameter isFirst: the panel that carries the names of the axes for all of them.
    private static func panel(
        _ map: HeatMap, in box: Box, range: ClosedRange<Double>, isFirst: Bool
    ) -> String {
        let labels = (
            rows: map.labels(map.rowLabel, count: map.rows, step: map.rowStep),
            columns: map.labels(map.columnLabel, count: map.columns, step: map.columnStep)
        )
        let widest = Double(labels.rows.map(\.count).max() ?? 0) * characterWidth
        var cells = box
        cells.left += widest + (map.rowName.isEmpty ? 8 : 28)
        cells.top += map.title.isEmpty ? 8 : 22
        cells.bottom -= map.columnName.isEmpty ? 22 : 40
        guard cells.right > cells.left, cells.bottom > cells.top, map.rows > 0, map.columns > 0
        else { return "" }
        var drawing = ""
        if !map.title.isEmpty {
            let room = Int((box.right - box.left) / characterWidth)
            drawing += text(
                TextWidth.cut(map.title, to: max(4, room)), x: (cells.left + cells.right) / 2,
                y: box.top + 14, anchor: "middle")
        }
        let width = (cells.right - cells.left) / Double(map.columns)
        let height = (cells.bottom - cells.top) / Double(map.rows)
        func cell(_ row: Int, _ column: Int) -> Box {
            Box(
                left: cells.left + width * Double(column), top: cells.top + height * Double(row),
                right: cells.left + width * Double(column + 1),
                bottom: cells.top + height * Double(row + 1))
        }
        let decimals = HeatMap.decimals(range)
        let longest = map.values.map { HeatMap.digits($0, decimals: decimals).count }.max() ?? 0
        let showsFigures = width >= Double(longest + 1) * characterWidth && height >= 16
        var (ground, figures, frames) = ("", "", "")
        for row in 0..<map.rows {
            for column in 0..<map.columns {
                let value = map.values[row * map.columns + column]
                let share = map.share(value, of: range)
                let place = cell(row, column)
                let style = HeatMap.style(share)
                ground += place.element + " fill=\"\(style.background?.css ?? "#ffffff")\"/>"
                if showsFigures {
                    figures += text(
                        HeatMap.digits(value, decimals: decimals),
                        x: (place.left + place.right) / 2,
                        y: (place.top + place.bottom) / 2 + 5, anchor: "middle",
                        color: style.foreground?.css ?? "#000000")
                }
                guard map.isDiagonal(row, column) else { continue }
                // White within black shows on every color of the scale.
                let inner = Box(
                    left: place.left + 1.5, top: place.top + 1.5, right: place.right - 1.5,
                    bottom: place.bottom - 1.5)
                frames +=
                    inner.element + " fill=\"none\" stroke=\"#000000\" stroke-width=\"3\"/>"
                    + inner.element + " fill=\"none\" stroke=\"#ffffff\"/>"
            }
        }
        drawing += crisp(ground) + figures + frames
        for row in every(labels.rows.count, room: height, needs: 15) {
            drawing += text(
                labels.rows[row], x: cells.left - 5,
                y: cells.top + height * (Double(row) + 0.5) + 5, anchor: "end")
        }
        let columnWidth = Double(labels.columns.map(\.count).max() ?? 0) * characterWidth + 6
        for column in every(labels.columns.count, room: width, needs: columnWidth) {
            drawing += text(
                labels.columns[column], x: cells.left + width * (Double(column) + 0.5),
                y: cells.bottom + 16, anchor: "middle")
        }
        if isFirst || box.bottom - box.top > 100 {
            drawing += text(
                map.columnName, x: (cells.left + cells.right) / 2, y: cells.bottom + 33,
                anchor: "middle")
            drawing += text(
                map.rowName, x: box.left + 14, y: (cells.top + cells.bottom) / 2, anchor: "middle",
                isUpright: true)
        }
        return drawing
    }

    /// Rectangles side by side without seams of half-covered pixels.
    private static func crisp(_ rectangles: String) -> String {
        "<g shape-rendering=\"crispEdges\">" + rectangles + "</g>"
    }

    /// The items whose labels have room: all, or every second, fifth, tenth and so on.
    private static func every(
        _ count: Int, room: Double, needs: Double
    ) -> StrideTo<Int> {
        let least = Int((needs / max(room, 1e-9)).rounded(.up))
        var step = 1
        while step < least { step *= "\(step)".hasPrefix("2") ? 5 : 2 }
        return stride(from: 0, to: count, by: step)
    }

    /// The scale of color with its numbers and the unit.
    private static func scale(
        _ range: ClosedRange<Double>, _ map: HeatMap, _ box: Box
    ) -> String {
        let steps = 64
        let height = (box.bottom - box.top) / Double(steps)
        var drawing = ""
        for step in 0..<steps {
            let part = Box(
                left: box.left, top: box.bottom - height * Double(step + 1), right: box.right,
                bottom: box.bottom - height * Double(step))
            let color = HeatMap.style((Double(step) + 0.5) / Double(steps)).background?.css
            drawing += part.element + " fill=\"\(color ?? "#ffffff")\"/>"
        }
        drawing = crisp(drawing)
        let ticks = Ticks(range, count: 6)
        for (value, label) in zip(ticks.values, ticks.labels) {
            let y = box.bottom - map.share(value, of: range) * (box.bottom - box.top)
            drawing +=
                "<path d=\"M\(fixed(box.right)) \(fixed(y))h4\" stroke=\"#000000\"/>"
                + text(label, x: box.right + 6, y: y + 5, anchor: "start")
        }
        return drawing + text(map.unit, x: 632, y: box.bottom + 24, anchor: "end")
    }
}

extension HeatMap {
    /// "c0", "c1" and so on; a number alone if the axis has no letter.
    fileprivate func labels(_ letter: String, count: Int, step: Int) -> [String] {
        (0..<count).map { "\(letter)\($0 * step)" }
    }
}
