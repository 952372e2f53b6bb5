/// A response token by token. The color of a token shows how much one constitution rather than
/// another raises its log-prob, so one sees where a principle acts.
package struct TokenStrip: Sendable {
    package struct Token: Sendable {
        package var text: String
        /// `log p(y_k | c_i) − log p(y_k | c_j)`, nats.
        package var shift: Double

        package init(text: String, shift: Double) {
            self.text = text
            self.shift = shift
        }
    }

    package var tokens: [Token]

    package init(tokens: [Token]) { self.tokens = tokens }

    package var total: Double { tokens.reduce(0) { $0 + $1.shift } }

    /// Green if the response's own constitution raises a token, red if it lowers it. Without color
    /// each token that changes by a tenth of a nat or more is followed by the change: `Arr{+2.31}`.
    package func rendered(_ appearance: Appearance) -> StyledText {
        var text = StyledText()
        var used = 0
        for token in tokens {
            for (part, piece) in pieces(token.text).enumerated() {
                if part > 0 {
                    text.append("\n")
                    used = 0
                }
                guard !piece.isEmpty else { continue }
                var cell = piece
                if appearance.color == .none, token.shift.magnitude >= 0.1 {
                    cell +=
                        "{\(token.shift > 0 ? "+" : "")\(NumberText.fixed(token.shift, decimals: 2))}"
                }
                let width = TextWidth.of(cell)
                if used > 0, used + width > appearance.columns {
                    text.append("\n")
                    used = 0
                    if cell.hasPrefix(" ") { cell.removeFirst() }
                }
                text.append(
                    cell, appearance.color == .none ? .plain : TokenStrip.style(token.shift))
                used += TextWidth.of(cell)
            }
        }
        return text
    }

    /// The token's text, cut at line ends, which a strip keeps.
    private func pieces(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { TextWidth.oneLine($0) }
    }

    static func style(_ shift: Double) -> TextStyle {
        guard shift.isFinite, shift.magnitude >= 0.05 else { return .plain }
        // Saturates at two nats: a token that is seven times as probable.
        let strength = min(1, shift.magnitude / 2)
        let strong = UInt8(70 + 110 * strength)
        let background: TextColor =
            shift > 0 ? .rgb(20, strong, 60) : .rgb(strong, 30, 40)
        return TextStyle(foreground: .rgb(255, 255, 255), background: background)
    }
}
