import Foundation

/// How the places of an axis follow its numbers.
package enum AxisScale: Sendable {
    case linear
    /// Equal distances for equal ratios.
    case log

    /// Whether a number has a place.
    package func holds(_ value: Double) -> Bool {
        value.isFinite && (self == .linear || value > 0)
    }
}

/// One axis of a chart: a range, its scale, and round numbers along it.
struct Axis {
    let range: ClosedRange<Double>
    let scale: AxisScale
    /// Whether the axis counts items, which have no fractions.
    let isWhole: Bool

    /// The smallest axis that holds the numbers; nil if the scale holds none of them.
    init?(_ values: [Double], _ scale: AxisScale = .linear, isWhole: Bool = false) {
        var (low, high) = (Double.infinity, -Double.infinity)
        for value in values where scale.holds(value) {
            (low, high) = (min(low, value), max(high, value))
        }
        guard low <= high else { return nil }
        range = low...high
        self.scale = scale
        self.isWhole = isWhole
    }

    /// The place of a number, from 0 to 1; the middle of a range without extent.
    func share(_ value: Double) -> Double {
        func place(_ value: Double) -> Double { scale == .log ? log10(value) : value / 2 }
        let (low, high) = (place(range.lowerBound), place(range.upperBound))
        return high > low ? (place(value) - low) / (high - low) : 0.5
    }

    /// - Parameter count: the largest number of ticks.
    func ticks(_ count: Int) -> Ticks {
        scale == .log
            ? Ticks(logarithmic: range, count: count)
            : Ticks(range, count: count, isWhole: isWhole)
    }
}

/// Round numbers along an axis.
struct Ticks {
    let values: [Double]
    /// The same as text, with as many decimals as the distance needs.
    let labels: [String]

    private init(_ values: [Double], _ labels: [String]) {
        (self.values, self.labels) = (values, labels)
    }

    /// - Parameters:
    ///   - count: the largest number of ticks.
    ///   - isWhole: whether the axis counts items, which have no fractions.
    init(_ range: ClosedRange<Double>, count: Int, isWhole: Bool = false) {
        let (low, high) = (range.lowerBound, range.upperBound)
        let least = (high - low) / Double(max(1, count))
        guard least > 0, least.isFinite, count > 1 else {
            let ends = high > low ? [low, high] : [low]
            values = ends
            labels = ends.map { NumberText.significant($0, digits: 6) }
            return
        }
        var step = Ticks.step(atLeast: least)
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

    /// Powers of ten, or 1, 2 and 5 times each where there is room; equal distances where the range
    /// has fewer than two of those.
    init(logarithmic range: ClosedRange<Double>, count: Int) {
        let (low, high) = (range.lowerBound, range.upperBound)
        let powers = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
        func found(_ factors: [Double], every step: Int) -> [Double] {
            var numbers: [Double] = []
            for power in stride(from: powers.lowerBound, through: powers.upperBound, by: step) {
                let unit = pow(10, Double(power))
                numbers += factors.map { $0 * unit }
            }
            return numbers.filter { $0 >= low * (1 - 1e-9) && $0 <= high * (1 + 1e-9) }
        }
        var candidates = found([1, 2, 5], every: 1)
        var step = 1
        while candidates.count > max(2, count) {
            candidates = found([1], every: step)
            step += 1
        }
        self =
            candidates.count > 1
            ? Ticks(candidates, candidates.map { NumberText.significant($0, digits: 3) })
            : Ticks(range, count: count)
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
