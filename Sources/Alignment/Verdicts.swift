import LongWork
import Transformers

/// The result of one comparison for the first model.
public enum Judgement: String, Sendable, Codable, CaseIterable {
    case win, tie, loss

    /// 1, ½ or 0.
    public var score: Double {
        switch self {
        case .win: 1
        case .tie: 0.5
        case .loss: 0
        }
    }
}

/// Two responses to one query under one constitution.
public struct ResponsePair: Sendable, Codable, Hashable {
    /// The id of the query.
    public var id: QueryID
    /// The query as it was answered; nil in verdicts that older versions have stored.
    public var query: Query?
    public var constitution: Constitution
    /// The response of the model that is judged.
    public var first: String
    /// The response of the model that it is compared with.
    public var second: String

    public init(
        id: QueryID, query: Query? = nil, constitution: Constitution, first: String,
        second: String
    ) {
        self.id = id
        self.query = query
        self.constitution = constitution
        self.first = first
        self.second = second
    }
}

/// The reason why a pair has no judgement.
public enum ExclusionReason: String, Sendable, Codable, CaseIterable {
    /// The judge knows no principle of the constitution.
    case unknownPrinciples
    /// The likelihood judge needs a constitution and its antithesis.
    case noAntithesis
    /// Prompt and response do not fit the judging model's context.
    case overflow
    /// A response is empty and has no log-prob.
    case empty
    /// A judge's text names no winner, in at least one order.
    case unparsed
}

/// What a judge said of one presentation, for the pair's first response.
public enum OrderVerdict: String, Sendable, Codable, CaseIterable {
    case win, tie, loss
    /// The text names no winner.
    case unparsed

    var judgement: Judgement? { Judgement(rawValue: rawValue) }
}

/// What a judge says of a response beside itself: how much its place alone decides.
public struct PositionControl: Sendable, Codable, Hashable {
    /// Number of texts that name the response shown first, the one shown second, neither.
    public var first = 0
    public var second = 0
    public var ties = 0
    public var unparsed = 0

    public var count: Int { first + second + ties + unparsed }

    func adding(_ other: PositionControl) -> PositionControl {
        PositionControl(
            first: first + other.first, second: second + other.second, ties: ties + other.ties,
            unparsed: unparsed + other.unparsed)
    }
}

/// One judged pair.
public struct Comparison: Sendable, Codable, Hashable {
    public var pair: ResponsePair
    /// `nil` if the pair is excluded.
    public var judgement: Judgement?
    public var exclusion: ExclusionReason?
    /// The judge's score of each response: number of principles followed, or a log-prob difference
    /// in nats.
    public var scores: [Double]
    /// Whether the judge found the responses malformed; `nil` from judges that do not check this.
    public var malformed: [Bool]?
    /// The verdict with the first response shown first, then with the second shown first. One
    /// verdict if the responses are the same. Nil from judges that read no text.
    public var orders: [OrderVerdict]?

    /// The names on disk.
    private enum CodingKeys: String, CodingKey {
        case pair, judgement, scores, malformed, orders
        case exclusion = "leftOut"
    }

    public init(
        pair: ResponsePair, judgement: Judgement?, exclusion: ExclusionReason? = nil,
        scores: [Double] = [],
        malformed: [Bool]? = nil, orders: [OrderVerdict]? = nil
    ) {
        self.orders = orders
        self.pair = pair
        self.judgement = judgement
        self.exclusion = exclusion
        self.scores = scores
        self.malformed = malformed
    }
}

/// How often the responses of both sides follow one principle.
public struct PrincipleTally: Sendable, Codable, Hashable {
    public var principle: String
    /// Number of measured responses of each model.
    public var count: Int
    public var first: Double
    public var second: Double

    /// `first` and `second` are shares, so each side counts by its number of responses.
    mutating func add(_ other: PrincipleTally) {
        let (own, added) = (Double(count), Double(other.count))
        guard own + added > 0 else { return }
        first = (first * own + other.first * added) / (own + added)
        second = (second * own + other.second * added) / (own + added)
        count += other.count
    }
}

/// Mean lengths of one side's responses.
public struct ResponseLengths: Sendable, Codable, Hashable {
    /// Runs of non-blank characters.
    public var words: Double
    public var characters: Double

    init(_ responses: [String]) {
        let count = Double(max(1, responses.count))
        words = Double(responses.reduce(0) { $0 + ResponseLengths.words(of: $1) }) / count
        characters = Double(responses.reduce(0) { $0 + $1.trimmed.count }) / count
    }

    static func words(of text: String) -> Int { text.split(whereSeparator: \.isWhitespace).count }
}

/// The outcome of many comparisons of a first model with a second.
public struct Verdicts: Sendable, Codable, Hashable {
    /// The name of the judge.
    public var judge: String
    public var comparisons: [Comparison]
    /// Principles that the judge does not know; they count for neither side.
    public var unknownPrinciples: [String]
    /// Adherence to each principle, from judges that measure it.
    public var principles: [PrincipleTally]
    /// Whether the caller stopped the work before all pairs were judged.
    public var isStopped: Bool
    /// From judges that read texts.
    public var control: PositionControl?

    public let wins: Int
    public let ties: Int
    public let losses: Int
    /// (wins + ½ ties) / comparisons; `nil` without comparisons.
    public let winRate: Double?
    /// Wilson's interval at 95 %; a tie counts as half a win. Comparisons of one query are no
    /// independent evidence, so the number of queries counts.
    public let interval: Interval?
    public let lengthControlled: LengthControl?
    /// Over the judged pairs.
    public let firstLengths: ResponseLengths
    public let secondLengths: ResponseLengths
    /// Share of malformed responses, from judges that check this.
    public let firstMalformed: Double?
    public let secondMalformed: Double?

