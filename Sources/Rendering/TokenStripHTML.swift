/// Token strips in a page.
extension TokenStrip {
    /// Each token on the ground that its change has, with the change in its title.
    ///
    /// The grounds are transparent and the text keeps the color of the page, so a strip is readable
    /// in a light theme, in a dark one and on paper. A solid or a dashed line below the token tells
    /// the sign without color.
    package var html: String {
        let spans = tokens.map { token in
            HTML.element(
                "span", style: TokenStrip.css(token.shift), title: token.change + " nats",
                HTML.escaped(pieces(token.text).joined(separator: "\n"))
                    + (showsFigures && token.shift.magnitude >= TokenStrip.leastFigure
                        ? HTML.element("small", "{\(token.change)}") : ""))
        }
        let strip = HTML.element(
            "pre", style: HTML.preformatted + "; line-height: 1.7; " + HTML.printed,
            spans.joined())
        return strip
            + HTML.element(
                "small", style: "opacity: 0.8; " + HTML.printed, htmlLegend)
    }

    private var htmlLegend: String {
        let (own, other) =
            self.own.isEmpty
            ? ("the response's own constitution", "the other one") : (self.own, self.other)
        func sample(_ shift: Double, _ words: String) -> String {
            HTML.element("span", style: TokenStrip.css(shift), words)
        }
        let names = HTML.escaped(TextWidth.oneLine("\(own) makes the token likelier than \(other)"))
        return sample(2, "blue, solid line") + ": \(names) does; "
            + sample(-2, "orange, dashed line") + ": less likely; from "
            + "\(NumberText.significant(TokenStrip.leastColor)) nats on, full color at 2; "
            + "each token has its number as its title. "
            + HTML.escaped(TextWidth.oneLine(remark))
    }

    private static func css(_ shift: Double) -> String {
        guard let strength = strength(shift) else { return "" }
        let alpha = NumberText.fixed(0.12 + 0.4 * strength, decimals: 2)
        // Okabe and Ito's blue and orange, which the color-blind can tell apart.
        return shift > 0
            ? "background-color: rgba(0, 114, 178, \(alpha)); border-bottom: 2px solid"
            : "background-color: rgba(230, 159, 0, \(alpha)); border-bottom: 2px dashed"
    }
}
