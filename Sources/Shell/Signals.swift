import Glibc
import Synchronization

/// The signals that the shell handles.
public enum ShellSignal: Int32, Sendable, CaseIterable {
    /// Ctrl-C.
    case interrupt = 2
    /// Ctrl-Z while a line is edited.
    case stop = 20
    /// Continuation after a stop.
    case resume = 18
    /// The window changed its size.
    case resize = 28
    /// The terminal closed, or another process asked this one to end.
    case terminate = 15
}

/// Signals that have arrived and wait for the thread that reads lines.
public final class PendingSignals: Sendable {
    private let pending = Mutex<Set<ShellSignal>>([])
    private let pipe: (read: Int32, write: Int32)

    /// Nil if the process has no free descriptors.
    public init?() {
        guard let ends = makePipe(blocking: false) else { return nil }
        pipe = ends
    }

    deinit {
        close(pipe.read)
        close(pipe.write)
    }

    /// Readable after a signal was posted.
    var wakeDescriptor: Int32 { pipe.read }

    public func post(_ signal: ShellSignal) {
        pending.withLock { _ = $0.insert(signal) }
        var byte: UInt8 = 1
        // A full pipe already wakes the waiting thread.
        _ = write(pipe.write, &byte, 1)
    }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(pipe.read, &bytes, bytes.count) > 0 {}
    }

    func take(_ signal: ShellSignal) -> Bool { pending.withLock { $0.remove(signal) != nil } }
    func contains(_ signal: ShellSignal) -> Bool { pending.withLock { $0.contains(signal) } }
    var hasAny: Bool { pending.withLock { !$0.isEmpty } }
    func clear() { pending.withLock { $0 = [] } }
}

/// Turns the process's signals into calls on a thread of their own.
///
/// A signal handler may do almost nothing, so it only writes the signal's number into a pipe. A
/// thread reads the pipe and runs ordinary code. No call is ever interrupted by a jump out of it.
public enum SignalWatch {
    /// Written once before the first handler is installed, then only read. A handler receives no
    /// context argument, so a global is the only way.
    nonisolated(unsafe) private static var pipeEnd: Int32 = -1

    /// Starts watching, once in a process. From then on SIGPIPE is ignored: writing to a closed
    /// pipe returns an error instead.
    public static func start(_ answer: @escaping @Sendable (ShellSignal) -> Void) {
        guard pipeEnd < 0 else { return }
        guard let ends = makePipe(blocking: true) else { return }
        pipeEnd = ends.write
        let readEnd = ends.read
        let loop = ThreadBody {
            SignalWatch.unblock()
            var number: UInt8 = 0
            while true {
                let count = read(readEnd, &number, 1)
                if count == 1, let signal = ShellSignal(rawValue: Int32(number)) {
                    answer(signal)
                } else if count == 0 || (count < 0 && errno != EINTR) {
                    return
                }
            }
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(loop)
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            box.release()
            return
        }
        pthread_detach(thread)
        signal(SIGPIPE, SIG_IGN)
        for number in answered { install(number) }
        endOnLostPages()
        endOnQuit()
    }

    /// The terminal's settings before a line was edited. Written once, before the handler that
    /// reads them is installed.
    nonisolated(unsafe) private static var originalTerminal = termios()
    nonisolated(unsafe) private static var hasTerminal = false

    /// Ctrl-\ ends the process at once. Without this handler the Swift runtime would print a
    /// backtrace and wait for a key, and the work would go on. All committed statements are
    /// on the disk.
    private static func endOnQuit() {
        hasTerminal = tcgetattr(0, &originalTerminal) == 0
        signal(SIGQUIT) { _ in
            if SignalWatch.hasTerminal {
                tcsetattr(0, TCSANOW, &SignalWatch.originalTerminal)
                // The terminal no longer marks pastes, and the shell's prompt begins a line.
                let text: StaticString = "\u{1B}[?2004l\r\n"
                _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
            }
            _exit(128 + SIGQUIT)
        }
    }

    /// Weights are mapped from their files. If another program truncates such a file, or its disk
    /// disappears, the process cannot continue. This handler prints a message and ends the process;
    /// committed statements are on the disk.
    private static func endOnLostPages() {
        signal(SIGBUS) { _ in
            let sentence: StaticString = """
                sami: a file that is in use became shorter or cannot be read any more, most likely \
                a model's; what was committed is in the workspace

                """
            _ = write(2, sentence.utf8Start, sentence.utf8CodeUnitCount)
            _exit(1)
        }
    }

    /// While a line is edited, Ctrl-Z must first restore the terminal; otherwise it just stops the
    /// process.
    static func answerStop(_ answers: Bool) {
        if answers, pipeEnd >= 0 { install(SIGTSTP) } else { signal(SIGTSTP, SIG_DFL) }
    }

    private static let answered = [SIGINT, SIGWINCH, SIGCONT, SIGTERM, SIGHUP, SIGALRM]

    /// The parent process may have blocked signals, and the mask is inherited. It is enough that
    /// one thread accepts them.
    private static func unblock() {
        var set = sigset_t()
        sigemptyset(&set)
        for number in answered + [SIGQUIT, SIGBUS] { sigaddset(&set, number) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static func install(_ number: Int32) {
        // `nohup` has the end of a terminal ignored, so that the work goes on.
        var action = sigaction()
        if number == SIGHUP, sigaction(number, nil, &action) == 0,
            unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
        {
            return
        }
        action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            let saved = errno
            let asksToEnd = number == SIGHUP || number == SIGALRM
            var byte = UInt8(truncatingIfNeeded: asksToEnd ? SIGTERM : number)
            _ = write(SignalWatch.pipeEnd, &byte, 1)
            errno = saved
        }
        // Interrupted reads and writes of libraries restart by themselves; our own waits use poll.
        action.sa_flags = SA_RESTART
        sigaction(number, &action, nil)
    }
}

/// A pipe that child processes do not inherit.
private func makePipe(blocking: Bool) -> (read: Int32, write: Int32)? {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        if !blocking { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    }
    return (ends[0], ends[1])
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
