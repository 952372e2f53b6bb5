import CEditLine
import CommandLanguage
import Glibc

/// Reads lines that a user edits in a terminal, with libedit.
///
/// Emacs keys, history with incremental search on Ctrl-R, completion on TAB, pasted blocks as one
/// text. The user's `.editrc` has precedence. One thread uses it.
public final class EditedReader: LineReader {
    let line: OpaquePointer
    private let history: OpaquePointer
    private let files: [UnsafeMutablePointer<FILE>]
    let terminal: Terminal
    let screen: Writer
    let signals: PendingSignals?
    let completions: (String, Int) -> CompletionList

    private(set) var promptWidth = 0
    /// The prompt in libedit's form. It must live as long as libedit may ask for it.
    private let promptBuffer: UnsafeMutableBufferPointer<wchar_t>
    private var hasViKeys = false
    /// Texts that libedit holds pointers to.
    var keptTexts: [UnsafeMutablePointer<wchar_t>] = []
    /// The lines of the block before the one that is edited.
    private(set) var preceding = ""
    /// The reason why reading a character failed.
    private var stopReason: Reading = .end
    private var decoder = ScalarDecoder()

    /// libedit expects escape sequences between two of these characters. They take no cells.
    private static let escape: Character = "\u{1}"
    private static let promptLimit = 256

    /// Nil if libedit cannot run on the terminal.
    ///
    /// - Parameter completions: returns the completions at a UTF-8 offset of a source.
    public init?(
        _ terminal: Terminal, program: String = "sami", signals: PendingSignals?,
        completions: @escaping (String, Int) -> CompletionList
    ) {
        // libedit gets descriptors of its own: closing its streams must not close the program's
        // descriptors.
        var files: [UnsafeMutablePointer<FILE>] = []
        for (descriptor, mode) in [
            (terminal.input, "r"), (terminal.output, "w"), (terminal.errors, "w"),
        ] {
            if let file = fdopen(dup(descriptor), mode) { files.append(file) }
        }
        if let silence = fopen("/dev/null", "w") { files.append(silence) }
        // libedit first looks at the process's TERM, which may belong to another terminal. Its
        // message about that terminal must not appear.
        guard files.count == 4, let line = el_init(program, files[0], files[1], files[3]),
            let history = history_winit()
        else {
            for file in files { fclose(file) }
            return nil
        }
        sami_edit_set_terminal(line, terminal.type)
        sami_edit_set_errors(line, files[2])
        self.files = files
        self.line = line
        self.history = history
        self.terminal = terminal
        self.signals = signals
        self.completions = completions
        screen = Writer(terminal.output)
        promptBuffer = .allocate(capacity: EditedReader.promptLimit)
        promptBuffer.initialize(repeating: wchar_t(0))
        configure()
    }

    deinit {
        el_end(line)
        history_wend(history)
        for file in files { fclose(file) }
        promptBuffer.deallocate()
        for text in keptTexts { text.deallocate() }
    }

    private func configure() {
        sami_edit_set_owner(line, Unmanaged.passUnretained(self).toOpaque())
        sami_edit_leave_signals(line)
        sami_edit_keep_end_key(line)
        sami_edit_use_emacs_keys(line)
        sami_edit_set_reader(line) { line, character in
            guard let reader = EditedReader.owner(of: line), let character else { return -1 }
            return reader.nextCharacter(character)
        }
        sami_edit_set_prompt(
            line,
            { line in EditedReader.owner(of: line)?.promptBuffer.baseAddress },
            wchar_t(EditedReader.escape.asciiValue ?? 1))
        sami_history_set_size(history, Int32(HistoryFile.limit))
        sami_history_set_unique(history)
        sami_edit_set_history(line, history)
        addFunctions()
        bindKeys()
        el_source(line, terminal.editorSettings)
        hasViKeys = sami_edit_has_vi_keys(line) != 0
        // Switching to vi's keys removed our bindings. In vi mode ESC ends inserting and cannot
        // begin a sequence, so pastes arrive as typed lines. TAB is bound again unless the user has
        // bound it.
        if hasViKeys, !userBindsTab() { bindCompletion() }
    }

    static func owner(of line: OpaquePointer?) -> EditedReader? {
        guard let line, let owner = sami_edit_owner(line) else { return nil }
        return Unmanaged<EditedReader>.fromOpaque(owner).takeUnretainedValue()
    }

    private func userBindsTab() -> Bool {
        guard let path = terminal.editorSettings, let file = fopen(path, "r") else { return false }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return text.contains("^I") || text.contains("\\t")
    }

    // MARK: Reading

