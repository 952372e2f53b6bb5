import Foundation
import HDF5Objects
import Rendering
import Tensors
import Values

/// The likeliest next tokens at one place of a text, under one or two prompts.
struct NextTokensObject: StorableObject {
    static let kind = "distribution"

    /// One distribution over the vocabulary, at the tokens of the table.
    struct Distribution: Codable, Sendable {
        /// The constitution of the prompt; nil for plain text.
        var constitution: Int?
        /// Of each listed token, in nats.
        var logProbs: [Double]
        /// Of each listed token among all tokens; the likeliest has rank 1.
        var ranks: [Int]
        /// Of the whole distribution, in nats.
        var entropy: Double

        var probabilities: [Double] { logProbs.map { exp($0) } }

        /// - Parameter logits: of the whole vocabulary.
        init(_ logits: [Float], at tokens: [Int32], constitution: Int? = nil) {
            self.constitution = constitution
            let largest = Double(logits.max() ?? 0)
            var (sum, weighted) = (0.0, 0.0)
            for logit in logits {
                let shifted = Double(logit) - largest
                let share = exp(shifted)
                sum += share
                // A logit of -inf has probability 0 and adds nothing.
                if share > 0 { weighted += share * shifted }
            }
            let logSum = log(sum)
            entropy = logSum - weighted / sum
            logProbs = tokens.map { Double(logits[Int($0)]) - largest - logSum }
            let keys = NextTokensObject.keys(logits)
            ranks = tokens.map { token in
                let own = keys[Int(token)]
                var rank = 1
                for (index, key) in keys.enumerated() where key >= own {
                    rank += key > own || index < Int(token) ? 1 : 0
                }
                return rank
            }
        }
    }

    struct Content: Codable, Sendable {
        /// The place in words: the end of the text, or a token of a response.
        var place: String
        /// The texts of the tokens and their ids, the likeliest first; a chosen token that is not
        /// among the likeliest comes last.
        var tokens: [String]
        var ids: [Int32]
        var own: Distribution
        var other: Distribution?
        /// The index of the response's own token in the lists.
        var chosen: Int?
    }

    var content: Content

    /// The `count` ids with the largest logits, the largest first; of equal ones the smaller id.
    static func likeliest(_ count: Int, of logits: [Float]) -> [Int32] {
        let keys = keys(logits)
        guard count > 0, let largest = keys.max() else { return [] }
        // Sorting plain numbers is much faster than sorting places by them.
        let least =
            count == 1 ? largest : keys.sorted(by: >)[min(count, keys.count) - 1]
        let places = keys.indices.filter { keys[$0] >= least }
        return places.sorted { (keys[$0], $1) > (keys[$1], $0) }.prefix(count).map { Int32($0) }
    }

    /// A NaN is below everything, so that the order is always defined.
    private static func keys(_ logits: [Float]) -> [Float] {
        logits.map { $0.isNaN ? -.infinity : $0 }
    }

    static let fields: [Field<NextTokensObject>] = [
        Field("tokens", "texts of the tokens, the likeliest first") { Value($0.content.tokens) },
        Field("ids", "their ids") { Value($0.content.ids.map { Int($0) }) },
        Field("probabilities", "their probabilities") { numbers($0.content.own.probabilities) },
        Field("logprobs", "their log-probs, in nats") { numbers($0.content.own.logProbs) },
        Field("ranks", "their places among all tokens; the likeliest is 1") {
            Value($0.content.own.ranks)
        },
        Field("entropy", "of the whole distribution, in nats") { .number($0.content.own.entropy) },
        Field("other", "the same under the other constitution; null for plain text") {
            $0.content.other.map { .record(record($0)) } ?? .null
        },
        Field("chosen", "the token of the response; null without") { object in
            object.content.chosen.map { object.item($0) } ?? .null
        },
        Field("place", "where this is") { .text($0.content.place) },
        Field("count", "number of listed tokens") { Value($0.content.tokens.count) },
    ]

    private static func numbers(_ values: [Double]) -> Value {
        .tensor(Tensor(values.map { Float($0) }, shape: [values.count]))
    }

