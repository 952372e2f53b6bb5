import Alignment
import HDF5Objects
import Rendering
import Tokenizers
import Values

/// A comparison of one model's responses with another's.
struct VerdictsObject: StorableObject, PoolableObject {
    static let kind = "verdicts"

    var verdicts: Verdicts
    /// The names of the two sides: "model", "base".
    var first: String
    var second: String

    static let fields: [Field<VerdictsObject>] = [
        Field("win_rate", "(wins + ½ ties) / comparisons") { Value($0.verdicts.winRate) },
        Field("interval", "95 % interval of the win rate") { object in
            VerdictsObject.pair(object.verdicts.interval)
        },
        Field("wins", "comparisons won") { Value($0.verdicts.wins) },
        Field("ties", "comparisons without a winner") { Value($0.verdicts.ties) },
        Field("losses", "comparisons lost") { Value($0.verdicts.losses) },
        Field("count", "comparisons that were judged") { Value($0.verdicts.count) },
        Field("judge", "who judged") { .text($0.verdicts.judge) },
        Field("length_controlled", "the win rate at equal lengths") {
            Value($0.verdicts.lengthControlled?.rate)
        },
        Field("length_controlled_interval", "its 95 % interval") { object in
            VerdictsObject.pair(object.verdicts.lengthControlled?.interval)
        },
        Field("words", "mean words a response, on both sides") { object in
            .list([
                .number(object.verdicts.firstLengths.words),
                .number(object.verdicts.secondLengths.words),
            ])
        },
        Field("characters", "mean characters a response, on both sides") { object in
            .list([
                .number(object.verdicts.firstLengths.characters),
                .number(object.verdicts.secondLengths.characters),
            ])
        },
        Field("malformed", "share of malformed responses, on both sides") { object in
            .list([Value(object.verdicts.firstMalformed), Value(object.verdicts.secondMalformed)])
        },
        Field("principles", "adherence to each principle") { object in
            .list(
                object.verdicts.principles.map {
                    .record([
                        "principle": .text($0.principle), "count": Value($0.count),
                        "first": .number($0.first), "second": .number($0.second),
                    ])
                })
        },
        Field("orders", "how a judge that reads says the same in both orders") { object in
            object.verdicts.orders.map { report in
                .record([
                    "count": Value(report.count), "agreement": Value(report.agreement),
                    "flips": Value(report.flips), "unparsed": Value(report.unparsed),
                    "named": Value(report.named), "named_first": Value(report.namedFirst),
                ])
            } ?? .null
        },
        Field("control", "what such a judge says of responses beside themselves") { object in
            object.verdicts.control.map { control in
                .record([
                    "count": Value(control.count), "first": Value(control.first),
                    "second": Value(control.second), "ties": Value(control.ties),
                    "unparsed": Value(control.unparsed),
                ])
            } ?? .null
        },
        Field("unknown", "principles that the judge does not know") {
            Value($0.verdicts.unknownPrinciples)
        },
        Field("comparisons", "every comparison") { object in
            .list(object.verdicts.comparisons.map(VerdictsObject.record))
        },
    ]

    /// Verdicts of the same judge on the same two sides: `v = v + judge …`.
    func adding(_ other: VerdictsObject) throws(EvaluationError) -> VerdictsObject {
        guard verdicts.judge == other.verdicts.judge else {
            throw .other(
                "verdicts of different judges, \(verdicts.judge) and \(other.verdicts.judge), are "
                    + "not one: `compare` sets them side by side")
        }
        guard (first, second) == (other.first, other.second) else {
            throw .other(
                "verdicts of \(first) over \(second) and of \(other.first) over \(other.second) "
                    + "are not one")
        }
        return VerdictsObject(
            verdicts: verdicts.adding(other.verdicts), first: first, second: second)
    }

    private static func pair(_ interval: Interval?) -> Value {
        interval.map { .list([.number($0.lower), .number($0.upper)]) } ?? .null
    }

    private static func record(_ comparison: Comparison) -> Value {
        .record([
            "query": .text(comparison.pair.id.text),
            "constitution": .text(comparison.pair.constitution.text),
            "first": .text(comparison.pair.first), "second": .text(comparison.pair.second),
            "judgement": Value(comparison.judgement?.rawValue),
            "left_out": Value(comparison.exclusion?.rawValue),
            "scores": .list(comparison.scores.map(Value.number)),
            "orders": comparison.orders.map { .list($0.map { .text($0.rawValue) }) } ?? .null,
        ])
    }

    /// The line at the end of a script: `win rate 73.2 % (95 %: 69.1 to 76.9 %) of model over
    /// base`.
    var headline: String {
        guard let rate = verdicts.winRate, let interval = verdicts.interval else {
            return "no comparison was judged"
        }
        return "win rate \(NumberText.percent(rate)) (95 %: "
            + "\(NumberText.fixed(interval.lower * 100, decimals: 1)) to "
            + "\(NumberText.percent(interval.upper))) of \(first) over \(second), "
            + NumberText.count(verdicts.count, "comparison")
    }

    /// `73.2 % (69.1 to 76.9 %) of 500`; empty if nothing was judged.
    var shortRate: String {
        guard let rate = verdicts.winRate, let interval = verdicts.interval else { return "" }
        return
            "\(NumberText.percent(rate)) (\(NumberText.fixed(interval.lower * 100, decimals: 1)) to "
            + "\(NumberText.percent(interval.upper))) of \(NumberText.grouped(verdicts.count))"
    }

    var summary: String {
        verdicts.winRate.map { "win rate \(NumberText.percent($0)) in \(verdicts.count)" }
            ?? "nothing judged"
    }

