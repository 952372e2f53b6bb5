import CommandLanguage
import Sessions

/// Shows the progress of long work: on a terminal one line, redrawn in place; in a log a line of
/// its own now and then.
public final class ProgressLine {
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

    public init(_ writer: Writer, isTerminal: Bool, columns: @escaping () -> Int) {
        self.writer = writer
        self.isTerminal = isTerminal
        self.columns = columns
    }

    public func show(_ progress: Progress) {
        if progress.elapsed < lastElapsed { lastLogged = 0 }
        lastElapsed = progress.elapsed
        if isTerminal {
            if progress.isFinished { return erase() }
            guard progress.elapsed >= ProgressLine.patience || isShown else { return }
            // The last cell stays free: some terminals wrap after writing to it.
            let width = max(10, columns() - 1)
            writer.write("\r\u{1B}[K" + progress.line(width: width).printable.prefix(cells: width))
            isShown = true
        } else if progress.elapsed - lastLogged >= ProgressLine.logInterval {
            lastLogged = progress.elapsed
            writer.writeLine(progress.line(width: 120).printable)
        }
    }

    /// Erases the line; call it before writing anything else.
    public func erase() {
        guard isShown else { return }
        writer.write("\r\u{1B}[K")
        isShown = false
    }

    /// Called after a statement: the next statement begins anew.
    public func reset() {
        erase()
        lastLogged = 0
        lastElapsed = 0
    }
}
