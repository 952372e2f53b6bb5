import CommandLanguage
import Foundation
import JSON
import Rendering
import Sessions

/// Runs the code cells of a notebook in a session, as nbclient does with a kernel.
///
/// ```swift
/// var run = NotebookRun(notebook, path: "lesson.ipynb", session: session)
/// let ending = try run.run { report in print(report.line) }
/// ```
public struct NotebookRun {
    public struct Options: Sendable {
        /// Goes on after a cell with an error.
        public var keepsGoing = false
        /// Seconds after which a cell is stopped; nil for no limit.
        public var timeout: Double?

        public init() {}
    }

    public enum Ending: Equatable, Sendable {
        case finished
        /// A cell failed that may not.
        case failed
        case interrupted
    }

    /// A cell that has ended.
    public struct Report: Sendable {
        /// The number of the cell in the notebook, from 1, and the number of all cells.
        public var cell: Int
        public var count: Int
        public var id: String?
        public var seconds: Double
        public var outputs: Int
        /// The first error of the cell; nil without.
        public var failure: Failure?
        /// Whether the error is allowed: the cell is tagged `raises-exception`.
        public var isAllowed: Bool

        /// "cell 3 of 12: 0.42 s, 2 outputs"
        public var line: String {
            "cell \(cell) of \(count): \(NumberText.duration(seconds)), "
                + NumberText.count(outputs, "output")
                + (failure == nil ? "" : ", an error that is allowed")
        }

        public var json: String {
            var members: [JSON.Member] = [.init("cell", .integer(cell))]
            if let id { members.append(.init("id", .string(id))) }
            members += [
                .init("status", .string(failure == nil ? "ok" : "error")),
                .init("seconds", .double(seconds)), .init("outputs", .integer(outputs)),
            ]
            if let failure { members.append(.init("error", .string(failure.message))) }
            return JSON.object(members).compact
        }
    }

    public private(set) var notebook: Notebook
    private let path: String
    private let session: Session
    private let options: Options

    /// - Parameter path: for the places of errors.
    public init(
        _ notebook: Notebook, path: String, session: Session, options: Options = Options()
    ) {
        (self.notebook, self.path, self.session) = (notebook, path, session)
        self.options = options
    }

    /// Runs all cells from the first to the last.
    ///
    /// - Parameters:
    ///   - progress: called with the events of long work.
    ///   - ended: called after each cell, for example to save ``notebook``, which it is given.
    public mutating func run(
        progress: @escaping (SessionEvent) -> Void = { _ in },
        ended: (Report, Notebook) throws -> Void
    ) rethrows -> Ending {
        var (count, ending) = (0, Ending.finished)
        for place in notebook.cells.indices {
            let cell = notebook.cells[place]
            guard cell.kind == .code, !cell.tags.contains("skip-execution"),
                !cell.source.allSatisfy(\.isWhitespace)
            else { continue }
            count += 1
            let (report, isInterrupted) = run(place, as: count, progress)
            try ended(report, notebook)
            if isInterrupted { return .interrupted }
            if report.failure != nil, !report.isAllowed {
                ending = .failed
                if !options.keepsGoing { break }
            }
            if session.isFinished { break }
        }
        return ending
    }

    private mutating func run(
        _ place: Int, as count: Int, _ progress: @escaping (SessionEvent) -> Void
    ) -> (report: Report, isInterrupted: Bool) {
        var cell = notebook.cells[place]
        let before = cell
        let program = Session.parse(
            cell.source, origin: SourceOrigin(file: path, cell: place + 1))
        let collected = Collected()
        let (start, clock) = (Date(), ContinuousClock.now)
        let alarm = options.timeout.map { Alarm(after: $0, session.interruption) }
        session.evaluate(program, forgetsInterruption: false) { event in
            collected.outputs += collected.collector.take(event)
            if case .finished(let outcome) = event {
                collected.isInterrupted = collected.isInterrupted || outcome.isInterrupted
            }
            progress(event)
        }
        let ranOut = alarm?.stop() ?? false
        if ranOut {
            session.interruption.clear()
            // The statement says that it was stopped; the reader wants to know why.
            collected.collector.failures = [
                timedOut(program, collected.collector.failures.first)
            ]
        }
        let outputs = collected.outputs + collected.collector.finish()
        let seconds = (ContinuousClock.now - clock) / .seconds(1)
        cell.outputs = outputs.map { $0.stored(count: count) }
        cell.executionCount = count
        // Times alone change nothing: a run that gives the same outputs leaves the file as it was.
        if cell != before {
            cell.metadata.set("execution", NotebookRun.times(start, Date()))
        }
        notebook.cells[place] = cell
        return (
            Report(
                cell: place + 1, count: notebook.cells.count, id: cell.id, seconds: seconds,
                outputs: outputs.count, failure: collected.collector.failures.first,
                isAllowed: cell.tags.contains("raises-exception")),
            collected.isInterrupted && !ranOut
        )
    }

    private func timedOut(_ program: Program, _ stopped: Failure?) -> Failure {
        let limit = NumberText.significant(options.timeout ?? 0, digits: 3)
        return Failure(
            kind: .interrupted,
            diagnostic: Diagnostic(
                message: "stopped: this cell ran past the limit of \(limit) s",
                span: stopped?.diagnostic.span ?? SourceSpan(lower: 0, upper: 0),
                suggestion: "--timeout sets another"),
            source: program.source, origin: program.origin, width: 80)
    }

    /// As nbclient stores them.
    private static func times(_ start: Date, _ end: Date) -> JSON {
        let (start, end) = (JSON.time(start), JSON.time(end))
        return [
            "iopub.execute_input": start, "iopub.status.busy": start, "iopub.status.idle": end,
            "shell.execute_reply": end,
        ]
    }
}

extension JSON {
    /// A date as Jupyter writes it: ISO 8601 in UTC, with fractions of a second.
    package static func time(_ date: Date) -> JSON {
        .string(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}

/// The events of a cell. A class, since the handler of events escapes.
private final class Collected {
    var collector = CellOutputs()
    var outputs: [CellOutput] = []
    var isInterrupted = false
}

/// Stops a statement after a time. It has a thread of its own: a queue that others use may be busy.
private final class Alarm: @unchecked Sendable {
    /// Guards `isOver`, and wakes the thread when the statement has ended before its time.
    private let condition = NSCondition()
    private var isOver = false
    private let rang = Interruption()

    init(after seconds: Double, _ interruption: Interruption) {
        let end = Date(timeIntervalSinceNow: seconds)
        Thread.detachNewThread { [self] in
            condition.lock()
            defer { condition.unlock() }
            while !isOver, condition.wait(until: end) {}
            guard !isOver else { return }
            rang.request()
            interruption.request()
        }
    }

    /// - Returns: whether the time was over.
    func stop() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        isOver = true
        condition.signal()
        return rang.isRequested
    }
}
