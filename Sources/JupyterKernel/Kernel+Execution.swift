import CommandLanguage
import Foundation
import JSON
import Notebooks
import Rendering
import Sessions

extension Kernel {
    /// Runs a cell. Its outputs are published as they come; the reply is returned.
    func execute(_ request: Message) -> [JSON.Member] {
        let content = request.content
        guard let code = content["code"]?.string else {
            return failed("value", "execute_request needs a text, `code`")
        }
        let isSilent = content["silent"]?.bool ?? false
        let counts = !isSilent && (content["store_history"]?.bool ?? true)
        if counts { executionCount += 1 }
        let cell = Cell(wire, request, isSilent: isSilent, count: executionCount)
        cell.publish(
            "execute_input",
            [.init("code", .string(code)), .init("execution_count", .integer(executionCount))])
        if let fault {
            if content["stop_on_error"]?.bool ?? true { queue.refuseWaiting() }
            let reply = failed("workspace", fault)
            cell.publish(
                "error", reply.filter { ["ename", "evalue", "traceback"].contains($0.key) })
            return reply
        }
        if !isSilent { showNotices(in: cell) }
        let program = Session.parse(
            code, origin: SourceOrigin(file: "In [\(max(1, executionCount))]"))
        session.evaluate(program, forgetsInterruption: false) { cell.take($0) }
        let failures = cell.finish()
        if counts { history.add(code, number: executionCount, result: cell.resultText) }
        if !failures.isEmpty {
            if content["stop_on_error"]?.bool ?? true { queue.refuseWaiting() }
            let error = CellOutput.error(failures).content(count: executionCount)
            return [.init("status", "error")] + error + common(cell)
        }
        return [.init("status", "ok")] + common(cell)
            + [.init("user_expressions", values(of: content["user_expressions"]))]
    }

    /// The answer to a cell that waited for one that failed or was stopped.
    func refusal() -> [JSON.Member] {
        // Without a count, the cell shows none: it has not run.
        failed("interrupted", "not run: a request before it failed or was stopped")
    }

    private func failed(_ name: String, _ sentence: String) -> [JSON.Member] {
        [
            .init("status", "error"), .init("ename", .string(name)),
            .init("evalue", .string(sentence)), .init("traceback", [.string(sentence)]),
            .init("payload", []), .init("user_expressions", [:]),
        ]
    }

    private func common(_ cell: Cell) -> [JSON.Member] {
        var payload = cell.pages.map { page -> JSON in
            ["source": "page", "data": page.mimeBundle, "start": 0]
        }
        if session.isFinished { payload.append(["source": "ask_exit", "keepkernel": false]) }
        return [
            .init("execution_count", .integer(executionCount)), .init("payload", .array(payload)),
        ]
    }

    /// Sentences about the state of the workspace, in the first output.
    private func showNotices(in cell: Cell) {
        guard !hasShownNotices, !session.notices.isEmpty else { return }
        hasShownNotices = true
        cell.publish(
            "stream",
            [
                .init("name", "stderr"),
                .init("text", .string(session.notices.joined(separator: "\n") + "\n")),
            ])
    }

    private func values(of expressions: JSON?) -> JSON {
        .object(
            (expressions?.members ?? []).map { member in
                switch session.value(ofExpression: member.value.string ?? "") {
                case .success(let display):
                    return .init(
                        member.key,
                        ["status": "ok", "data": display.mimeBundle, "metadata": [:]])
                case .failure(let failure):
                    return .init(
                        member.key,
                        .object(
                            [.init("status", "error")]
                                + CellOutput.error([failure]).content(count: executionCount)))
                }
            })
    }
}

/// A cell that runs: publishes its outputs, and collects what the reply says.
private final class Cell {
    private let wire: Wire
    private let request: Message
    private let isSilent: Bool
    private let count: Int
    private var outputs = CellOutputs()
    private var progress = LiveDisplay(verb: nil)
    /// Whether a statement was stopped that had done a part.
    private var stopped: Outcome?
    private var asksForHelp = false
    /// Help, which clients show apart from the outputs.
    private(set) var pages: [Display] = []
    /// The text of the result, for the history.
    private(set) var resultText: String?

    init(_ wire: Wire, _ request: Message, isSilent: Bool, count: Int) {
        (self.wire, self.request, self.isSilent, self.count) = (wire, request, isSilent, count)
    }

    func publish(_ type: String, _ content: [JSON.Member]) {
        if !isSilent { wire.publish(type, content, parent: request.header) }
    }

    private func publish(_ message: LiveDisplay.Message?) {
        if let message { publish(message.type, message.content) }
    }

    func take(_ event: SessionEvent) {
        switch event {
        case .started(let statement):
            asksForHelp = statement.verb == "help"
            if statement.depth == 0 {
                publish(progress.end(isStopped: false))
                progress = LiveDisplay(verb: statement.verb)
            }
        case .progress(let report): return publish(progress.message(for: report))
        case .display(let display) where asksForHelp: return pages.append(display)
        case .finished(let outcome):
            publish(progress.end(isStopped: outcome.isInterrupted))
            if outcome.isInterrupted, case .success = outcome.result { stopped = outcome }
        case .display: break
        }
        show(outputs.take(event))
    }

    /// - Returns: the failures of the cell.
    func finish() -> [Failure] {
        if let stopped, outputs.failures.isEmpty {
            outputs.failures = [
                Failure(
                    kind: .interrupted,
                    diagnostic: Diagnostic(
                        message: "stopped by an interrupt; the output above says what was kept",
                        span: SourceSpan(lower: 0, upper: stopped.statement.utf8.count)),
                    source: stopped.statement, origin: .prompt)
            ]
        }
        let failures = outputs.failures
        show(outputs.finish())
        return failures
    }

    private func show(_ new: [CellOutput]) {
        for output in new {
            if case .result(let display) = output { resultText = display.text().plain }
            publish(output.type, output.content(count: count))
        }
    }
}
