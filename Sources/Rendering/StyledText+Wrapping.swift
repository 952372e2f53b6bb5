import CommandLanguage

extension StyledText {
    /// The text with lines of at most a number of cells, broken at blanks. A terminal would break a
    /// longer line inside a word. A line with a word that is too long is left to the terminal.
    public func wrapped(cells: Int) -> StyledText {
        guard plain.split(separator: "\n").contains(where: { $0.displayWidth > cells }) else {
            return self
        }
        var result = StyledText()
        // Cells of the line up to the word, and the blanks and the runs of the word itself.
        var used = 0
        var blanks = StyledText()
        var word = StyledText()
        func endWord() {
            let width = word.plain.displayWidth
            let gap = blanks.plain.displayWidth
            if used > 0, !word.isEmpty, used + gap + width > cells {
                result.append("\n")
                used = 0
            } else {
                result.append(blanks)
                used += gap
            }
            result.append(word)
            used += width
            (blanks, word) = (StyledText(), StyledText())
        }
        for run in runs {
            for character in run.text {
                switch character {
                case "\n":
                    endWord()
                    result.append("\n")
                    used = 0
                case " ":
                    if !word.isEmpty { endWord() }
                    blanks.append(" ", run.style)
                default: word.append(String(character), run.style)
                }
            }
        }
        endWord()
        return result
    }
}
