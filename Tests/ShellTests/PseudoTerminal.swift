import CommandLanguage
import Foundation
import Glibc
import Sessions
import Testing

@testable import Shell

/// A terminal without a window: a shell runs on one end, and a test types and looks at the other.
final class PseudoTerminal {
    let master: Int32
    let slave: Int32
    /// The path of the slave's end.
    let path: String
    private var screen: Screen
    private(set) var raw = ""
    private var bytes: [UInt8] = []

    init(columns: Int = 70, rows: Int = 24) throws {
        screen = Screen(columns: columns)
        // The work of posix_openpt, unlockpt and ptsname, which Glibc's module does not export.
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var number: Int32 = 0
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        try #require(master >= 0 && ioctl(master, unlock, &number) == 0)
        try #require(ioctl(master, getNumber, &number) == 0)
        path = "/dev/pts/\(number)"
        slave = open(path, O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        resize(columns: columns, rows: rows)
    }

    deinit {
        close(master)
        close(slave)
    }

    func resize(columns: Int, rows: Int = 24) {
        var window = winsize()
        window.ws_col = UInt16(columns)
        window.ws_row = UInt16(rows)
        _ = ioctl(master, UInt(TIOCSWINSZ), &window)
        screen.resize(columns: columns)
    }

    func terminal(_ environment: [String: String] = [:]) -> Terminal {
        let usual = ["TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"]
        return Terminal(
            input: slave, output: slave, errors: slave,
            environment: usual.merging(environment) { $1 })
    }

    /// The key that ends the input while no line is edited; 0 for none.
    var endKey: cc_t {
        var modes = termios()
        tcgetattr(slave, &modes)
        return withUnsafeBytes(of: modes.c_cc) { $0[Int(VEOF)] }
    }

    func type(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
    }

    /// Types once the shell waits for a line: the terminal itself would echo text typed before
    /// libedit controls it.
    func answer(_ prompt: String, _ text: String) {
        waitFor { $0.hasSuffix(prompt) }
        type(text)
    }

    var text: String { screen.text }

    /// Waits until the screen shows the wanted text. The limit only ends a test that has failed.
    @discardableResult
    func waitFor(
        _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) -> Bool {
        waitFor(sourceLocation: sourceLocation) { $0.contains(text) }
    }

    @discardableResult
    func waitFor(
        sourceLocation: SourceLocation = #_sourceLocation, _ condition: (String) -> Bool
    ) -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition(screen.text) {
            guard ContinuousClock.now < deadline else {
                Issue.record("the screen stayed:\n\(screen.text)", sourceLocation: sourceLocation)
                return false
            }
            read()
        }
        return true
    }

    private func read() {
        var waiting = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 50) > 0 else { return }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(master, &chunk, chunk.count)
        guard count > 0 else { return }
        bytes += chunk[..<count]
        // A character may be cut in two by the read.
        var whole = bytes.count
        while whole > 0, whole > bytes.count - 4, bytes[whole - 1] & 0xC0 == 0x80 { whole -= 1 }
        if whole > 0, bytes[whole - 1] >= 0xC0 { whole -= 1 } else { whole = bytes.count }
        let text = String(decoding: bytes[..<whole], as: UTF8.self)
        bytes.removeFirst(whole)
        raw += text
        screen.write(text)
    }

    /// Reads further output until the shell on the other end is done, and all that it wrote.
    ///
    /// The kernel hands output over in parts and with a delay, so that an empty terminal does not
    /// mean that all has arrived. A NUL written after the shell's last byte does, and terminals
    /// show nothing for it.
    func drain(until isDone: () -> Bool) {
        let deadline = ContinuousClock.now + .seconds(30)
        while !isDone(), ContinuousClock.now < deadline { read() }
        var end: UInt8 = 0
        guard write(slave, &end, 1) == 1 else { return }
        while !raw.hasSuffix("\0"), ContinuousClock.now < deadline { read() }
        if raw.hasSuffix("\0") { raw.removeLast() }
    }
}

/// A shell on a pseudo-terminal, on a thread of its own.
final class Conversation {
    let pty: PseudoTerminal
    /// Belongs to the shell's thread until `finish` has returned.
    let session: Session
    let shell: Console
    /// The terminal's end key before the shell had the terminal.
    let endKeyBefore: cc_t
    private let done = DispatchSemaphore(value: 0)
    private var hasEnded = false
    private let code = CodeBox()

    init(
        columns: Int = 70, rows: Int = 24, environment: [String: String] = [:],
        session: Session? = nil, options: Console.Options = Console.Options()
    ) throws {
        pty = try PseudoTerminal(columns: columns, rows: rows)
        endKeyBefore = pty.endKey
        self.session = try session ?? testSession()
        shell = Console(
            session: self.session, terminal: pty.terminal(environment), options: options)
        let work = Work(shell: shell, done: done, code: code)
        let thread = Thread { work.run() }
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Waits for the end of the conversation; nil if it does not end.
    func finish() -> RunStatus? {
        pty.drain { [self] in
            if !hasEnded { hasEnded = done.wait(timeout: .now()) == .success }
            return hasEnded
        }
        return hasEnded ? code.value : nil
    }

    /// The shell is used by its thread alone until the semaphore is signalled.
    private final class Work: @unchecked Sendable {
        let shell: Console
        let done: DispatchSemaphore
        let code: CodeBox
        init(shell: Console, done: DispatchSemaphore, code: CodeBox) {
            (self.shell, self.done, self.code) = (shell, done, code)
        }
        func run() {
            code.value = shell.runInteractively()
            done.signal()
        }
    }

    /// Written before the semaphore is signalled, read after.
    final class CodeBox: @unchecked Sendable {
        var value: RunStatus?
    }
}
