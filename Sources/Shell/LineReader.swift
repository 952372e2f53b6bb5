import Glibc

/// The result of reading a line. It distinguishes a line, a dropped line and the end of input.
public enum Reading: Hashable, Sendable {
    /// Without its line end. A pasted or recalled block may have several lines.
    case line(String)
    /// Ctrl-C: the typed text is dropped.
    case interrupted
    /// Ctrl-D on an empty line, or the end of the input.
    case end
}

/// A source of lines: a user or a program.
public protocol LineReader: AnyObject {
    /// - Parameter preceding: the lines of the block before this one, for completion.
    func read(prompt: String, preceding: String) -> Reading
    /// Adds a block to the history.
    func remember(_ block: String)
}

/// Reads lines without editing: from pipes, files and plain terminals.
public final class PlainReader: LineReader {
    private let input: Int32
    private let prompts: Writer?
    private let signals: PendingSignals?
    private var buffer: [UInt8] = []
    /// The start of the next line in the buffer.
    private var start = 0
    /// Number of bytes of the buffer that are known to have no line end.
    private var scanned = 0
    private var isAtEnd = false

    /// - Parameter prompts: the destination of prompts; nil for none.
    public init(input: Int32, prompts: Writer? = nil, signals: PendingSignals? = nil) {
        self.input = input
        self.prompts = prompts
        self.signals = signals
    }

    public func remember(_ block: String) {}

    public func read(prompt: String, preceding: String) -> Reading {
        prompts?.write(prompt)
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                defer {
                    start = end + 1
                    scanned = start
                }
                return .line(String(decoding: buffer[start..<end], as: UTF8.self))
            }
            // Moves only the rest of a line, once for each chunk, so that the time stays linear in
            // the bytes.
            buffer.removeFirst(start)
            start = 0
            scanned = buffer.count
            if isAtEnd {
                defer { clear() }
                if buffer.isEmpty { prompts?.write("\n") }
                return buffer.isEmpty ? .end : .line(String(decoding: buffer, as: UTF8.self))
            }
            switch waitForInput(input, signals) {
            case .interrupted:
                clear()
                prompts?.write("\n")
                return signals?.contains(.terminate) == true ? .end : .interrupted
            case .other:
                // This reader draws nothing, so nothing needs to be drawn again.
                signals?.clear()
                continue
            case .input: break
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = chunk.withUnsafeMutableBytes { Glibc.read(input, $0.baseAddress, $0.count) }
            if count > 0 {
                buffer += chunk[..<count]
            } else if count == 0 || errno != EINTR {
                isAtEnd = true
            }
        }
    }

    private func clear() {
        buffer = []
        start = 0
        scanned = 0
    }
}

enum Wake { case input, interrupted, other }

/// Waits until a descriptor can be read or a signal has come.
func waitForInput(_ input: Int32, _ signals: PendingSignals?) -> Wake {
    guard let signals else { return .input }
    while true {
        if signals.take(.interrupt) || signals.contains(.terminate) { return .interrupted }
        if signals.hasAny { return .other }
        var waiting = [
            pollfd(fd: input, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.wakeDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&waiting, 2, -1)
        if count < 0, errno != EINTR { return .input }
        if waiting[1].revents != 0 { signals.drain() }
        if waiting[0].revents != 0, !signals.hasAny { return .input }
    }
}
