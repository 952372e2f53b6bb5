import CommandLanguage

/// Shows how far long work has come: one line drawn again in place on a terminal, and now and then
/// a line of its own in a log.
public final class ProgressLine {
    private let writer: Writer
    private let isTerminal: Bool
    private let columns: () -> Int
    private var isShown = false
    private var lastLogged = 0.0
    private var lastElapsed = 0.0

    /// Work that is done before this shows nothing.
    static let patience = 0.3
    /// Seconds between two lines of a log.
    static let logInterval = 10.0

    public init(_ writer: Writer, isTerminal: Bool, columns: @escaping () -> Int) {
        self.writer = writer
        self.isTerminal = isTerminal
        self.columns = columns
    }

    public func show(_ progress: ShellProgress) {
        if progress.elapsed < lastElapsed { lastLogged = 0 }
        lastElapsed = progress.elapsed
        if isTerminal {
            if progress.isFinished { return erase() }
            guard progress.elapsed >= ProgressLine.patience || isShown else { return }
            // The last cell stays free: writing into it would wrap on some terminals.
            let width = max(10, columns() - 1)
            writer.write("\r\u{1B}[K" + progress.line(width).printable.prefix(cells: width))
            isShown = true
        } else if progress.elapsed - lastLogged >= ProgressLine.logInterval {
            lastLogged = progress.elapsed
            writer.writeLine(progress.line(120).printable)
        }
    }

    /// Takes the line away; to be called before anything else is written.
    public func erase() {
        guard isShown else { return }
        writer.write("\r\u{1B}[K")
        isShown = false
    }

    /// After a statement: the next one starts anew.
    public func reset() {
        erase()
        lastLogged = 0
        lastElapsed = 0
    }
}
