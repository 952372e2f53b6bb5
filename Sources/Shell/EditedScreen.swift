import CEditLine
import CommandLanguage

/// Positions on the screen. libedit does not tell them and can only draw from the present cursor
/// position, so the cursor must first move to a row of its own.
extension EditedReader {
    /// Moves the cursor after the edited text, which may take several rows.
    func leaveLine() {
        guard let (before, after) = textAroundCursor() else { return }
        let columns = terminal.size.columns
        let here = place(after: before, columns: columns)
        let end = place(after: before + after, columns: columns)
        var moves = end.row > here.row ? "\u{1B}[\(end.row - here.row)B" : ""
        if end.row != here.row || end.column != here.column {
            moves += "\r" + (end.column > 0 ? "\u{1B}[\(end.column)C" : "")
        }
        screen.write(moves)
    }

    /// Draws prompt and text again in place, after a change of the window size.
    func redraw() {
        guard let (before, _) = textAroundCursor() else { return }
        let here = place(after: before, columns: terminal.size.columns)
        screen.write((here.row > 0 ? "\u{1B}[\(here.row)A" : "") + "\r\u{1B}[J")
        sami_edit_refresh(line)
    }

    /// Row and column after a text that follows the prompt.
    private func place(after text: String, columns: Int) -> (row: Int, column: Int) {
        rowAndColumn(after: text, startingAt: promptWidth, columns: columns)
    }

    /// Cells of a prompt, without the text between escape marks.
    static func width(ofPrompt prompt: String) -> Int {
        prompt.split(separator: "\u{1}", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset.isMultiple(of: 2) }.reduce(0) { $0 + $1.element.displayWidth }
    }
}

/// Cursor position after a text, as libedit draws it: control characters as `^X`, tabs to multiples
/// of eight, lines wrapped at the window's edge.
func rowAndColumn(
    after text: String, startingAt start: Int, columns: Int
) -> (row: Int, column: Int) {
    let columns = max(1, columns)
    var row = start / columns
    var column = start % columns
    for scalar in text.unicodeScalars {
        if scalar == "\n" {
            row += 1
            column = 0
            continue
        }
        let width =
            scalar == "\t"
            ? 8 - column % 8 : scalar.value < 0x20 || scalar.value == 0x7F ? 2 : scalar.displayWidth
        if column + width > columns {
            row += 1
            column = 0
        }
        column += width
        if column >= columns {
            row += 1
            column = 0
        }
    }
    return (row, column)
}
