import Glibc
import Synchronization

/// Decides the effect of a signal: while a statement runs, Ctrl-C asks it to stop; otherwise the
/// line reader receives the signal.
final class InterruptController: Sendable {
    let pending: PendingSignals?
    private let interrupt: @Sendable () -> Void
    /// Descriptor for the notice that a stop has begun; nil without a watching user.
    private let notices: Int32?
    private let state = Mutex(State())

    private struct State {
        var isRunning = false
        var interruptions = 0
        var isEnding = false
    }

    init(interrupt: @escaping @Sendable () -> Void, notices: Int32?) {
        self.interrupt = interrupt
        self.notices = notices
        pending = PendingSignals()
    }

    var isRunning: Bool {
        get { state.withLock { $0.isRunning } }
        set {
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
                if count == 2, let notices {
                    Writer(notices).write(
                        "\r\u{1B}[Kstopping at the next step; Ctrl-\\ ends the process at once\n")
                }
            }
        case .terminate:
            state.withLock { $0.isEnding = true }
            interrupt()
            pending?.post(.terminate)
        case .stop, .resume, .resize: pending?.post(signal)
        }
    }
}
