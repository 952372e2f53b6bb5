import CommandLanguage
import Sessions

/// Shows the progress of long work: on a terminal one line, redrawn in place; in a log a line of
/// its own now and then.
///
/// The cursor waits at the beginning of the line. So the line can be erased from there to the end
/// of the screen, also when a change of the window has broken it into several rows.
final class ProgressLine {
    private let writer: Writer
    private let isTerminal: Bool
    private let columns: () -> Int
    private var isShown = false
    private var lastLogged = 0.0
    private var lastElapsed = 0.0

    /// Shorter work shows nothing; in seconds.
    static let patience = 0.3
    /// Seconds between two lines of a log.
    static let logInterval = 10.0

    init(_ writer: Writer, isTerminal: Bool, columns: @escaping () -> Int) {
        self.writer = writer
        self.isTerminal = isTerminal
        self.columns = columns
    }

    func show(_ progress: Progress) {
        if progress.elapsed < lastElapsed { lastLogged = 0 }
        lastElapsed = progress.elapsed
        if isTerminal {
            if progress.isFinished { return erase() }
            guard progress.elapsed >= ProgressLine.patience || isShown else { return }
            // The last cell stays free: some terminals wrap after writing to it.
            let width = max(10, columns() - 1)
            let line = progress.line(width: width).printable.prefix(cells: width)
            writer.write(ProgressLine.eraser + line + "\r")
            isShown = true
        } else if progress.elapsed - lastLogged >= ProgressLine.logInterval {
            lastLogged = progress.elapsed
            writer.writeLine(progress.line(width: 120).printable)
        }
    }

    /// To the beginning of the row, and everything away from there.
    static let eraser = "\r\u{1B}[J"

    /// Erases the line; call it before writing anything else.
    func erase() {
        guard isShown else { return }
        writer.write(ProgressLine.eraser)
        isShown = false
    }

    /// Called after a statement: the next statement begins anew.
    func reset() {
        erase()
        lastLogged = 0
        lastElapsed = 0
    }
}
