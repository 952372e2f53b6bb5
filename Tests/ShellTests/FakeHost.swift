import CommandLanguage
import Foundation
import Shell
import Synchronization

/// A host with a few verbs, enough to see every action of the shell.
final class FakeHost: ShellHost {
    static let grammar = CommandGrammar(
        verbs: [
            CommandSignature(
                "load", "reads a file",
                forms: [
                    CommandForm("model", "reads a model", operands: [.required("path", .path)]),
                    CommandForm("queries", "reads queries", operands: [.required("path", .path)]),
                ]),
            CommandSignature(
                "rollout", "samples responses", operands: [.optional("queries", .value)],
                options: [
                    OptionSpecification("temperature", .number, "0 is greedy"),
                    OptionSpecification("top_p", .number, "nucleus"),
                ]),
            CommandSignature("work", "takes a while", operands: [.optional("steps", .number)]),
            CommandSignature("quit", "ends"),
        ])

    private let isStopping = Stop()
    private(set) var evaluated: [String] = []
    private(set) var blocks: [SourceBlock] = []
    private(set) var appearance = ShellAppearance()
    var notices: [String] = []
    var isFinished = false
    var progress: ((ShellProgress) -> Void)?
    var names = ["queries", "query_ids", "model"]

    var interrupt: @Sendable () -> Void {
        let stop = isStopping
        return { stop.isRequested.store(true, ordering: .relaxed) }
    }

    func forgetInterrupt() { isStopping.isRequested.store(false, ordering: .relaxed) }

    var showsColor: Bool { appearance.color != .none }

    func draw(with appearance: ShellAppearance) { self.appearance = appearance }

    func completeness(of source: String) -> Completeness {
        FakeHost.grammar.completeness(of: source)
    }

    func offers(in source: String, at cursor: Int) -> OfferList {
        let context = FakeHost.grammar.completionContext(for: source, at: cursor)
        var offers = FakeHost.grammar.candidates(for: context)
            .map { Offer($0.text, $0.summary, continues: !$0.isWhole) }
        if context.wants.contains(.names) {
            offers += names.filter { $0.hasPrefix(context.prefix) }.map { Offer($0, "a value") }
        }
        return OfferList(replacing: context.span.lower..<context.span.upper, offers: offers)
    }

    func evaluate(
        _ block: SourceBlock, keepGoing: Bool, willRun: ((String) -> Void)?,
        report: (ShellOutcome) -> Void
    ) -> Bool {
        blocks.append(block)
        let source = String(repeating: "\n", count: block.firstLine - 1) + block.source
        let program = FakeHost.grammar.parse(source)
        if let diagnostic = program.diagnostics.first {
            let error = diagnostic.rendered(in: source, file: block.file)
            report(ShellOutcome(error: error, json: "{\"error\": true}"))
            return false
        }
        var isFine = true
        for statement in program.statements {
            willRun?(statement.source)
            evaluated.append(statement.source)
            let outcome = run(statement)
            report(outcome)
            if outcome.error != nil {
                isFine = false
                if !keepGoing { break }
            }
            if isFinished { break }
        }
        return isFine
    }

    private func run(_ statement: Statement) -> ShellOutcome {
        let json = "{\"statement\": \(quoted(statement.source))}"
        switch statement.body {
        case .command(let call) where call.verb.name == "quit":
            isFinished = true
            return ShellOutcome(json: json)
        case .command(let call) where call.verb.name == "work": return work(json)
        case .expression(let node) where node.expression == .name("missing"):
            return ShellOutcome(error: "error: there is no value `missing`", json: json)
        default: return ShellOutcome(text: "ran \(quoted(statement.source))", json: json)
        }
    }

    private func work(_ json: String) -> ShellOutcome {
        for step in 1...500 {
            if isStopping.isRequested.load(ordering: .relaxed) {
                return ShellOutcome(
                    text: "stopped early; what is done is kept", isInterrupted: true, json: json)
            }
            progress?(
                ShellProgress(elapsed: Double(step), isFinished: false) { _ in
                    "work \(step)/500 steps"
                })
            usleep(10_000)
        }
        return ShellOutcome(text: "worked", json: json)
    }
}

private final class Stop: Sendable {
    let isRequested = Atomic(false)
}
