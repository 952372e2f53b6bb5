/// Pictures as SVG, drawn here: they need no other program and no network.
extension Picture {
    /// One SVG document, 640 pixels wide and 400 high; many matrices, a legend or many bars need
    /// another height.
    package var svg: String {
        let drawing: Drawing? =
            switch content {
            case .matrices(let maps): Picture.panels(maps)
            case .chart(let chart): chart.drawing
            case .rates(let groups): Picture.rates(groups)
            }
        let shown =
            drawing
            ?? Drawing(elements: Picture.text("no finite values", x: 320, y: 200, anchor: "middle"))
        let size = "width=\"640\" height=\"\(Int(shown.height))\""
        // A ground of its own: the numbers stay readable in a dark theme.
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 \(Int(shown.height))\" "
            + "\(size) font-family=\"sans-serif\" font-size=\"13\">"
            + "<rect \(size) fill=\"#ffffff\"/>"
            + Picture.text(
                TextWidth.cut(TextWidth.oneLine(title), to: 86), x: 320, y: 22, anchor: "middle")
            + shown.elements + "</svg>"
    }

    /// The picture within a page: matrices and rates as tables, a chart as an image.
    package var html: String {
        switch content {
        case .matrices(let maps):
            heading
                + maps.prefix(Picture.mostPanels).map { map in
                    (map.title.isEmpty ? "" : StyledText(map.title, .name).html) + map.html
                }.joined()
                + (maps.count > Picture.mostPanels
                    ? StyledText(left(after: Picture.mostPanels, of: maps.count), .faint).html : "")
        case .chart: HTML.image(svg, TextWidth.oneLine(title))
        case .rates(let groups):
            heading
                + groups.enumerated().map { index, group in
                    let next = groups.dropFirst(index + 1).first
                    return (groups.count > 1 ? StyledText(group.title).html : "")
                        + group.html(showsLegend: group.explains(before: next))
                }.joined()
        }
    }

    private var heading: String { StyledText(title, .heading).html }

    /// The elements inside a picture's frame, and the height in pixels that they need.
    struct Drawing {
        var elements: String
        var height = 400.0
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