    private static func record(_ distribution: Distribution) -> Record {
        [
            "constitution": distribution.constitution.map { Value($0) } ?? .null,
            "probabilities": numbers(distribution.probabilities),
            "logprobs": numbers(distribution.logProbs), "ranks": Value(distribution.ranks),
            "entropy": .number(distribution.entropy),
        ]
    }

    var count: Int? { content.tokens.count }

    func item(_ index: Int) -> Value {
        var record: Record = [
            "token": .text(content.tokens[index]), "id": Value(Int(content.ids[index])),
            "probability": .number(content.own.probabilities[index]),
            "logprob": .number(content.own.logProbs[index]),
            "rank": Value(content.own.ranks[index]),
        ]
        if let other = content.other {
            record["other_probability"] = .number(other.probabilities[index])
            record["other_logprob"] = .number(other.logProbs[index])
            record["other_rank"] = Value(other.ranks[index])
        }
        return .record(record)
    }

    var summary: String {
        let first = content.tokens.first.map(TokenName.quoted) ?? "nothing"
        let share = content.own.probabilities.first ?? 0
        return "\(first) with \(NumberText.percent(share)), \(content.place)"
    }

    func document(_ appearance: Appearance) -> Document {
        func digits(_ value: Double) -> String { NumberText.fixed(value, decimals: 3) }
        func share(_ value: Double) -> String { NumberText.percent(value, decimals: 2) }
        var document = Document("next token ", .heading)
        document.append(content.place)
        let (own, other) = (content.own, content.other)
        let isMarked = content.chosen != nil
        var table = Table([
            .init("rank", isNumeric: true), .init("token"), .init("id", isNumeric: true),
            .init(under(own) ?? "probability", isNumeric: true),
            .init("log-prob", isNumeric: true),
        ])
        if let other {
            table.columns += [
                .init(under(other) ?? "probability", isNumeric: true),
                .init("log-prob", isNumeric: true), .init("rank", isNumeric: true),
            ]
        }
        table.styles = [0: .faint, 2: .faint]
        for (index, token) in content.tokens.enumerated() {
            let mark = isMarked ? (index == content.chosen ? "> " : "  ") : ""
            var cells = [
                "\(own.ranks[index])", mark + TokenName.quoted(token), "\(content.ids[index])",
                share(own.probabilities[index]), digits(own.logProbs[index]),
            ]
            if let other {
                cells += [
                    share(other.probabilities[index]), digits(other.logProbs[index]),
                    "\(other.ranks[index])",
                ]
            }
            table.append(cells)
        }
        document.line(table)
        if let chosen = content.chosen {
            var words =
                "> the response has \(TokenName.quoted(content.tokens[chosen])): rank "
                + "\(own.ranks[chosen]), log-prob \(digits(own.logProbs[chosen]))"
            if let other {
                let change = own.logProbs[chosen] - other.logProbs[chosen]
                words += "; \(NumberText.signed(change, decimals: 3)) nats against the other"
            }
            document.line(words, .faint)
        }
        var entropy = "entropy \(digits(own.entropy)) nats"
        if let other, let name = under(other) { entropy += "; \(digits(other.entropy)) \(name)" }
        document.line(entropy, .faint)
        return document
    }

    /// The title of a distribution's column: "under 0".
    private func under(_ distribution: Distribution) -> String? {
        distribution.constitution.map { "under \($0)" }
    }

    var jsonValue: Value { .record(fieldRecord) }

    func stored() throws -> StoredValue { try StoredValue(encoding: content) }

    static func restored(_ value: StoredValue) throws -> NextTokensObject {
        let content = try value.restored(Content.self, kind: kind)
        let count = content.tokens.count
        let distributions = [content.own, content.other].compactMap(\.self)
        guard content.ids.count == count, content.chosen.map({ (0..<count).contains($0) }) ?? true,
            distributions.allSatisfy({ $0.logProbs.count == count && $0.ranks.count == count })
        else { throw StorageError(kind: kind, problem: "its parts do not fit together") }
        return NextTokensObject(content: content)
    }
}
