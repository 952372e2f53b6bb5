/// A response token by token. The color of a token shows how much one constitution rather than
/// another raises its log-prob, so one sees where a principle acts.
package struct TokenStrip: Sendable {
    package struct Token: Sendable {
        package var text: String
        /// `log p(y_k | c_i) − log p(y_k | c_j)`, nats.
        package var shift: Double

        /// The shift with its sign and two decimals.
        var change: String {
            NumberText.signed(shift, decimals: 2)
        }

        package init(text: String, shift: Double) {
            self.text = text
            self.shift = shift
        }
    }

    package var tokens: [Token]
    /// Whether a colored strip has the figures too.
    package var showsFigures = false
    /// The constitution whose rise is positive, and the one beside it: "constitution 0", "1". A
    /// strip that has them has a legend below it.
    package var own = ""
    package var other = ""
    /// Sentences after the legend.
    package var remark = ""

    package init(tokens: [Token]) { self.tokens = tokens }

    package var total: Double { tokens.reduce(0) { $0 + $1.shift } }

    /// The smallest shift that is written, and the smallest that is colored, in nats.
    static let leastFigure = 0.1
    static let leastColor = 0.05

    /// How to read the strip, without a full stop.
    private func legend(_ appearance: Appearance) -> String {
        let figures =
            "{+0.50}: \(own) makes the token likelier than \(other) does, by 0.50 nats; {-0.50}: "
            + "less likely; shown from \(NumberText.significant(TokenStrip.leastFigure)) on"
        guard appearance.color != .none else { return figures }
        let colors =
            "blue: \(own) makes the token likelier than \(other) does; orange: less likely; from "
            + "\(NumberText.significant(TokenStrip.leastColor)) nats on, full color at 2"
        return colors + (showsFigures ? ". " + figures : "; figures=true writes the nats")
    }

    /// Blue if the response's own constitution raises a token, orange if it lowers it. Without
    /// color each token that changes by a tenth of a nat or more is followed by the change:
    /// `Arr{+2.31}`.
    package func rendered(_ appearance: Appearance) -> StyledText {
        var text = body(appearance)
        guard !own.isEmpty else { return text }
        let words = legend(appearance) + (remark.isEmpty ? "." : ". " + remark)
        for line in TextWidth.wrapped(words, to: appearance.columns) { text.line(line, .faint) }
        return text
    }

    private func body(_ appearance: Appearance) -> StyledText {
        let cells = cells(showsColor: appearance.color != .none)
        var text = StyledText()
        var used = 0
        for (index, cell) in cells.enumerated() {
            if cell.startsLine {
                text.append("\n")
                used = 0
            }
            var shown = cell.text
            // A line is broken before a word, not before its later tokens or a full stop; a word
            // that is wider than the window is broken between its tokens.
            let wanted = cell.startsWord ? wordWidth(cells[index...]) : cell.width
            let fits = used + min(wanted, appearance.columns) <= appearance.columns
            if used > 0, !fits, cell.startsWord || used + cell.width > appearance.columns {
                text.append("\n")
                used = 0
                if shown.hasPrefix(" ") { shown.removeFirst() }
            }
            text.append(shown, cell.style)
            used += TextWidth.of(shown)
        }
        return text
    }

    /// A part of a token that stands on one line.
    private struct Cell {
        var text: String
        var style: TextStyle
        var startsLine: Bool
        var startsWord: Bool { startsLine || text.hasPrefix(" ") }
        var width: Int { TextWidth.of(text) }
    }

    private func cells(showsColor: Bool) -> [Cell] {
        tokens.flatMap { token in
            pieces(token.text).enumerated().map { part, piece in
                var text = piece
                let showsFigure = showsFigures || !showsColor
                if !piece.isEmpty, showsFigure, token.shift.magnitude >= TokenStrip.leastFigure {
                    text += "{\(token.change)}"
                }
                return Cell(
                    text: text, style: showsColor ? TokenStrip.style(token.shift) : .plain,
                    startsLine: part > 0)
            }
        }
    }

    /// Cells of the word that the first cell begins.
    private func wordWidth(_ cells: ArraySlice<Cell>) -> Int {
        var width = 0
        for (offset, cell) in cells.enumerated() {
            if offset > 0, cell.startsWord { break }
            width += cell.width
        }
        return width
    }

    /// The token's text, cut at line ends, which a strip keeps.
    func pieces(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { TextWidth.oneLine($0) }
    }

    /// How strong the color of a shift is, in 0...1; nil for none. It saturates at two nats: a
    /// token that is seven times as probable.
    static func strength(_ shift: Double) -> Double? {
        guard shift.isFinite, shift.magnitude >= TokenStrip.leastColor else { return nil }
        return min(1, shift.magnitude / 2)
    }

    /// Shades of Okabe and Ito's blue and vermilion, which the color-blind can tell apart.
    private static func style(_ shift: Double) -> TextStyle {
        guard let strength = strength(shift) else { return .plain }
        func shade(_ full: Double) -> UInt8 { UInt8(full * (0.4 + 0.6 * strength)) }
        let background: TextColor =
            shift > 0
            ? .rgb(shade(0), shade(114), shade(178)) : .rgb(shade(213), shade(94), shade(0))
        return TextStyle(foreground: .rgb(255, 255, 255), background: background)
    }
}
