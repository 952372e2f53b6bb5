import CommandLanguage
import Dispatch
import Sessions
import Synchronization

/// Shows the progress of long work: on a terminal one line, redrawn in place; in a log a line of
/// its own now and then.
///
/// The cursor waits at the beginning of the line. So the line can be erased from there to the end
/// of the screen, also when a change of the window has broken it into several rows.
///
/// Work reports between its parts, and the first part may be long. So a timer draws the first
/// report of a terminal's line. `erase` is called before any other output; from then on the timer
/// draws nothing.
final class ProgressLine: Sendable {
    private let descriptor: Int32
    private let isTerminal: Bool
    private let isUnicode: Bool
    private let columns: @Sendable () -> Int
    private let state = Mutex(State())
    /// A queue of its own has a thread even while the work occupies every processor.
    private let timer = DispatchQueue(label: "progress", qos: .userInteractive)

    private struct State {
        var isShown = false
        /// The line that the timer will draw.
        var waiting: String?
        /// The number of erasures; a timer from before the last one draws nothing.
        var erasures = 0
        var lastLogged = 0.0
        var lastElapsed = 0.0
    }

    /// Shorter work shows nothing; in seconds.
    static let patience = 0.3
    /// Seconds between two lines of a log.
    static let logInterval = 10.0

    init(
        _ descriptor: Int32, isTerminal: Bool, isUnicode: Bool = false,
        columns: @escaping @Sendable () -> Int
    ) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
        self.isUnicode = isUnicode
        self.columns = columns
    }

    func show(_ progress: Progress) {
        if isTerminal, progress.isFinished { return erase() }
        // The last cell stays free: some terminals wrap after writing to it.
        let width = isTerminal ? max(10, columns() - 1) : 120
        let line = progress.line(width: width, isUnicode: isUnicode).printable
        state.withLock { state in
            if progress.elapsed < state.lastElapsed { state.lastLogged = 0 }
            state.lastElapsed = progress.elapsed
            if !isTerminal {
                guard progress.elapsed - state.lastLogged >= ProgressLine.logInterval else {
                    return
                }
                state.lastLogged = progress.elapsed
                Writer(descriptor).writeLine(line)
            } else if state.isShown || progress.elapsed >= ProgressLine.patience {
                draw(String(line.prefix(cells: width)), &state)
            } else {
                if state.waiting == nil {
                    startTimer(ProgressLine.patience - progress.elapsed, state.erasures)
                }
                state.waiting = String(line.prefix(cells: width))
            }
        }
    }

    private func draw(_ line: String, _ state: inout State) {
        Writer(descriptor).write(ProgressLine.eraser + line + "\r")
        state.isShown = true
        state.waiting = nil
    }

    private func startTimer(_ seconds: Double, _ erasures: Int) {
        timer.asyncAfter(deadline: .now() + seconds) { [weak self] in
            guard let self else { return }
            state.withLock { state in
                guard state.erasures == erasures, let line = state.waiting else { return }
                self.draw(line, &state)
            }
        }
    }

    /// To the beginning of the row, and everything away from there.
    static let eraser = "\r\u{1B}[J"

    /// Erases the line; call it before writing anything else.
    func erase() {
        state.withLock { state in
            if state.isShown { Writer(descriptor).write(ProgressLine.eraser) }
            state.isShown = false
            state.waiting = nil
            state.erasures += 1
        }
    }

    /// Called after a statement: the next statement begins anew.
    func reset() {
        erase()
        state.withLock { ($0.lastLogged, $0.lastElapsed) = (0, 0) }
    }
}
