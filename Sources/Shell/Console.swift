import CommandLanguage
import Glibc

/// What the process says when it ends.
public enum RunStatus: Int32, Sendable {
    case fine = 0
    case failed = 1
    case usage = 2
    case workspace = 3
    case interrupted = 130
}

/// Runs statements from a prompt, from files and from pipes, on one host.
///
/// Outputs go to standard output, errors and progress to standard error. One thread uses it; Ctrl-C
/// arrives on another and only ever asks the host to stop.
public final class Console {
    public struct Options: Sendable {
        /// One JSON object a statement on standard output, in place of what people read.
        public var isJSON = false
        /// Shows each statement before it runs.
        public var echoes = false
        /// Goes on after a statement that failed.
        public var keepsGoing = false
        /// Color even so only where output is a terminal.
        public var allowsColor = true
        /// Where typed blocks are kept; nil keeps them for this run only.
        public var historyPath: String?
        /// New blocks are added to the history file.
        public var savesHistory = true
        /// Shown before the first prompt.
        public var greeting: String?

        public init() {}
    }

    static let prompt = "sami>"
    /// As wide as the prompt, so that the lines of a block stand under one another.
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
        let line = progress
        host.progress = { line.show($0) }
    }

    /// Answers the process's signals from now on.
    public func watchSignals() {
        let attention = attention
        SignalWatch.start { attention.answer($0) }
    }

    /// Asks the running statement to stop after so many seconds, and ends. Needs `watchSignals`.
    public func end(after seconds: UInt32) { alarm(seconds) }

    // MARK: A person

    /// Prompts until `quit` or the end of the input.
    public func converse() -> RunStatus {
        var history: HistoryFile?
        if let path = options.historyPath { history = HistoryFile(path: path) }
        let reader = personReader()
        for block in history?.load() ?? [] { reader.remember(block) }
        if !options.isJSON { options.greeting.map(output.writeLine) }
        // Where nobody reads the prompt's own output, they go beside the errors.
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
        // Output that goes to a file holds no prompts; whoever types sees them beside the errors.
        let prompts =
            terminal.outputIsTerminal ? output : terminal.errorsAreTerminal ? errors : nil
        return PlainReader(
            input: terminal.input, prompts: terminal.inputIsTerminal ? prompts : nil,
            signals: attention.pending)
    }

    /// Lines up to the end of a complete block; nil when there are no more. A dropped line drops
    /// the whole block, and so does Ctrl-D inside of one.
    private func nextBlock(from reader: any LineReader) -> String? {
        let isColored = terminal.isEditable && terminal.colorIfShown != .none
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

    /// Runs a whole text: a script, or what follows `-c`.
    public func run(_ block: SourceBlock) -> RunStatus {
        if attention.isEnding || attention.pending?.take(.interrupt) == true {
            return .interrupted
        }
        return evaluate(block)
    }

    /// Runs what standard input holds: a file as a whole, a pipe as it comes.
    public func runInput() -> RunStatus {
        var status = stat()
        guard fstat(terminal.input, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let block = try? readScript("-")
        else { return runStream(file: "stdin") }
        return run(block)
    }

    /// Runs statements as they come through a pipe, so that a program at its other end can wait for
    /// one answer before it asks the next.
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
                willRun: options.echoes && !options.isJSON
                    ? { [self] statement in
                        progress.reset()
                        output.writeLine(echo(statement))
                    } : nil, report: report)
        }
    }

    /// Does work that reports outcomes: shows them and its progress, and lets Ctrl-C stop it.
    ///
    /// - Parameter work: gives false when something failed.
    public func attend(_ work: (_ report: (ShellOutcome) -> Void) -> Bool) -> RunStatus {
        var appearance = terminal.appearance
        if !options.allowsColor { appearance.color = .none }
        host.draw(with: appearance)
        var wasInterrupted = false
        attention.isRunning = true
        let isFine = work { outcome in
            progress.reset()
            show(outcome)
            wasInterrupted = wasInterrupted || outcome.isInterrupted
            // Nobody reads any more: no reason to go on.
            if output.isClosed { host.interrupt() }
        }
        progress.reset()
        attention.isRunning = false
        if wasInterrupted { return .interrupted }
        return isFine ? .fine : .failed
    }

    private func show(_ outcome: ShellOutcome) {
        if options.isJSON {
            output.writeLine(outcome.json)
        } else if !outcome.text.isEmpty {
            output.writeLine(outcome.text)
        }
        if let error = outcome.error { errors.writeLine(error) }
    }

    /// A statement as it would look had it been typed.
    private func echo(_ statement: String) -> String {
        let lines = statement.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().map { index, line in
            "\(index == 0 ? Console.prompt : Console.secondPrompt) \(line)"
        }.joined(separator: "\n")
    }
}
