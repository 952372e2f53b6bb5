import Glibc
import Synchronization

/// The terminal's echo of typed characters. It is off while a statement runs: what a user types
/// meanwhile waits for the prompt, does not land in a progress line, and Ctrl-C leaves one ^C.
///
/// The shell's thread turns it off and on, the signal thread around a stop of the process.
final class TypingEcho: Sendable {
    private let input: Int32
    private let isOff = Mutex(false)

    init(_ input: Int32) { self.input = input }

    func turnOff() {
        isOff.withLock { isOff in
            guard set(false) else { return }
            if !isOff { SignalWatch.answerStop(true) }
            isOff = true
        }
    }

    func turnOn() {
        isOff.withLock { isOff in
            guard isOff else { return }
            _ = set(true)
            SignalWatch.answerStop(false)
            isOff = false
        }
    }

    /// Returns false where the terminal belongs to another process: a change would stop this one.
    private func set(_ isOn: Bool) -> Bool {
        let owner = tcgetpgrp(input)
        guard owner < 0 || owner == getpgrp() else { return false }
        var modes = termios()
        guard tcgetattr(input, &modes) == 0 else { return false }
        let before = modes.c_lflag
        if isOn { modes.c_lflag |= tcflag_t(ECHO) } else { modes.c_lflag &= ~tcflag_t(ECHO) }
        return modes.c_lflag == before || tcsetattr(input, TCSANOW, &modes) == 0
    }
}
