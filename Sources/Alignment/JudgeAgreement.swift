/// How far two judges agree about the same pairs of responses.
///
/// Cohen: A coefficient of agreement for nominal scales, 1960.
public struct JudgeAgreement: Sendable, Hashable {
    /// Number of pairs that both judged, for each verdict of the first judge (rows) and of the
    /// second (columns), in the order of `Judgement.allCases`.
    public let table: [[Int]]
    /// Number of pairs that only one of them judged.
    public let unmatched: Int

    /// - Returns: nil if no pair was judged by both.
    public init?(_ first: Verdicts, _ second: Verdicts) {
        func judged(_ verdicts: Verdicts) -> [ResponsePair: Judgement] {
            Dictionary(
                verdicts.comparisons.compactMap { comparison in
                    comparison.judgement.map { (comparison.pair, $0) }
                }, uniquingKeysWith: { first, _ in first })
        }
        let (ones, others) = (judged(first), judged(second))
        let cases = Judgement.allCases
        var table = [[Int]](repeating: [Int](repeating: 0, count: cases.count), count: cases.count)
        var count = 0
        for (pair, judgement) in ones {
            guard let other = others[pair], let row = cases.firstIndex(of: judgement),
                let column = cases.firstIndex(of: other)
            else { continue }
            table[row][column] += 1
            count += 1
        }
        guard count > 0 else { return nil }
        self.table = table
        unmatched = ones.count + others.count - 2 * count
    }

    /// Number of pairs that both judged.
    public var count: Int { table.joined().reduce(0, +) }

    /// The share of pairs with the same verdict.
    public var share: Double {
        Double(table.indices.reduce(0) { $0 + table[$1][$1] }) / Double(count)
    }

    /// The share that would agree by chance if each judge kept its shares of verdicts.
    public var chance: Double {
        let n = Double(count)
        return table.indices.reduce(0) { sum, index in
            let row = Double(table[index].reduce(0, +)) / n
            let column = Double(table.reduce(0) { $0 + $1[index] }) / n
            return sum + row * column
        }
    }

    /// Cohen's κ, `(share − chance) / (1 − chance)`: 1 for judges that always agree, 0 for
    /// agreement by chance. Nil if both give one verdict only.
    public var kappa: Double? { chance < 1 ? (share - chance) / (1 - chance) : nil }

    /// 95 %, from the usual standard error `√(share (1 − share) / n) / (1 − chance)`. That error is
    /// zero if all verdicts agree, or none, however few they are; then Wilson's bounds of the share
    /// stand in its place.
    public var interval: Interval? {
        if share == 0 || share == 1, chance < 1 {
            return Interval.wilson(successes: share * Double(count), of: count).map {
                Interval(
                    lower: max(-1, ($0.lower - chance) / (1 - chance)),
                    upper: min(1, ($0.upper - chance) / (1 - chance)))
            }
        }
        return kappa.map { kappa in
            let error = (share * (1 - share) / Double(count)).squareRoot() / (1 - chance)
            return Interval(
                lower: max(-1, kappa - Interval.deviate * error),
                upper: min(1, kappa + Interval.deviate * error))
        }
    }
}
