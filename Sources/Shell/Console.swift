import CommandLanguage
import Glibc

/// The exit status of the process.
public enum RunStatus: Int32, Sendable {
    case fine = 0
    case failed = 1
    case usage = 2
    case workspace = 3
    case interrupted = 130
}

/// Runs statements from a prompt, from files and from pipes, with one host.
///
/// Outputs go to standard output, errors and progress to standard error. One thread uses the
/// console. Ctrl-C arrives on another thread, which only asks the host to stop.
public final class Console {
    public struct Options: Sendable {
        /// Prints one JSON object for each statement on standard output, in place of text for
        /// people.
        public var isJSON = false
        /// Shows each statement before it runs.
        public var echoes = false
        /// Continues after a statement that failed.
        public var keepsGoing = false
        /// Color is used only if output is a terminal.
        public var allowsColor = true
        /// File for the history of typed blocks; nil keeps the history for this run only.
        public var historyPath: String?
        /// New blocks are added to the history file.
        public var savesHistory = true
        /// Shown before the first prompt.
        public var greeting: String?

        public init() {}
    }

    static let prompt = "sami>"
    /// Has the width of the prompt, so that the lines of a block align.
    static let secondPrompt = "  ..."

    private let host: any ShellHost
    private let terminal: Terminal
    private let options: Options
    private let output: Writer
    private let errors: Writer
    private let progress: ProgressLine
    let attention: InterruptController
    private var hasShownNotices = false

    public init(host: any ShellHost, terminal: Terminal, options: Options = Options()) {
        self.host = host
        self.terminal = terminal
        self.options = options
        output = Writer(terminal.output)
        errors = Writer(terminal.errors)
        progress = ProgressLine(errors, isTerminal: terminal.errorsAreTerminal) {
            terminal.size.columns
        }
        attention = InterruptController(
            interrupt: host.interrupt, notices: terminal.errorsAreTerminal ? terminal.errors : nil)
        var appearance = terminal.appearance
        if !options.allowsColor { appearance.color = .none }
        host.draw(with: appearance)
        let line = progress
        host.progress = { line.show($0) }
    }

    /// Handles the process's signals from now on.
    public func watchSignals() {
        let attention = attention
        SignalWatch.start { attention.answer($0) }
    }

    /// Asks the running statement to stop after a number of seconds, and ends. Needs
    /// `watchSignals`.
    public func end(after seconds: UInt32) { alarm(seconds) }

    // MARK: A person

    /// Prompts until `quit` or the end of the input.
    public func converse() -> RunStatus {
        var history: HistoryFile?
        if let path = options.historyPath { history = HistoryFile(path: path) }
        let reader = personReader()
        for block in history?.load() ?? [] { reader.remember(block) }
        if !options.isJSON { options.greeting.map(output.writeLine) }
        // If nobody reads the prompt's own output, notices go to standard error.
        for notice in host.notices { (options.isJSON ? errors : output).writeLine(notice) }
        hasShownNotices = true
        var hasReportedHistory = false
        while !host.isFinished, !output.isClosed {
            guard let block = nextBlock(from: reader) else { break }
            reader.remember(block)
            if options.savesHistory { history?.append(block) }
            if let trouble = history?.trouble, !hasReportedHistory {
                hasReportedHistory = true
                errors.writeLine(trouble)
            }
            _ = evaluate(SourceBlock(block))
        }
        return .fine
    }

    private func personReader() -> any LineReader {
        if terminal.isEditable {
            let host = host
            let reader = EditedReader(terminal, signals: attention.pending) { source, cursor in
                host.offers(in: source, at: cursor)
            }
            if let reader { return reader }
        }
        // Output to a file contains no prompts; the user sees them on standard error.
        let prompts =
            terminal.outputIsTerminal ? output : terminal.errorsAreTerminal ? errors : nil
        return PlainReader(
            input: terminal.input, prompts: terminal.inputIsTerminal ? prompts : nil,
            signals: attention.pending)
    }

