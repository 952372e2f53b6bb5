import LongWork
import Transformers

/// The result of measuring a response against one principle.
public enum Adherence: Sendable, Hashable {
    case follows
    case breaks
    /// The program does not know the principle or the query.
    case unknown
}

/// A program that decides adherence exactly, such as that of the shipped world.
public protocol Measure: Sendable {
    /// - Throws: an error of a program that a person wrote; `Canceled` if the person stops it.
    func adherence(
        of response: String, to principle: String, for query: Query
    ) throws -> Adherence
    func isMalformed(_ response: String, for query: Query) -> Bool
}

/// The response that follows more principles wins; equal numbers tie.
///
/// A principle that the measure does not know counts for neither side and is reported. A pair
/// without any known principle is excluded.
public struct MeasuredJudge: Judge {
    public let measure: any Measure
    private let queries: QueryList
    public var name: String { "measured" }

    /// - Parameter queries: the queries of the pairs.
    /// - Throws: `AlignmentError.noQueries`, `.duplicateQuery`.
    public init(_ measure: any Measure, queries: [Query]) throws {
        self.measure = measure
        self.queries = try QueryList(queries)
    }

    public func judge(
        _ pairs: [ResponsePair], progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> Verdicts {
        guard !pairs.isEmpty else { throw AlignmentError.noQueries }
        var comparisons: [Comparison] = []
        var unknown: [String] = []
        var order: [String] = []
        var tallies: [String: (count: Int, first: Int, second: Int)] = [:]
        var isStopped = false
        for pair in pairs {
            let query = try queries.query(of: pair)
            var followed = (first: 0, second: 0)
            var known = 0
            let measured: [(first: Adherence, second: Adherence)]
            do {
                measured = try pair.constitution.slots.map { slot in
                    (
                        try measure.adherence(of: pair.first, to: slot.text, for: query),
                        try measure.adherence(of: pair.second, to: slot.text, for: query)
                    )
                }
            } catch is Canceled {
                isStopped = true
                break
            }
            for (slot, (first, second)) in zip(pair.constitution.slots, measured) {
                guard first != .unknown, second != .unknown else {
                    if !unknown.contains(slot.text) { unknown.append(slot.text) }
                    continue
                }
                known += 1
                followed.first += first == .follows ? 1 : 0
                followed.second += second == .follows ? 1 : 0
                if tallies[slot.text] == nil { order.append(slot.text) }
                var tally = tallies[slot.text] ?? (0, 0, 0)
                tally.count += 1
                tally.first += first == .follows ? 1 : 0
                tally.second += second == .follows ? 1 : 0
                tallies[slot.text] = tally
            }
            let malformed = [pair.first, pair.second].map {
                measure.isMalformed($0, for: query)
            }
            comparisons.append(
                Comparison(
                    pair: pair,
                    judgement: known == 0
                        ? nil : Judgement(Double(followed.first), Double(followed.second)),
                    exclusion: known == 0 ? .unknownPrinciples : nil,
                    scores: known == 0 ? [] : [Double(followed.first), Double(followed.second)],
                    malformed: malformed))
            let step = WorkProgress(
                .judge, done: comparisons.count, of: pairs.count, unit: .comparisons)
            if progress(step) == .stop {
                isStopped = comparisons.count < pairs.count
                break
            }
        }
        let principles = order.compactMap { principle in
            tallies[principle].map { tally in
                PrincipleTally(
                    principle: principle, count: tally.count,
                    first: Double(tally.first) / Double(tally.count),
                    second: Double(tally.second) / Double(tally.count))
            }
        }
        return Verdicts(
            judge: name, comparisons: comparisons, unknownPrinciples: unknown,
            principles: principles, isStopped: isStopped)
    }
}

extension Judgement {
    /// The larger score wins; scores closer than `tolerance` are a tie.
    init(_ first: Double, _ second: Double, tolerance: Double = 0) {
        if abs(first - second) <= tolerance {
            self = .tie
        } else {
            self = first > second ? .win : .loss
        }
    }
}
