import CommandLanguage
import Foundation
import LongWork
import Rendering
import Tokenizers
import Transformers
import Values

/// Two models on the same texts: log-prob, perplexity, and KL a token.
extension CommandTable {
    static func compareTexts(
        _ one: ModelObject, _ two: ModelObject, _ invocation: Invocation
    ) throws -> CommandResult {
        let texts = try invocation.comparedTexts()
        let (a, b) = (one.model.configuration, two.model.configuration)
        let tokenizer = try invocation.tokenizer(of: one)
        guard a.vocabularySize == b.vocabularySize,
            try tokenizer.json == invocation.tokenizer(of: two).json
        else {
            throw invocation.error(
                "the two models have different tokenizers, so their tokens cannot be compared",
                at: "second")
        }
        let context = min(a.longestSequence, b.longestSequence)
        var cut = 0
        let sequences = texts.map { text in
            let tokens = tokenizer.encode(beginning: text)
            if tokens.count > context { cut += 1 }
            return Array(tokens.prefix(context))
        }
        var meter = invocation.meter("compare")
        defer { meter.finish() }
        var totals: [TextTotal] = []
        var (first, tokens) = (0, 0)
        while first < sequences.count {
            let pack = pack(sequences, from: first)
            let size = pack.reduce(0) { $0 + $1.count }
            let compared: [(own: [Float], other: [Float], divergences: [Float])]
            do {
                compared = try one.model.compared(
                    with: two.model, on: pack.filter { $0.count > 1 }
                ) { share in
                    meter.update(
                        first, of: sequences.count, underway: share * Double(pack.count),
                        unit: "texts", tokens: tokens + Int(share * Double(size)))
                    return invocation.cancel()
                }
            } catch is Canceled {
                throw invocation.located(
                    EvaluationError.interrupted("stopped; nothing has changed"))
            }
            var next = 0
            for sequence in pack {
                guard sequence.count > 1 else {
                    totals.append(TextTotal())
                    continue
                }
                totals.append(TextTotal(compared[next]))
                next += 1
            }
            first += pack.count
            tokens += size
            meter.update(first, of: sequences.count, unit: "texts", tokens: tokens)
        }
        let whole = totals.reduce(into: TextTotal()) { $0.add($1) }
        guard whole.tokens > 0 else {
            throw invocation.error("no text has a token that another one predicts", at: "on")
        }
        return result(
            whole, totals,
            names: (
                invocation.written("first") ?? "first", invocation.written("second") ?? "second"
            ),
            notes: cut == 0
                ? []
                : [
                    "\(NumberText.count(cut, "text")) cut at the context of "
                        + NumberText.count(context, "token")
                ], invocation)
    }

    /// The sequences from `first` on that go through the models together.
    private static func pack(_ sequences: [[Int32]], from first: Int) -> [[Int32]] {
        var (end, rows) = (first, 0)
        while end < sequences.count, end == first || rows + sequences[end].count <= 2048 {
            rows += sequences[end].count
            end += 1
        }
        return Array(sequences[first..<end])
    }

    private static func result(
        _ whole: TextTotal, _ totals: [TextTotal], names: (String, String), notes: [String],
        _ invocation: Invocation
    ) -> CommandResult {
        func digits(_ value: Double) -> String { NumberText.fixed(value, decimals: 4) }
        var table = Table([
            .init(""), .init(names.0, isNumeric: true), .init(names.1, isNumeric: true),
        ])
        table.styles = [0: .faint]
        table.append([
            "mean log-prob, nats a token", digits(whole.own), digits(whole.other),
        ])
        table.append(["perplexity", digits(exp(-whole.own)), digits(exp(-whole.other))])
        var document = Document(
            "\(NumberText.count(whole.tokens, "token")) of "
                + NumberText.count(totals.count, "text"), .heading)
        document.line(table)
        document.line(
            "KL(\(names.0) ‖ \(names.1)) \(digits(whole.divergence)) nats a token, at most "
                + "\(digits(whole.largest)) at one")
        let data = Value.record([
            "tokens": Value(whole.tokens), "logprob": .number(whole.own),
            "other_logprob": .number(whole.other), "perplexity": .number(exp(-whole.own)),
            "other_perplexity": .number(exp(-whole.other)), "kl": .number(whole.divergence),
            "largest_kl": .number(whole.largest),
            "texts": .list(
                totals.map {
                    .record([
                        "tokens": Value($0.tokens), "logprob": .number($0.own),
                        "other_logprob": .number($0.other), "kl": .number($0.divergence),
                    ])
                }),
        ])
        return CommandResult(
            value: data, Display(document, invocation.appearance, data: data), notes: notes)
    }
}

/// Sums over the predicted tokens of one text or of several.
private struct TextTotal {
    private(set) var tokens = 0
    private var (ownSum, otherSum, divergenceSum) = (0.0, 0.0, 0.0)
    /// The largest KL at one token, in nats.
    private(set) var largest = 0.0

    init() {}

    init(_ text: (own: [Float], other: [Float], divergences: [Float])) {
        tokens = text.own.count
        ownSum = text.own.reduce(0) { $0 + Double($1) }
        otherSum = text.other.reduce(0) { $0 + Double($1) }
        divergenceSum = text.divergences.reduce(0) { $0 + Double($1) }
        largest = Double(text.divergences.max() ?? 0)
    }

    mutating func add(_ text: TextTotal) {
        tokens += text.tokens
        ownSum += text.ownSum
        otherSum += text.otherSum
        divergenceSum += text.divergenceSum
        largest = max(largest, text.largest)
    }

    /// Means, in nats a token; 0 without tokens.
    var own: Double { ownSum / Double(max(1, tokens)) }
    var other: Double { otherSum / Double(max(1, tokens)) }
    var divergence: Double { divergenceSum / Double(max(1, tokens)) }
}

extension Invocation {
    /// The texts of `on`: one in quotes, those of an expression in parentheses, or those of a file
    /// with `field`.
    fileprivate func comparedTexts() throws -> [String] {
        guard let argument = argument("on") else { return [] }
        if let field = try text("field") {
            return try CommandTable.fieldTexts(field, try records("on"), self)
        }
        if case .path(let word) = argument.value, !isQuoted(argument) {
            let isName = session.isBound(String(word.prefix { $0 != "." && $0 != "[" }))
            throw error(
                "a file needs `field=`, and a value stands in parentheses",
                suggestion: isName ? "on=(\(word))" : "on=\(word) field=text", at: "on")
        }
        switch try value("on") {
        case .object(let queries as QueriesObject)?: return queries.queries.map(\.text)
        case .object(let rollouts as RolloutsObject)?:
            return rollouts.rollouts.groups.flatMap { $0.responses.compactMap(\.text) }
        default: return try texts("on")
        }
    }
}
