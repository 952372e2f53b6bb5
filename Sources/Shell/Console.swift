import CommandLanguage
import Commands
import Glibc
import Rendering
import Sessions

/// The exit status of the process.
public enum RunStatus: Int32, Sendable {
    case fine = 0
    case failed = 1
    case usage = 2
    case workspace = 3
    case interrupted = 130
}

/// Runs statements from a prompt, from files and from pipes, in one session.
///
/// Outputs go to standard output, errors and progress to standard error. One thread uses the
/// console. Ctrl-C arrives on another thread, which only asks the session to stop.
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

    private let session: Session
    private let terminal: Terminal
    private let options: Options
    private let output: Writer
    /// Why an output was not written; nil if all were, or if their reader has gone.
    public var outputProblem: String? { output.problem }
    private let errors: Writer
    private let progress: ProgressLine
    let interrupts: InterruptController
    private let echo: TypingEcho?
    private var hasShownNotices = false
    /// Whether a person types the statements.
    private var isInteractive = false
    /// Whether the running statement only shows something.
    private var isLook = false
    /// Has the terminal's settings while it is there.
    private var reader: (any LineReader)?

    public init(session: Session, terminal: Terminal, options: Options = Options()) {
        self.session = session
        self.terminal = terminal
        self.options = options
        output = Writer(terminal.output)
        errors = Writer(terminal.errors)
        let echo =
            terminal.inputIsTerminal && terminal.errorsAreTerminal
            ? TypingEcho(terminal.input) : nil
        self.echo = echo
        progress = ProgressLine(
            terminal.errors, isTerminal: terminal.errorsAreTerminal,
            isUnicode: terminal.isUnicode && terminal.errorsAreTerminal
        ) { terminal.size.columns }
        let interruption = session.interruption
        interrupts = InterruptController(
            interrupt: { interruption.request() },
            notices: terminal.errorsAreTerminal ? terminal.errors : nil, echo: echo)
        updateAppearance()
        if terminal.inputIsTerminal, terminal.outputIsTerminal, !options.isJSON {
            session.askStep = { [weak self] in self?.askStep() ?? .leave }
        }
    }

    /// The window may have another size than before.
    private func updateAppearance() {
        var appearance = terminal.appearance
        if !options.allowsColor { appearance.color = .none }
        session.appearance = appearance
    }

    /// Handles the process's signals from now on.
    public func watchSignals() {
        let interrupts = interrupts
        SignalWatch.start { interrupts.answer($0) }
    }

    /// Asks the running statement to stop after a number of seconds, and ends. Needs
    /// `watchSignals`.
    public func end(after seconds: UInt32) { alarm(seconds) }

    // MARK: A person

    /// Prompts until `quit` or the end of the input.
    public func runInteractively() -> RunStatus {
        var history: HistoryFile?
        if let path = options.historyPath { history = HistoryFile(path: path) }
        let reader = personReader()
        (self.reader, isInteractive) = (reader, true)
        defer { (self.reader, isInteractive) = (nil, false) }
        if terminal.inputIsTerminal, terminal.outputIsTerminal {
            session.editor = .on(terminal, echo)
        }
        for block in history?.load() ?? [] { reader.remember(block) }
        if !options.isJSON { options.greeting.map(output.writeLine) }
        // If nobody reads the prompt's own output, notices go to standard error.
        for notice in session.notices { (options.isJSON ? errors : output).writeLine(notice) }
        hasShownNotices = true
        var hasReportedHistory = false
        while !session.isFinished, !output.isClosed {
            guard let program = nextBlock(from: reader) else { break }
            reader.remember(program.source)
            if options.savesHistory { history?.append(program.source) }
            if let trouble = history?.trouble, !hasReportedHistory {
                hasReportedHistory = true
                errors.writeLine(trouble)
            }
            _ = evaluate(program)
        }
        return .fine
    }

    private func personReader() -> any LineReader {
        if terminal.isEditable {
            let session = session
            let reader = EditedReader(terminal, signals: interrupts.pending) { source, cursor in
                session.completions(in: source, at: cursor)
            }
            if let reader { return reader }
        }
        // Output to a file contains no prompts; the user sees them on standard error.
        let prompts =
            terminal.outputIsTerminal ? output : terminal.errorsAreTerminal ? errors : nil
        return PlainReader(
            input: terminal.input, prompts: terminal.inputIsTerminal ? prompts : nil,
            signals: interrupts.pending)
    }

    /// Reads lines up to the end of a complete block; nil at the end of the input. Dropping a line
    /// drops the whole block, and so does Ctrl-D inside a block.
    private func nextBlock(from reader: any LineReader) -> Program? {
        let isColored = terminal.isEditable && session.appearance.color != .none
        var block = ""
        while true {
            let text = block.isEmpty ? Console.prompt : Console.secondPrompt
            let prompt = EditedReader.prompt(text, color: isColored)
            switch reader.read(prompt: prompt, preceding: block) {
            case .end:
                if block.isEmpty || interrupts.isEnding { return nil }
                block = ""
            case .interrupted: block = ""
            case .line(let line):
                block += line
                if block.allSatisfy(\.isWhitespace) {
                    block = ""
                    continue
                }
                let program = Session.parse(block)
                guard case .incomplete = program.completeness else { return program }
                block += "\n"
            }
        }
    }

    /// Waits before a statement of a script until the person goes on, leaves, or types another
    /// statement.
    private func askStep() -> StepAnswer {
        progress.reset()
        interrupts.isRunning = false
        defer { interrupts.isRunning = true }
        let hint = "-- Return: run it; q, Return: leave; or type a statement --"
        // A script that nobody typed at a prompt has no reader yet.
        let reader = reader ?? personReader()
        switch reader.read(prompt: hint + " ", preceding: "") {
        case .end, .interrupted: return .leave
        case .line(let line):
            let answer = line.filter { !$0.isWhitespace }
            guard answer.isEmpty || answer == "q" else {
                reader.remember(line)
                return .statement(line)
            }
            // The hint has served, and the output follows its statement.
            if terminal.isEditable { output.write("\u{1B}[A" + ProgressLine.eraser) }
            return answer.isEmpty ? .run : .leave
        }
    }

    // MARK: A program

    /// Runs a whole text: a script, or the text after `-c`.
    public func run(_ program: Program) -> RunStatus {
        if interrupts.isEnding || interrupts.pending?.take(.interrupt) == true {
            return .interrupted
        }
        return evaluate(program)
    }

    /// Runs standard input: a file as a whole, a pipe statement by statement.
    public func runInput() -> RunStatus {
        var status = stat()
        guard fstat(terminal.input, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return runStream(file: "stdin")
        }
        do {
            return run(try readScript("-"))
        } catch {
            errors.writeLine("sami: \(error)")
            return .usage
        }
    }

    /// Runs statements as they arrive through a pipe, so that the program at the other end can wait
    /// for one result before it sends the next statement.
    public func runStream(file: String) -> RunStatus {
        let reader = PlainReader(input: terminal.input, signals: interrupts.pending)
        var worst = RunStatus.fine
        var line = 1
        while !session.isFinished, !output.isClosed {
            var program = Session.parse("", origin: SourceOrigin(file: file, firstLine: line))
            var lines = 0
            reading: while true {
                switch reader.read(prompt: "", preceding: "") {
                case .interrupted: return .interrupted
                case .end:
                    if interrupts.isEnding { return .interrupted }
                    if program.source.isEmpty { return worst }
                    break reading
                case .line(let text):
                    let source = lines == 0 ? text : program.source + "\n" + text
                    program = Session.parse(source, origin: program.origin)
                    lines += 1
                    if case .incomplete = program.completeness { continue }
                    break reading
                }
            }
            let code = evaluate(program)
            line += lines
            if code == .interrupted { return code }
            if code != .fine {
                worst = code
                if !options.keepsGoing { return worst }
            }
        }
        return worst
    }

    private func evaluate(_ program: Program) -> RunStatus {
        if !hasShownNotices {
            hasShownNotices = true
            for notice in session.notices { errors.writeLine(notice) }
        }
        return runInterruptibly { [session, options] events in
            session.evaluate(
                program, keepGoing: options.keepsGoing, forgetsInterruption: false, events: events)
        }
    }

    /// Runs work that sends events. Shows them, and lets Ctrl-C stop the work.
    ///
    /// - Parameter work: returns false if something failed.
    public func runInterruptibly(
        _ work: (_ events: @escaping (SessionEvent) -> Void) -> Bool
    ) -> RunStatus {
        updateAppearance()
        let color = session.appearance.color
        var wasInterrupted = false
        // Before the signals are for the statement: a Ctrl-C from now on is never lost.
        session.interruption.clear()
        interrupts.isRunning = true
        if interrupts.isEnding { session.interruption.request() }
        let isFine = work { [self] event in
            show(event, color)
            guard case .finished(let outcome) = event else { return }
            wasInterrupted = wasInterrupted || outcome.isInterrupted
            // Nobody reads the output any more, so stop.
            if output.isClosed { session.interruption.request() }
        }
        progress.reset()
        interrupts.isRunning = false
        if wasInterrupted { return .interrupted }
        return isFine ? .fine : .failed
    }

    /// Shows the text of an event; with `--json`, one line for each outcome.
    private func show(_ event: SessionEvent, _ color: Color) {
        switch event {
        case .progress(let report): progress.show(report)
        case .started(let statement):
            isLook = statement.isLook
            guard !options.isJSON, isShown(statement) else { return }
            progress.reset()
            output.writeLine(echoed(statement.source))
        case .display(let display):
            guard !options.isJSON else { return }
            progress.reset()
            var text = display.text()
            if terminal.outputIsTerminal {
                text = text.wrapped(cells: session.appearance.columns)
            }
            guard !text.isEmpty else { return }
            let pager = Pager(terminal: terminal, output: output, signals: interrupts.pending)
            if isInteractive, isLook, terminal.isEditable, session.pagesOutput,
                pager.isNeeded(for: text)
            {
                // Ctrl-C ends the pages.
                interrupts.isRunning = false
                pager.show(text, color)
                interrupts.isRunning = true
            } else {
                output.writeLine(text.rendered(color))
            }
        case .finished(let outcome):
            progress.reset()
            if options.isJSON { output.writeLine(outcome.json) }
            if case .failure(let failure) = outcome.result {
                errors.writeLine(failure.rendered(color, wraps: terminal.errorsAreTerminal))
            }
        }
    }

    /// Whether to show a statement before it runs.
    private func isShown(_ statement: StartedStatement) -> Bool {
        if statement.isStep { return true }
        if statement.isOfScript { return isInteractive || options.echoes }
        return options.echoes && statement.depth == 0
    }

    /// A statement in the form in which a user would have typed it.
    private func echoed(_ statement: String) -> String {
        let lines = statement.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().map { index, line in
            "\(index == 0 ? Console.prompt : Console.secondPrompt) \(line)"
        }.joined(separator: "\n")
    }
}
