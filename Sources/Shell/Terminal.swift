import CEditLine
import Glibc
import Rendering

/// The abilities of the descriptors that the program was given.
public struct Terminal: Sendable {
    public var input: Int32
    public var output: Int32
    public var errors: Int32
    /// Whether lines can be edited: input and output are a terminal that can move the cursor.
    public var isEditable: Bool
    /// Whether a user watches the output.
    public var outputIsTerminal: Bool
    public var inputIsTerminal: Bool
    public var errorsAreTerminal: Bool
    /// The color setting of the environment, without regard to whether output is a terminal.
    public var colorIfShown: Color
    public var isUnicode: Bool
    /// The terminal's name in terminfo.
    public var type: String
    /// The file with the user's settings for line editing.
    public var editorSettings: String?

    /// - Parameter environment: `TERM`, `COLORTERM`, `NO_COLOR`, `EDITRC`, `HOME` and the locale's
    ///   variables.
    public init(
        input: Int32 = 0, output: Int32 = 1, errors: Int32 = 2, environment: [String: String]
    ) {
        self.input = input
        self.output = output
        self.errors = errors
        inputIsTerminal = isatty(input) == 1
        outputIsTerminal = isatty(output) == 1
        errorsAreTerminal = isatty(errors) == 1
        let term = environment["TERM"] ?? ""
        type = term
        editorSettings =
            environment["EDITRC"] ?? environment["HOME"].map { $0 + "/.editrc" }
        let isCapable = !term.isEmpty && term != "dumb"
        isEditable = inputIsTerminal && outputIsTerminal && isCapable
        colorIfShown = Terminal.color(term: term, isCapable: isCapable, environment)
        isUnicode = Terminal.useLocale(environment)
    }

    private static func color(
        term: String, isCapable: Bool, _ environment: [String: String]
    ) -> Color {
        // https://no-color.org: any value but the empty one counts.
        guard isCapable, environment["NO_COLOR"]?.isEmpty ?? true else { return .none }
        let promise = environment["COLORTERM"] ?? ""
        if promise == "truecolor" || promise == "24bit" || term.hasSuffix("-direct") {
            return .full
        }
        return term.contains("256color") ? .palette : .basic
    }

    /// Sets the locale that libedit uses to measure and write characters, and returns whether it is
    /// UTF-8. Containers often set no locale; then UTF-8 is the better guess.
    private static func useLocale(_ environment: [String: String]) -> Bool {
        let isNamed = ["LC_ALL", "LC_CTYPE", "LANG"].contains { environment[$0]?.isEmpty == false }
        if !isNamed || setlocale(LC_CTYPE, "") == nil { setlocale(LC_CTYPE, "C.UTF-8") }
        return String(cString: nl_langinfo(Int32(CODESET))) == "UTF-8"
    }

    /// Cells in a line and rows of the window; 80 by 24 without a window.
    public var size: (columns: Int, rows: Int) {
        var window = winsize()
        for descriptor in [output, errors, input]
        where ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0 && window.ws_col > 0 {
            return (Int(window.ws_col), window.ws_row > 0 ? Int(window.ws_row) : 24)
        }
        return (80, 24)
    }

    /// The present appearance of outputs on this terminal.
    public var appearance: Appearance {
        Appearance(
            width: size.columns, color: outputIsTerminal ? colorIfShown : .none,
            isUnicode: isUnicode)
    }
}

/// Writes whole texts to a descriptor, despite partial writes and interruptions.
public final class Writer {
    public let descriptor: Int32
    /// Whether nothing more can be written: the reader has closed the pipe, or `problem`. Later
    /// text is dropped.
    public private(set) var isClosed = false
    /// Why text was not written, as on a full disk; nil if only the reader has gone.
    public private(set) var problem: String?

    public init(_ descriptor: Int32) { self.descriptor = descriptor }

    public func write(_ text: String) {
        guard !isClosed, !text.isEmpty else { return }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
                continue
            }
            let reason = errno
            if reason == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if reason != EINTR {
                isClosed = true
                if reason != EPIPE { problem = String(cString: strerror(reason)) }
                return
            }
        }
    }

    public func writeLine(_ text: String) {
        write(text.hasSuffix("\n") ? text : text + "\n")
    }
}
