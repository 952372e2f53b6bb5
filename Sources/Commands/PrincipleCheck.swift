import Alignment
import CommandLanguage
import ShippedWorld
import Values

/// A program of one's own that decides whether a response follows a principle: an expression over
/// `response` and `query`, as `words(response) <= 15`.
struct PrincipleCheck: Sendable {
    let source: String
    private let node: Node

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

    func holds(response: String, query: String) throws(EvaluationError) -> Bool {
        let value: Value
        do {
            let evaluator = Evaluator(environment: Names(response: response, query: query))
            value = try evaluator.value(of: node)
        } catch {
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

        func value(of name: String) -> Value? {
            switch name {
            case "response": .text(response)
            case "query": .text(query)
            default: nil
            }
        }

        var names: [String] { ["response", "query"] }
        var lastResult: Value? { nil }
        var isInterrupted: Bool { false }
        func maker(of object: String) -> String? { nil }
    }
}

/// Measures principles with a check by it, and all others by the shipped world's programs.
struct CheckedMeasure: Measure {
    /// The check of a sentence, and whether the sentence asks for the opposite.
    private var checks: [String: (check: PrincipleCheck, isDenied: Bool)] = [:]
    private let world = WorldMeasure()

    init(_ pairs: [PrinciplePair]) throws(EvaluationError) {
        for pair in pairs {
            if let source = pair.check {
                let check = try PrincipleCheck(source)
                checks[pair.principle] = (check, false)
                checks[pair.antithesis] = (check, true)
            }
            if let source = pair.antithesisCheck {
                checks[pair.antithesis] = (try PrincipleCheck(source), false)
            }
        }
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
        return try check.holds(response: response, query: query.text) != isDenied
            ? .follows : .breaks
    }

    func isMalformed(_ response: String, for query: Alignment.Query) -> Bool {
        world.isMalformed(response, for: query)
    }
}
