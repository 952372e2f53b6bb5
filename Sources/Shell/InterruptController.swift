import Glibc
import Synchronization

/// Decides the effect of a signal: while a statement runs, Ctrl-C asks it to stop; otherwise the
/// line reader receives the signal.
final class InterruptController: Sendable {
    let pending: PendingSignals?
    private let interrupt: @Sendable () -> Void
    /// Descriptor for the notice that a stop has begun; nil without a watching user.
    private let notices: Int32?
    /// Of the terminal that statements are typed at; off while one runs.
    private let echo: TypingEcho?
    private let state = Mutex(State())

    private struct State {
        var isRunning = false
        var interruptions = 0
        var isEnding = false
    }

    init(
        interrupt: @escaping @Sendable () -> Void, notices: Int32?, echo: TypingEcho? = nil
    ) {
        self.interrupt = interrupt
        self.echo = echo
        self.notices = notices
        pending = PendingSignals()
    }

    var isRunning: Bool {
        get { state.withLock { $0.isRunning } }
        set {
            if newValue { echo?.turnOff() } else { echo?.turnOn() }
            state.withLock {
                $0.isRunning = newValue
                $0.interruptions = 0
            }
            // A Ctrl-C between Enter and the start of the statement is meant for the statement: the
            // prompt has taken every earlier one.
            if newValue, pending?.take(.interrupt) == true { interrupt() }
        }
    }

    /// Whether the process was asked to end.
    var isEnding: Bool { state.withLock { $0.isEnding } }

    func answer(_ signal: ShellSignal) {
        switch signal {
        case .interrupt:
            let count = state.withLock { state -> Int in
                if state.isRunning { state.interruptions += 1 }
                return state.isRunning ? state.interruptions : 0
            }
            if count == 0 {
                pending?.post(.interrupt)
            } else {
                interrupt()
                notices.map { Writer($0).write(InterruptController.notice(count)) }
            }
        case .terminate:
            state.withLock { $0.isEnding = true }
            interrupt()
            pending?.post(.terminate)
        case .stop where isRunning:
            // The program in front must find a terminal that echoes. From here on the signal has
            // its usual effect again: it stops the process, if someone can continue it.
            echo?.turnOn()
            kill(getpid(), SIGTSTP)
        case .resume where isRunning:
            echo?.turnOff()
            pending?.post(signal)
        case .stop, .resume, .resize: pending?.post(signal)
        }
    }

    /// The answer to Ctrl-C number `count`, on a row of its own.
    private static func notice(_ count: Int) -> String {
        ProgressLine.eraser + "^C\n"
            + (count == 2 ? "stopping at the next step; Ctrl-\\ ends the process at once\n" : "")
    }
}
