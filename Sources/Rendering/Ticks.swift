import Foundation

/// Round numbers along an axis.
struct Ticks {
    let values: [Double]
    /// The same as text, with as many decimals as the distance needs.
    let labels: [String]

    /// - Parameters:
    ///   - count: the largest number of ticks.
    ///   - isWhole: whether the axis counts items, which have no fractions.
    init(_ range: ClosedRange<Double>, count: Int, isWhole: Bool = false) {
        let (low, high) = (range.lowerBound, range.upperBound)
        guard high > low, high.isFinite, low.isFinite, count > 1 else {
            values = [low]
            labels = [NumberText.significant(low, digits: 6)]
            return
        }
        var step = Ticks.step(atLeast: (high - low) / Double(count))
        if isWhole { step = max(1, step.rounded()) }
        let first = (low / step).rounded(.up)
        // Multiples, not sums: sums would add up rounding errors.
        var found: [Double] = []
        var place = first
        while place * step <= high + step * 1e-9, found.count <= count {
            found.append(place * step)
            place += 1
        }
        values = found
        let decimals = max(0, Int((-log10(step)).rounded(.up)))
        let isPlain = decimals <= 6 && max(low.magnitude, high.magnitude) < 1e6
        // Enough digits that neighbors differ.
        let largest = max(low.magnitude, high.magnitude)
        let digits = max(4, Int(log10(largest / step).rounded(.up)) + 1)
        labels = found.map {
            isPlain
                ? NumberText.fixed($0, decimals: decimals)
                : NumberText.significant($0, digits: digits)
        }
    }

    /// 1, 2 or 5 times a power of ten.
    private static func step(atLeast least: Double) -> Double {
        let power = pow(10, log10(least).rounded(.down))
        for factor in [1.0, 2, 5, 10] where factor * power >= least * (1 - 1e-9) {
            return factor * power
        }
        return 10 * power
    }
}

/// The smallest ranges that contain the finite points of all lines.
struct ChartRange {
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>
    let isWholeX: Bool

    /// Nil if no point is finite.
    init?(_ lines: [(name: String, points: [(x: Double, y: Double)])]) {
        let points = lines.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard let left = points.map(\.x).min(), let right = points.map(\.x).max(),
            let low = points.map(\.y).min(), let high = points.map(\.y).max()
        else { return nil }
        x = left...right
        y = low...high
        isWholeX = points.allSatisfy { $0.x == $0.x.rounded() }
    }

    /// The place of a number in a range, from 0 to 1; the middle of a range without extent.
    static func share(_ value: Double, of range: ClosedRange<Double>) -> Double {
        range.upperBound > range.lowerBound
            ? (value - range.lowerBound) / (range.upperBound - range.lowerBound) : 0.5
    }
}