    /// Reads lines up to the end of a complete block; nil at the end of the input. Dropping a line
    /// drops the whole block, and so does Ctrl-D inside a block.
    private func nextBlock(from reader: any LineReader) -> String? {
        let isColored = terminal.isEditable && host.showsColor
        var block = ""
        while true {
            let text = block.isEmpty ? Console.prompt : Console.secondPrompt
            let prompt = EditedReader.prompt(text, color: isColored)
            switch reader.read(prompt: prompt, preceding: block) {
            case .end:
                if block.isEmpty || attention.isEnding { return nil }
                block = ""
            case .interrupted: block = ""
            case .line(let line):
                block += line
                if block.allSatisfy(\.isWhitespace) {
                    block = ""
                } else if case .incomplete = host.completeness(of: block) {
                    block += "\n"
                } else {
                    return block
                }
            }
        }
    }

    // MARK: A program

    /// Runs a whole text: a script, or the text after `-c`.
    public func run(_ block: SourceBlock) -> RunStatus {
        if attention.isEnding || attention.pending?.take(.interrupt) == true {
            return .interrupted
        }
        return evaluate(block)
    }

    /// Runs standard input: a file as a whole, a pipe statement by statement.
    public func runInput() -> RunStatus {
        var status = stat()
        guard fstat(terminal.input, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let block = try? readScript("-")
        else { return runStream(file: "stdin") }
        return run(block)
    }

    /// Runs statements as they arrive through a pipe, so that the program at the other end can wait
    /// for one result before it sends the next statement.
    public func runStream(file: String) -> RunStatus {
        let reader = PlainReader(input: terminal.input, signals: attention.pending)
        var worst = RunStatus.fine
        var line = 1
        while !host.isFinished, !output.isClosed {
            var block = ""
            var lines = 0
            reading: while true {
                switch reader.read(prompt: "", preceding: "") {
                case .interrupted: return .interrupted
                case .end:
                    if attention.isEnding { return .interrupted }
                    if block.isEmpty { return worst }
                    break reading
                case .line(let text):
                    block += lines == 0 ? text : "\n" + text
                    lines += 1
                    if case .incomplete = host.completeness(of: block) { continue }
                    break reading
                }
            }
            let code = evaluate(SourceBlock(block, file: file, firstLine: line))
            line += lines
            if code == .interrupted { return code }
            if code != .fine {
                worst = code
                if !options.keepsGoing { return worst }
            }
        }
        return worst
    }

    private func evaluate(_ block: SourceBlock) -> RunStatus {
        if !hasShownNotices {
            hasShownNotices = true
            for notice in host.notices { errors.writeLine(notice) }
        }
        return attend { report in
            host.evaluate(
                block, keepGoing: options.keepsGoing,
                willRun: echo, report: report)
        }
    }

    /// Shows a statement before it runs, if the user asked for that; else nil.
    public var echo: ((String) -> Void)? {
        guard options.echoes, !options.isJSON else { return nil }
        return { [self] statement in
            progress.reset()
            output.writeLine(echoed(statement))
        }
    }

    /// Runs work that reports outcomes. Shows the outcomes and the progress, and lets Ctrl-C stop
    /// the work.
    ///
    /// - Parameter work: returns false if something failed.
    public func attend(_ work: (_ report: (ShellOutcome) -> Void) -> Bool) -> RunStatus {
        var appearance = terminal.appearance
        if !options.allowsColor { appearance.color = .none }
        host.draw(with: appearance)
        var wasInterrupted = false
        // Before the signals are for the statement: a Ctrl-C from now on is never lost.
        host.forgetInterrupt()
        attention.isRunning = true
        if attention.isEnding { host.interrupt() }
        let isFine = work { outcome in
            progress.reset()
            show(outcome)
            wasInterrupted = wasInterrupted || outcome.isInterrupted
            // Nobody reads the output any more, so stop.
            if output.isClosed { host.interrupt() }
        }
        progress.reset()
        attention.isRunning = false
        if wasInterrupted { return .interrupted }
        return isFine ? .fine : .failed
    }

    private func show(_ outcome: ShellOutcome) {
        if options.isJSON {
            output.writeLine(outcome.json())
        } else if !outcome.text.isEmpty {
            output.writeLine(outcome.text)
        }
        if let error = outcome.error { errors.writeLine(error) }
    }

    /// A statement in the form in which a user would have typed it.
    private func echoed(_ statement: String) -> String {
        let lines = statement.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().map { index, line in
            "\(index == 0 ? Console.prompt : Console.secondPrompt) \(line)"
        }.joined(separator: "\n")
    }
}
