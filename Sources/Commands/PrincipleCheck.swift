import Alignment
import CommandLanguage
import LongWork
import ShippedWorld
import Values

/// A program of one's own that decides whether a response follows a principle: an expression over
/// `response` and `query`, as `words(response) <= 15`.
struct PrincipleCheck: Sendable {
    let source: String
    private let node: Node
    private static let mostSeconds = 5

    /// - Throws: a sentence if it is no expression, or gives no truth value for a response.
    init(_ source: String) throws(EvaluationError) {
        let program = CommandTable.grammar.parse(source)
        if let fault = program.diagnostics.first {
            throw .other("the check `\(source)` cannot be read: \(fault.message)")
        }
        guard program.statements.count == 1, program.statements[0].targets.isEmpty,
            case .expression(let node) = program.statements[0].body
        else {
            throw .other(
                "the check `\(source)` is not an expression",
                suggestion: "as words(response) <= 15")
        }
        self.source = source
        self.node = node
        // A fault of every response is told now, not after all responses are sampled.
        _ = try holds(response: "A short response.", query: "A query.")
    }

    /// - Parameter isStopped: whether a person wants to stop; `EvaluationError.interrupted` is
    ///   thrown then.
    func holds(
        response: String, query: String, isStopped: @Sendable @escaping () -> Bool = { false }
    ) throws(EvaluationError) -> Bool {
        let value: Value
        do {
            let end = ContinuousClock.now + .seconds(PrincipleCheck.mostSeconds)
            let names = Names(
                response: response, query: query, end: end, isStopped: isStopped)
            value = try Evaluator(environment: names).value(of: node)
        } catch {
            if case .interrupted(let message) = error.error as? EvaluationError {
                if isStopped() { throw .interrupted(message) }
                throw .other(
                    "the check `\(source)` takes more than \(PrincipleCheck.mostSeconds) seconds "
                        + "for one response")
            }
            throw .other(
                "the check `\(source)` fails: \(ErrorSentence.of(error))",
                suggestion: "it may use `response`, `query` and the functions of the language")
        }
        guard case .bool(let truth) = value else {
            throw .other("the check `\(source)` gives \(value.aKind), not true or false")
        }
        return truth
    }

    /// The names of a check.
    private struct Names: Environment {
        var response: String
        var query: String
        /// When the work counts as too much.
        var end: ContinuousClock.Instant
        var isStopped: @Sendable () -> Bool

        func value(of name: String) -> Value? {
            switch name {
            case "response": .text(response)
            case "query": .text(query)
            default: nil
            }
        }

        var names: [String] { ["response", "query"] }
        var lastResult: Value? { nil }
        var isInterrupted: Bool { isStopped() || ContinuousClock.now > end }
        func maker(of object: String) -> String? { nil }
    }
}

/// Measures principles with a check by it, and all others by the shipped world's programs.
struct CheckedMeasure: Measure {
    /// The check of a sentence, and whether the sentence asks for the opposite.
    private var checks: [String: (check: PrincipleCheck, isDenied: Bool)] = [:]
    private let world = WorldMeasure()
    private let isStopped: @Sendable () -> Bool

    /// - Parameter isStopped: whether a person wants to stop; asked while a check runs.
    init(
        _ pairs: [PrinciplePair], isStopped: @Sendable @escaping () -> Bool = { false }
    ) throws(EvaluationError) {
        self.isStopped = isStopped
        for pair in pairs {
            if let source = pair.check {
                let check = try PrincipleCheck(source)
                try add(check, to: pair.principle, isDenied: false)
                if pair.antithesisCheck == nil {
                    try add(check, to: pair.antithesis, isDenied: true)
                }
            }
            if let source = pair.antithesisCheck {
                try add(try PrincipleCheck(source), to: pair.antithesis, isDenied: false)
            }
        }
    }

    /// - Throws: if the sentence has another check from another pair.
    private mutating func add(
        _ check: PrincipleCheck, to sentence: String, isDenied: Bool
    ) throws(EvaluationError) {
        if let known = checks[sentence],
            known.check.source != check.source || known.isDenied != isDenied
        {
            throw .other(
                "\"\(sentence)\" stands in two pairs with different checks: "
                    + "`\(known.check.source)` and `\(check.source)`",
                suggestion: "word one of them differently")
        }
        checks[sentence] = (check, isDenied)
    }

    /// Whether it can measure anything of these: nothing needs to be sampled to know it.
    func knows(_ queries: [Alignment.Query], principles: [String]) -> Bool {
        principles.contains { checks[$0] != nil }
            || WorldMeasure.knows(queries, principles: principles)
    }

    func adherence(
        of response: String, to principle: String, for query: Alignment.Query
    ) throws -> Adherence {
        guard let (check, isDenied) = checks[principle] else {
            return world.adherence(of: response, to: principle, for: query)
        }
        do throws(EvaluationError) {
            let holds = try check.holds(
                response: response, query: query.text, isStopped: isStopped)
            return holds != isDenied ? .follows : .breaks
        } catch {
            if case .interrupted = error { throw Canceled() }
            throw error
        }
    }

    func isMalformed(_ response: String, for query: Alignment.Query) -> Bool {
        world.isMalformed(response, for: query)
    }
}