    public init(
        judge: String, comparisons: [Comparison], unknownPrinciples: [String] = [],
        principles: [PrincipleTally] = [], isStopped: Bool = false,
        control: PositionControl? = nil
    ) {
        self.control = control
        self.judge = judge
        self.comparisons = comparisons
        self.unknownPrinciples = unknownPrinciples
        self.principles = principles
        self.isStopped = isStopped
        let judged = comparisons.filter { $0.judgement != nil }
        wins = judged.count { $0.judgement == .win }
        ties = judged.count { $0.judgement == .tie }
        losses = judged.count { $0.judgement == .loss }
        let successes = Double(wins) + Double(ties) / 2
        winRate = judged.isEmpty ? nil : successes / Double(judged.count)
        let queries = Set(judged.map(\.pair.id)).count
        interval = winRate.flatMap {
            Interval.wilson(successes: $0 * Double(queries), of: queries)
        }
        lengthControlled = LengthControl(
            outcomes: judged.compactMap(\.judgement?.score),
            differences: judged.map {
                Double($0.pair.first.trimmed.count - $0.pair.second.trimmed.count)
            }, observations: queries)
        firstLengths = ResponseLengths(judged.map(\.pair.first))
        secondLengths = ResponseLengths(judged.map(\.pair.second))
        func share(_ side: Int) -> Double? {
            let seen = judged.compactMap(\.malformed).filter { $0.indices.contains(side) }
            return seen.isEmpty
                ? nil : Double(seen.count { $0[side] }) / Double(seen.count)
        }
        firstMalformed = share(0)
        secondMalformed = share(1)
    }

    /// Number of queries whose responses were asked to follow a principle. Responses to one query
    /// are no independent evidence.
    public func queryCount(askedFor principle: String) -> Int {
        let asked = comparisons.filter { comparison in
            comparison.judgement != nil
                && comparison.pair.constitution.slots.contains { $0.text == principle }
        }
        return Set(asked.map(\.pair.id)).count
    }

    /// The same with every rate from the comparisons: those of a file may be anything.
    public var derivedAnew: Verdicts {
        Verdicts(
            judge: judge, comparisons: comparisons, unknownPrinciples: unknownPrinciples,
            principles: principles, isStopped: isStopped, control: control)
    }

    /// The comparisons of both, as of one judge who went on: those of several seeds, for one rate.
    public func adding(_ other: Verdicts) -> Verdicts {
        var tallies = principles
        for tally in other.principles {
            if let place = tallies.firstIndex(where: { $0.principle == tally.principle }) {
                tallies[place].add(tally)
            } else {
                tallies.append(tally)
            }
        }
        return Verdicts(
            judge: judge, comparisons: comparisons + other.comparisons,
            unknownPrinciples: unknownPrinciples
                + other.unknownPrinciples.filter { !unknownPrinciples.contains($0) },
            principles: tallies, isStopped: isStopped || other.isStopped,
            control: control.map { $0.adding(other.control ?? PositionControl()) } ?? other.control)
    }

    /// Number of judged comparisons.
    public var count: Int { wins + ties + losses }

    /// Number of excluded pairs for each reason, without reasons that did not occur.
    public var exclusions: [(reason: ExclusionReason, count: Int)] {
        ExclusionReason.allCases.compactMap { reason in
            let count = comparisons.count { $0.exclusion == reason }
            return count == 0 ? nil : (reason, count)
        }
    }
}

/// How a judge that reads texts says the same in both orders.
public struct OrderReport: Sendable, Hashable {
    /// Pairs of different responses with a winner or a tie in both orders.
    public var count = 0
    /// Pairs with the same verdict in both orders.
    public var agreeing = 0
    /// Pairs where each order names another winner: the judge named a place, not a response.
    public var flips = 0
    /// Verdicts that name the response shown first, and all that name one.
    public var namedFirst = 0
    public var named = 0
    /// Pairs without a verdict in at least one order.
    public var unparsed = 0

    public var agreement: Double? { count == 0 ? nil : Double(agreeing) / Double(count) }
}

extension Verdicts {
    /// Nil from judges that read no text.
    public var orders: OrderReport? {
        guard comparisons.contains(where: { $0.orders != nil }) else { return nil }
        var report = OrderReport()
        for orders in comparisons.compactMap(\.orders) {
            guard !orders.contains(.unparsed) else {
                report.unparsed += 1
                continue
            }
            // A response beside itself is the control's.
            guard orders.count == 2 else { continue }
            report.count += 1
            if orders[0] == orders[1] { report.agreeing += 1 }
            if Set(orders) == [.win, .loss] { report.flips += 1 }
            report.named += orders.count { $0 != .tie }
            report.namedFirst += (orders[0] == .win ? 1 : 0) + (orders[1] == .loss ? 1 : 0)
        }
        return report
    }
}

/// Decides which of two responses follows a constitution better.
public protocol Judge: Sendable {
    var name: String { get }
    /// Judges the pairs, all of them or until `progress` answers `.stop`. A judge with a model asks
    /// it before every block.
    ///
    /// - Throws: `AlignmentError.unknownQuery` for a pair whose query is not among the judge's
    ///   queries.
    func judge(
        _ pairs: [ResponsePair], progress: (WorkProgress) -> Continuation
    ) throws -> Verdicts
}

extension Judge {
    public func judge(_ pairs: [ResponsePair]) throws -> Verdicts {
        try judge(pairs, progress: { _ in .more })
    }
}
