/// A 95 % confidence interval.
public struct Interval: Sendable, Codable, Hashable {
    public var lower: Double
    public var upper: Double

    public init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// The 97.5th percentile of the standard normal distribution.
    static let deviate = 1.959963984540054

    /// Wilson's score interval for a share. It stays within 0…1 and does not shrink to nothing when
    /// every comparison is won. A tie counts as half a success. The formula treats a tie as a coin
    /// toss, which has a larger variance, so ties make the interval wider than necessary, never
    /// narrower.
    ///
    /// Wilson: Probable inference, the law of succession, and statistical inference, 1927.
    ///
    /// - Parameter successes: from 0 to `count`; may be a multiple of ½.
    public static func wilson(successes: Double, of count: Int) -> Interval? {
        guard count > 0 else { return nil }
        let n = Double(count)
        let share = successes / n
        let z2 = deviate * deviate
        let center = (share + z2 / (2 * n)) / (1 + z2 / n)
        let inner = max(0, share * (1 - share) / n + z2 / (4 * n * n))
        let half = deviate / (1 + z2 / n) * inner.squareRoot()
        return Interval(lower: max(0, center - half), upper: min(1, center + half))
    }
}
