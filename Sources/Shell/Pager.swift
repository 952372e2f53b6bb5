import CommandLanguage
import Glibc
import Rendering

/// Shows a text that is longer than the screen page by page, and waits for a key after each.
///
/// Space shows the next page, Return the next line, q ends. A change of the window counts from the
/// next page on. Ctrl-C ends like q.
struct Pager {
    let terminal: Terminal
    let output: Writer
    let signals: PendingSignals?

    private static let prompt = "space: next page, Return: next line, q: end"

    /// Whether the text and the prompt after it do not fit the screen.
    func isNeeded(for text: StyledText) -> Bool {
        let size = terminal.size
        return Pager.lines(of: text.plain).reduce(0) { $0 + rows($1, size.columns) } >= size.rows
    }

    func show(_ text: StyledText, _ color: Color) {
        let shown = Pager.lines(of: text.rendered(color))
        let plain = Pager.lines(of: text.plain)
        guard let keyboard = Keyboard(terminal.input) else {
            output.writeLine(text.rendered(color))
            return
        }
        defer { keyboard.restore() }
        var next = 0
        var room = terminal.size.rows - 1
        while next < shown.count, !output.isClosed {
            let columns = terminal.size.columns
            var isFirst = true
            while next < shown.count, isFirst || rows(plain[next], columns) <= room {
                output.writeLine(String(shown[next]))
                room -= rows(plain[next], columns)
                next += 1
                isFirst = false
            }
            guard next < shown.count else { return }
            switch ask(100 * next / shown.count, keyboard, color) {
            case .page: room = terminal.size.rows - 1
            case .line: room = 1
            case .end: return
            }
        }
    }

    private enum Answer { case page, line, end }

    /// Shows the prompt until a key answers it.
    private func ask(_ percent: Int, _ keyboard: Keyboard, _ color: Color) -> Answer {
        defer { output.write(ProgressLine.eraser) }
        while true {
            let width = max(1, terminal.size.columns - 1)
            let prompt = "-- \(percent) % -- \(Pager.prompt)".prefix(cells: width)
            output.write(
                ProgressLine.eraser + StyledText(String(prompt), .init(isDim: true)).rendered(color)
                    + "\r")
            switch waitForInput(terminal.input, signals) {
            case .interrupted: return .end
            case .other:
                // Another program may have changed the terminal meanwhile.
                signals?.clear()
                keyboard.takeKeys()
            case .input:
                switch keyboard.key() {
                case UInt8(ascii: " "), UInt8(ascii: "f"): return .page
                case 10, 13, UInt8(ascii: "j"): return .line
                case UInt8(ascii: "q"), UInt8(ascii: "Q"), 4, 27, nil: return .end
                default: break
                }
            }
        }
    }

    private static func lines(of text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    private func rows(_ line: Substring, _ columns: Int) -> Int {
        max(1, (line.displayWidth + columns - 1) / max(1, columns))
    }
}

/// A terminal that gives every key at once and does not echo it.
private struct Keyboard {
    private let input: Int32
    private let before: termios

    /// Nil if the descriptor is no terminal.
    init?(_ input: Int32) {
        var modes = termios()
        guard tcgetattr(input, &modes) == 0 else { return nil }
        self.input = input
        before = modes
        takeKeys()
    }

    func takeKeys() {
        var modes = before
        modes.c_lflag &= ~tcflag_t(ICANON | ECHO)
        withUnsafeMutableBytes(of: &modes.c_cc) { keys in
            keys[Int(VMIN)] = 1
            keys[Int(VTIME)] = 0
        }
        tcsetattr(input, TCSANOW, &modes)
    }

    func restore() {
        var modes = before
        tcsetattr(input, TCSANOW, &modes)
    }

    /// The last byte of a key: a key with a name sends several. Nil at the end of the input.
    func key() -> UInt8? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(input, &bytes, bytes.count)
        guard count > 0 else { return nil }
        // A sequence of escapes is no Esc.
        return count > 1 && bytes[0] == 27 ? 0 : bytes[count - 1]
    }
}
