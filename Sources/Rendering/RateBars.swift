/// Shares of one as bars with their 95 % intervals.
package struct RateBars: Sendable {
    package struct Bar: Sendable {
        package var name: String
        /// In 0...1.
        package var rate: Double
        package var interval: ClosedRange<Double>
        /// Number of comparisons or responses that the rate is a mean of.
        package var count: Int

        package init(_ name: String, _ rate: Double, _ interval: ClosedRange<Double>, count: Int) {
            (self.name, self.rate, self.interval, self.count) = (name, rate, interval, count)
        }

        /// `69.1 to 76.9 %`
        var intervalText: String {
            NumberText.fixed(interval.lowerBound * 100, decimals: 1) + " to "
                + NumberText.fixed(interval.upperBound * 100, decimals: 1) + " %"
        }
    }

    package var title: String
    package var bars: [Bar]
    /// The unit of the counts: "comparisons".
    package var unit: String
    /// The meaning of one half, such as "no difference"; nil if it has none.
    package var half: String?

    package init(_ title: String, _ bars: [Bar], unit: String, half: String? = nil) {
        (self.title, self.bars, self.unit, self.half) = (title, bars, unit, half)
    }

    /// Whether the legend stands below these bars: it would not stand below the next ones too.
    func explains(before next: RateBars?) -> Bool {
        next.map { $0.unit != unit || $0.half != half } ?? true
    }

    // MARK: Terminal

    /// A row for each bar: `win rate  73.2 %  ███████▓▓░░   ┊  n 64`.
    package func rendered(_ appearance: Appearance, showsLegend: Bool = true) -> StyledText {
        let names = bars.map { TextWidth.cut(TextWidth.oneLine($0.name), to: 28) }
        let margin = names.map { TextWidth.of($0) }.max() ?? 0
        let counts = bars.map { "n \(NumberText.grouped($0.count))" }
        let right = counts.map(\.count).max() ?? 0
        let width = min(50, appearance.columns - margin - right - 13)
        var text = StyledText()
        for (index, bar) in bars.enumerated() {
            text.line(TextWidth.padded(names[index], to: margin), .name)
            text.append(
                "  " + TextWidth.padded(NumberText.percent(bar.rate), to: 7, onLeft: true) + "  ")
            if width >= 10 {
                text.append(cells(bar, width, appearance.isUnicode))
                text.append("  ")
            }
            text.append(counts[index], .faint)
        }
        guard width >= 10, showsLegend else { return text }
        for line in TextWidth.wrapped(legend(appearance.isUnicode), to: appearance.columns) {
            text.line(line, .faint)
        }
        return text
    }

    private static let blocks: (unicode: [Character], ascii: [Character]) = (
        ["█", "▓", "░", "│", "·"], ["#", "=", "-", "|", "."]
    )

    /// Full up to the interval, darker in its lower part than in its upper one; the place of one
    /// half stands before all of them.
    private func cells(_ bar: Bar, _ width: Int, _ isUnicode: Bool) -> String {
        let blocks = isUnicode ? RateBars.blocks.unicode : RateBars.blocks.ascii
        func place(_ share: Double) -> Int {
            Int((min(max(share, 0), 1) * Double(width)).rounded())
        }
        let (low, rate) = (place(bar.interval.lowerBound), place(bar.rate))
        let high = place(bar.interval.upperBound)
        return String(
            (0..<width).map { cell in
                if half != nil, cell == width / 2 { return blocks[3] }
                if cell < min(low, rate) { return blocks[0] }
                if cell < rate { return blocks[1] }
                return cell < high ? blocks[2] : blocks[4]
            })
    }

    private func legend(_ isUnicode: Bool) -> String {
        let blocks = isUnicode ? RateBars.blocks.unicode : RateBars.blocks.ascii
        return "0 to 100 %; \(blocks[1])\(blocks[2]) is the 95 % interval, the rate between them"
            + (half.map { "; \(blocks[3]) 50 %: \($0)" } ?? "") + "; n: \(unit)"
    }

    // MARK: HTML

    /// A table with a bar in each row, in the colors of the page.
    package var html: String { html(showsLegend: true) }

    func html(showsLegend: Bool) -> String {
        func cell(_ tag: String, _ content: String, isNumeric: Bool = false) -> String {
            HTML.element(tag, style: "text-align: \(isNumeric ? "right" : "left")", content)
        }
        let titles = ["", "rate", "95 % interval", "0 to 100 %", "n"]
        let head = titles.enumerated().map { cell("th", $1, isNumeric: [1, 2, 4].contains($0)) }
        let body = bars.map { bar in
            HTML.element(
                "tr",
                cell("th", HTML.escaped(TextWidth.oneLine(bar.name)))
                    + cell("td", NumberText.percent(bar.rate), isNumeric: true)
                    + cell("td", bar.intervalText, isNumeric: true)
                    + cell("td", inline(bar))
                    + cell("td", NumberText.grouped(bar.count), isNumeric: true))
        }
        let meaning =
            "bar: the rate; line: its 95 % interval"
            + (half.map { "; dashed: 50 %, \($0)" } ?? "") + "; n: \(unit)"
        let legend = HTML.element(
            "caption", style: "caption-side: bottom; text-align: left; opacity: 0.7",
            HTML.escaped(TextWidth.oneLine(meaning)))
        return HTML.element(
            "table",
            (showsLegend ? legend : "")
                + HTML.element("thead", HTML.element("tr", head.joined()))
                + HTML.element("tbody", body.joined()))
    }

    private func inline(_ bar: Bar) -> String {
        let (width, height) = (260.0, 20.0)
        let drawing = RateBars.drawing(
            bar, x: 4, y: 0, width: width - 8, height: height, ink: HTML.ink,
            isHalfShown: half != nil)
        let size = "width=\"\(Int(width))\" height=\"\(Int(height))\""
        return HTML.image(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size)>\(drawing)</svg>",
            "\(NumberText.percent(bar.rate)), 95 %: \(bar.intervalText)")
    }

    /// The bar, its interval as a line with ends, and the place of one half.
    static func drawing(
        _ bar: Bar, x: Double, y: Double, width: Double, height: Double, ink: String,
        isHalfShown: Bool
    ) -> String {
        func across(_ share: Double) -> String {
            NumberText.fixed(x + min(max(share, 0), 1) * width, decimals: 1)
        }
        func place(_ number: Double) -> String { NumberText.fixed(number, decimals: 1) }
        let (low, high) = (across(bar.interval.lowerBound), across(bar.interval.upperBound))
        let middle = place(y + height / 2)
        let length = NumberText.fixed(min(max(bar.rate, 0), 1) * width, decimals: 1)
        var drawing =
            "<rect x=\"\(place(x))\" y=\"\(place(y + 4))\" width=\"\(place(width))\" "
            + "height=\"\(place(height - 8))\" fill=\"none\" stroke=\"\(ink)\" "
            + "stroke-opacity=\"0.3\"/>"
            + "<rect x=\"\(place(x))\" y=\"\(place(y + 4))\" width=\"\(length)\" "
            + "height=\"\(place(height - 8))\" fill=\"\(ink)\" fill-opacity=\"0.35\"/>"
        if isHalfShown {
            drawing +=
                "<path d=\"M\(across(0.5)) \(place(y))V\(place(y + height))\" stroke=\"\(ink)\" "
                + "stroke-dasharray=\"3 2\"/>"
        }
        drawing +=
            "<path d=\"M\(low) \(middle)H\(high)M\(low) \(place(y + 5))V\(place(y + height - 5))"
            + "M\(high) \(place(y + 5))V\(place(y + height - 5))\" fill=\"none\" "
            + "stroke=\"\(ink)\" stroke-width=\"2\"/>"
        return drawing
    }
}