    public func read(prompt: String, preceding: String) -> Reading {
        self.preceding = preceding
        setPrompt(prompt)
        stopReason = .end
        SignalWatch.answerStop(true)
        // libedit itself would first show the prompt; keys typed in between would be echoed
        // unchanged.
        sami_edit_prepare_terminal(line, 1)
        announcePaste(true)
        defer {
            announcePaste(false)
            SignalWatch.answerStop(false)
        }
        // The window may have changed while no line was edited.
        if signals?.take(.resize) == true { el_resize(line) }
        var count: Int32 = 0
        guard let text = el_wgets(line, &count), count > 0 else {
            if stopReason == .end { screen.write("\n") }
            return stopReason
        }
        var scalars = String.UnicodeScalarView()
        for index in 0..<Int(count) {
            scalars.append(Unicode.Scalar(UInt32(bitPattern: text[index])) ?? "\u{FFFD}")
        }
        var result = String(scalars)
        if result.hasSuffix("\n") { result.removeLast() }
        return .line(result)
    }

    /// Asks the terminal to mark pastes, so that a pasted line break does not act as Enter.
    private func announcePaste(_ isOn: Bool) {
        if !hasViKeys { screen.write("\u{1B}[?2004" + (isOn ? "h" : "l")) }
    }

    public func remember(_ block: String) {
        _ = wide(block).withUnsafeBufferPointer { sami_history_enter(history, $0.baseAddress) }
    }

    private func setPrompt(_ prompt: String) {
        promptWidth = EditedReader.width(ofPrompt: prompt)
        let characters = wide(prompt)
        let count = min(characters.count, promptBuffer.count - 1)
        for index in 0..<count { promptBuffer[index] = characters[index] }
        promptBuffer[count] = 0
    }

    /// A prompt in color. Its last character must be a blank, not an escape sequence.
    static func prompt(_ text: String, color: Bool) -> String {
        guard color else { return text + " " }
        return "\(escape)\u{1B}[1;36m\(escape)\(text)\(escape)\u{1B}[0m\(escape) "
    }

    /// Reads one character for libedit and handles signals while it waits.
    private func nextCharacter(_ character: UnsafeMutablePointer<wchar_t>) -> Int32 {
        while true {
            if let scalar = decoder.next() {
                character.pointee = wchar_t(bitPattern: scalar.value)
                return 1
            }
            switch waitForInput(terminal.input, signals) {
            case .interrupted:
                stopReason = signals?.contains(.terminate) == true ? .end : .interrupted
                leaveLine()
                screen.write("^C\n")
                decoder = ScalarDecoder()
                return -1
            case .other: answerSignals()
            case .input:
                var bytes = [UInt8](repeating: 0, count: 1024)
                let count = Glibc.read(terminal.input, &bytes, bytes.count)
                if count > 0 {
                    decoder.append(bytes[..<count])
                } else if count == 0 || errno != EINTR {
                    if let scalar = decoder.finish() {
                        character.pointee = wchar_t(bitPattern: scalar.value)
                        return 1
                    }
                    return 0
                }
            }
        }
    }

    private func answerSignals() {
        guard let signals else { return }
        if signals.take(.resize) {
            el_resize(line)
            redraw()
        }
        if signals.take(.stop) {
            announcePaste(false)
            sami_edit_prepare_terminal(line, 0)
            SignalWatch.answerStop(false)
            kill(getpid(), SIGTSTP)
            SignalWatch.answerStop(true)
        }
        if signals.take(.resume) {
            sami_edit_prepare_terminal(line, 1)
            announcePaste(true)
            el_resize(line)
            screen.write("\r")
            sami_edit_refresh(line)
        }
    }
}

/// Zero-terminated, as in C; a zero inside would end the text early.
func wide(_ text: String) -> [wchar_t] {
    text.unicodeScalars.compactMap { $0.value == 0 ? nil : wchar_t(bitPattern: $0.value) } + [0]
}

/// Decodes bytes to scalars, in every locale. Invalid UTF-8 becomes U+FFFD.
struct ScalarDecoder {
    private var bytes: [UInt8] = []
    private var start = 0

    mutating func append(_ more: ArraySlice<UInt8>) {
        bytes.removeFirst(start)
        start = 0
        bytes += more
    }

    /// The next scalar; nil if more bytes are needed.
    mutating func next() -> Unicode.Scalar? { next(isLast: false) }

    /// The rest of a sequence that the end of input cut short.
    mutating func finish() -> Unicode.Scalar? { next(isLast: true) }

    private mutating func next(isLast: Bool) -> Unicode.Scalar? {
        guard start < bytes.count else { return nil }
        let first = bytes[start]
        let length =
            first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1
        let available = bytes[start...].prefix(length)
        let continuation = available.dropFirst().prefix { $0 & 0xC0 == 0x80 }.count
        if continuation + 1 == available.count, available.count < length, !isLast { return nil }
        let used = continuation + 1
        let text = String(decoding: bytes[start..<start + used], as: UTF8.self).unicodeScalars
        start += used
        return text.count == 1 ? text.first : "\u{FFFD}"
    }
}