    func document(_ appearance: Appearance) -> Document {
        var document = Document(headline, .heading)
        guard verdicts.count > 0 else { return document }
        document.line(
            "\(NumberText.count(verdicts.wins, "win")), \(NumberText.count(verdicts.ties, "tie")), "
                + NumberText.count(verdicts.losses, "loss", "losses"))
        if let control = verdicts.lengthControlled {
            document.append(
                "; at equal lengths \(NumberText.percent(control.rate)) ("
                    + "\(NumberText.fixed(control.interval.lower * 100, decimals: 1)) to "
                    + "\(NumberText.percent(control.interval.upper)))")
        }
        for sentence in orderSentences { document.line(sentence) }
        document.line(rates)
        var sides = Table([
            .init(""), .init("words", isNumeric: true), .init("characters", isNumeric: true),
            .init("malformed", isNumeric: true),
        ])
        func row(_ name: String, _ lengths: ResponseLengths, _ malformed: Double?) -> [String] {
            [
                name, NumberText.fixed(lengths.words, decimals: 1),
                NumberText.fixed(lengths.characters, decimals: 1),
                malformed.map { NumberText.percent($0) } ?? "-",
            ]
        }
        sides.append(row(first, verdicts.firstLengths, verdicts.firstMalformed))
        sides.append(row(second, verdicts.secondLengths, verdicts.secondMalformed))
        document.line(sides)
        guard !verdicts.principles.isEmpty else { return document }
        var table = Table([
            .init("asked", isNumeric: true), .init(first, isNumeric: true),
            .init(second, isNumeric: true), .init("share of responses that follow"),
        ])
        for tally in verdicts.principles.prefix(12) {
            table.append([
                "\(tally.count)", NumberText.percent(tally.first, decimals: 0),
                NumberText.percent(tally.second, decimals: 0), tally.principle,
            ])
        }
        document.line(table)
        if verdicts.principles.count > 12 {
            document.line(
                "… and \(NumberText.count(verdicts.principles.count - 12, "more principle")): .principles has all",
                .faint)
        }
        return document
    }

    /// How far the judge's words depend on the order in which it reads.
    private var orderSentences: [String] {
        var sentences: [String] = []
        if let orders = verdicts.orders, let agreement = orders.agreement {
            sentences.append(
                "in both orders the same verdict: \(NumberText.percent(agreement)) of "
                    + "\(NumberText.count(orders.count, "pair")); other winner: \(orders.flips), which "
                    + "are ties; without a verdict: \(orders.unparsed)")
            if orders.named > 0 {
                sentences.append(
                    "the response shown first is named in "
                        + "\(NumberText.percent(Double(orders.namedFirst) / Double(orders.named))) of "
                        + NumberText.count(orders.named, "verdict"))
            }
        }
        if let control = verdicts.control {
            sentences.append(
                "of \(NumberText.count(control.count, "response")) beside itself: first "
                    + "\(control.first), second \(control.second), tie \(control.ties), no verdict "
                    + "\(control.unparsed)")
        }
        return sentences
    }

    /// The win rate and the one at equal lengths.
    private var rates: RateBars {
        func bar(_ name: String, _ rate: Double, _ interval: Interval) -> RateBars.Bar {
            RateBars.Bar(
                name, rate, interval.lower...max(interval.lower, interval.upper),
                count: verdicts.count)
        }
        var bars: [RateBars.Bar] = []
        if let rate = verdicts.winRate, let interval = verdicts.interval {
            bars.append(bar("win rate", rate, interval))
        }
        if let control = verdicts.lengthControlled {
            bars.append(bar("at equal lengths", control.rate, control.interval))
        }
        return RateBars(
            "\(first) over \(second)", bars, unit: "comparisons", half: "no difference")
    }

    /// The rates, and how often the responses of both sides follow the principles asked most.
    var picture: Picture? {
        guard verdicts.count > 0 else { return nil }
        let adherence = verdicts.principles.prefix(12).map { tally in
            let sides = [(first, tally.first), (second, tally.second)]
            let queries = verdicts.queryCount(askedFor: tally.principle)
            return RateBars(
                tally.principle,
                sides.compactMap { name, share in
                    Interval.wilson(successes: share * Double(queries), of: queries).map {
                        RateBars.Bar(name, share, $0.lower...$0.upper, count: tally.count)
                    }
                }, unit: "responses that were asked to follow the principle")
        }
        return Picture(
            .rates([rates] + adherence.filter { !$0.bars.isEmpty }),
            title: "win rate of \(first) over \(second)")
    }

    var jsonValue: Value {
        var record = fieldRecord
        record["first"] = .text(first)
        record["second"] = .text(second)
        return .record(record)
    }

    func stored() throws -> StoredValue {
        .record(
            StoredRecord([
                ("first", .text(first)), ("second", .text(second)),
                ("verdicts", try StoredValue(encoding: verdicts)),
            ]))
    }

    static func restored(_ value: StoredValue) throws -> VerdictsObject {
        guard let stored = value["verdicts"] else {
            throw StorageError(kind: kind, problem: "a part of it is missing")
        }
        let verdicts = try stored.restored(Verdicts.self, kind: kind)
        let counts = 0...max(1, 2 * verdicts.comparisons.count)
        let isSound = verdicts.principles.allSatisfy {
            counts.contains($0.count) && (0...1).contains($0.first) && (0...1).contains($0.second)
        }
        let places = verdicts.control.map { [$0.first, $0.second, $0.ties, $0.unparsed] } ?? []
        guard isSound, places.allSatisfy((0...1 << 32).contains) else {
            throw StorageError(kind: kind, problem: "a number of it cannot be one")
        }
        return VerdictsObject(
            verdicts: verdicts.derivedAnew,
            first: value["first"]?.textValue ?? "model",
            second: value["second"]?.textValue ?? "base")
    }
}
