import Foundation

/// The win rate for responses of equal length.
///
/// A logistic regression of the outcome on the difference in length gives the rate at difference
/// zero (docs/JUDGING.md): `P(win) = σ(a + b·d)`, where `d` is the difference divided by its root
/// mean square. A tie is an outcome of ½. One tie at zero difference is added to the data, and `b`
/// has a normal prior of standard deviation 3, so that a rate exists even when every comparison is
/// won.
///
/// After Dubois, Galambosi, Liang, Hashimoto: Length-controlled AlpacaEval, 2024, with the one term
/// that a comparison of two fixed models needs.
public struct LengthControl: Sendable, Codable, Hashable {
    /// `σ(a)`, the win rate at equal lengths.
    public var rate: Double
    /// 95 %: `σ(a ± 1.96 · standard error of a)`.
    public var interval: Interval
    /// `b`, in logits for a difference of one root mean square. It is positive if longer responses
    /// tend to win.
    public var slope: Double

    /// - Parameters:
    ///   - outcomes: 1 for a win, ½ for a tie, 0 for a loss.
    ///   - differences: length of the first response minus length of the second, in any unit.
    ///   - observations: how many comparisons are independent evidence; nil if all are. The
    ///     interval widens with the root of their share.
    /// - Returns: `nil` if there is no comparison, or if the lists have unequal lengths.
    public init?(outcomes: [Double], differences: [Double], observations: Int? = nil) {
        guard !outcomes.isEmpty, outcomes.count == differences.count else { return nil }
        let square = differences.reduce(0) { $0 + $1 * $1 } / Double(differences.count)
        let scale = square > 0 ? square.squareRoot() : 1
        let scaled = differences.map { $0 / scale }
        let priorPrecision = 1.0 / 9

        var level = 0.0
        var slope = 0.0
        var information = (0.0, 0.0, 0.0)
        // Newton's method on a concave function, with a limited step length against overshooting.
        for _ in 0..<200 {
            let center = 1 / (1 + exp(-level))
            var gradient = (0.5 - center, -priorPrecision * slope)
            information = (center * (1 - center), 0, priorPrecision)
            for (outcome, x) in zip(outcomes, scaled) {
                let p = 1 / (1 + exp(-(level + slope * x)))
                gradient.0 += outcome - p
                gradient.1 += (outcome - p) * x
                let weight = p * (1 - p)
                information.0 += weight
                information.1 += weight * x
                information.2 += weight * x * x
            }
            let determinant = information.0 * information.2 - information.1 * information.1
            guard determinant > 0 else { break }
            var step = (
                (information.2 * gradient.0 - information.1 * gradient.1) / determinant,
                (information.0 * gradient.1 - information.1 * gradient.0) / determinant
            )
            let size = max(abs(step.0), abs(step.1))
            if size > 1 { step = (step.0 / size, step.1 / size) }
            level += step.0
            slope += step.1
            if size < 1e-12 { break }
        }
        let determinant = information.0 * information.2 - information.1 * information.1
        let repeats = Double(outcomes.count) / Double(max(1, observations ?? outcomes.count))
        let error =
            determinant > 0 ? (information.2 / determinant * repeats).squareRoot() : .infinity
        func share(_ logit: Double) -> Double { 1 / (1 + exp(-logit)) }
        rate = share(level)
        interval = Interval(
            lower: share(level - Interval.deviate * error),
            upper: share(level + Interval.deviate * error))
        self.slope = slope
    }
}