extension Picture {
    /// Groups of bars below each other, with the numbers of each bar on its right.
    static func rates(_ groups: [RateBars]) -> Drawing {
        let (left, width, row) = (184.0, 190.0, 24.0)
        var drawing = ""
        var y = 44.0
        for (index, group) in groups.enumerated() {
            if groups.count > 1 {
                drawing += text(
                    TextWidth.cut(group.title, to: 70), x: 12, y: y + 6, anchor: "start")
                y += 18
            }
            if index == 0 {
                for (x, label) in [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")] {
                    drawing += text(label, x: left + x * width, y: y + 4, anchor: "middle")
                }
                drawing += text("95 % interval", x: 510, y: y + 4, anchor: "end")
                drawing += text("rate", x: 574, y: y + 4, anchor: "end")
                drawing += text("n", x: 628, y: y + 4, anchor: "end")
                y += 8
            }
            for bar in group.bars {
                drawing += text(
                    TextWidth.cut(TextWidth.oneLine(bar.name), to: 24), x: left - 8, y: y + 17,
                    anchor: "end")
                drawing += RateBars.drawing(
                    bar, x: left, y: y, width: width, height: row, ink: "#000000",
                    isHalfShown: group.half != nil)
                for (x, words) in [
                    (510.0, bar.intervalText), (574, NumberText.percent(bar.rate)),
                    (628, NumberText.grouped(bar.count)),
                ] { drawing += text(words, x: x, y: y + 17, anchor: "end") }
                y += row
            }
            guard group.explains(before: groups.dropFirst(index + 1).first) else {
                y += 12
                continue
            }
            let meaning =
                "line: 95 % interval" + (group.half.map { "; dashed: 50 %, \($0)" } ?? "")
                + "; n: \(group.unit)"
            drawing += text(
                TextWidth.cut(meaning, to: 86), x: 12, y: y + 18, anchor: "start",
                color: "#555555")
            y += 48
        }
        return Drawing(elements: drawing, height: max(80, y - 12))
    }
}
