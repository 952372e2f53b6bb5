import Commands
import Glibc

/// The editor that a person has named in the environment, started on the terminal of the process.
enum Editor {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// `$VISUAL`, or else `$EDITOR`, or else `vi`: a command of the shell, with its arguments.
    static var command: String {
        for variable in ["VISUAL", "EDITOR"] {
            if let value = getenv(variable), value.pointee != 0 { return String(cString: value) }
        }
        return "vi"
    }

    /// Opens a file and waits until the editor has ended.
    static func open(_ path: String) throws {
        let command = command
        let status = try run(["/bin/sh", "-c", command + " \"$1\"", "sh", path])
        guard status != 127 << 8 else {
            throw Failure(description: "the editor `\(command)` is not there; set EDITOR")
        }
        guard status == 0 else {
            throw Failure(description: "the editor `\(command)` failed")
        }
    }

    /// - Returns: the status of `waitpid`.
    private static func run(_ arguments: [String]) throws -> Int32 {
        // The process handles some signals itself and ignores SIGPIPE; an editor starts afresh.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        sigfillset(&all)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let fault = posix_spawn(&process, arguments[0], nil, &attributes, &words, environ)
        guard fault == 0 else {
            throw Failure(
                description: "the editor cannot be started: \(String(cString: strerror(fault)))")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        return status
    }
}

extension TextEditor {
    /// The editor on a terminal, which the question is asked on, too.
    ///
    /// - Parameter echo: off while a statement runs, but the editor's terminal echoes.
    static func on(_ terminal: Terminal, _ echo: TypingEcho?) -> TextEditor {
        let (input, output) = (terminal.input, terminal.output)
        return TextEditor(
            open: { path in
                echo?.turnOn()
                defer { echo?.turnOff() }
                try Editor.open(path)
            },
            asksAgain: { complaint in
                echo?.turnOn()
                defer { echo?.turnOff() }
                let question = Array("\(complaint)\nedit again? [Y/n] ".utf8)
                _ = write(output, question, question.count)
                return firstLetter(of: input).map { $0 | 0x20 != UInt8(ascii: "n") } ?? false
            })
    }

    /// The first letter of the next line, a line feed if it is empty; nil at the end of the input.
    private static func firstLetter(of input: Int32) -> UInt8? {
        var first: UInt8?
        var byte: UInt8 = 0
        while read(input, &byte, 1) == 1 {
            if first == nil, byte != UInt8(ascii: " ") { first = byte }
            if byte == UInt8(ascii: "\n") { return first }
        }
        return first
    }
}
