/// Two texts beside each other, each wrapped to half of the window; below each other where halves
/// would be too narrow to read.
package struct SideBySide: Sendable {
    package var left: (title: String, text: String)
    package var right: (title: String, text: String)

    /// The narrowest half that is read with ease.
    private static let leastHalf = 28

    package init(left: (title: String, text: String), right: (title: String, text: String)) {
        self.left = left
        self.right = right
    }

    package func rendered(_ appearance: Appearance) -> StyledText {
        let half = (appearance.columns - 3) / 2
        guard half >= SideBySide.leastHalf else {
            var text = StyledText(left.title, .heading)
            for line in lines(left.text, appearance.columns) { text.line(line) }
            text.line(right.title, .heading)
            for line in lines(right.text, appearance.columns) { text.line(line) }
            return text
        }
        let (first, second) = (lines(left.text, half), lines(right.text, half))
        var text = row(left.title, right.title, half, .heading)
        for index in 0..<max(first.count, second.count) {
            text.line(
                row(
                    index < first.count ? first[index] : "",
                    index < second.count ? second[index] : "", half, .plain))
        }
        return text
    }

    private func lines(_ text: String, _ columns: Int) -> [String] {
        TextWidth.wrapped(TextWidth.printable(text).replacing("\t", with: " "), to: columns)
    }

    private func row(
        _ one: String, _ two: String, _ half: Int, _ style: TextStyle
    ) -> StyledText {
        var row = StyledText(TextWidth.padded(TextWidth.cut(one, to: half), to: half), style)
        row.append(" | ", .faint)
        row.append(TextWidth.cut(two, to: half), style)
        return row.withoutTrailingBlanks
    }
}
