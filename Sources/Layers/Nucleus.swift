import CProcessor
import Tensors

/// The smallest weight that a truncated distribution keeps, and draws from what is kept. No sort of
/// the vocabulary: halving finds the few weights among which the threshold lies, and these alone
/// are sorted.
package enum Nucleus {
    /// The exponential of −∞ is not quite zero; what is below this beside a weight of one is.
    package static let nothing: Float = 1e-30

    /// The k-th largest weight.
    package static func threshold(ofTop k: Int, _ weights: [Float]) -> Float {
        select(weights, least: 0) { count, _ in count >= k }
    }

    /// The largest w such that the weights of at least w add up to `mass`.
    package static func threshold(
        ofMass mass: Double, _ weights: [Float], least: Float
    ) -> Float {
        select(weights, least: least) { _, sum in sum >= mass }
    }

    /// Σ of the weights that are at least `least`.
    package static func total(of weights: [Float], least: Float) -> Double {
        weights.withUnsafeBufferPointer { measure($0, $0.indices, least).sum }
    }

    /// The first weight that is at least `least` and where the sum of those so far exceeds
    /// `uniform` of them all; the last such where rounding leaves none.
    package static func pick(_ weights: [Float], least: Float, uniform: Double) -> Int {
        weights.withUnsafeBufferPointer { all in
            var left = uniform * measure(all, all.indices, least).sum
            var first = 0
            while first < all.count {
                // A block that does not reach it is passed over by its sum.
                let block = first..<min(first + 256, all.count)
                let sum = measure(all, block, least).sum
                first = block.upperBound
                if sum < left, first < all.count {
                    left -= sum
                    continue
                }
                for i in block where all[i] >= least {
                    left -= Double(all[i])
                    if left < 0 { return i }
                }
            }
            return all.lastIndex { $0 >= least } ?? 0
        }
    }

    /// Number and sum of the weights of some block that are at least `least`, and one at most.
    private static func measure(
        _ weights: UnsafeBufferPointer<Float>, _ range: Range<Int>, _ least: Float
    ) -> (count: Int, sum: Double) {
        guard let base = weights.baseAddress else { return (0, 0) }
        var (count, sum) = (0, 0.0)
        var i = range.lowerBound
        // Short runs in float32, added up in float64.
        while i &+ 16 <= range.upperBound {
            let end = min(i &+ 1024, range.upperBound)
            var (ones, sums) = (Vector.zero, Vector.zero)
            while i &+ 16 <= end {
                let weight = base.vector(i)
                let takesPart = weight .>= least .& (weight .<= 1)
                ones += Vector.zero.replacing(with: 1, where: takesPart)
                sums += Vector.zero.replacing(with: weight, where: takesPart)
                i &+= 16
            }
            count += Int(ones.sum())
            sum += Double(sums.sum())
        }
        while i < range.upperBound {
            if base[i] >= least, base[i] <= 1 {
                count += 1
                sum += Double(base[i])
            }
            i &+= 1
        }
        return (count, sum)
    }

    /// Positive numbers are ordered as their bits are: 512 buckets to each power of two, up to 1.
    private static func bucket(_ weight: Float) -> Int { Int(weight.bitPattern >> 14) }
    private static func smallest(of bucket: Int) -> Float {
        Float(bitPattern: UInt32(bucket) << 14)
    }

    /// The largest w for which `enough(count, sum)` holds of the weights at or above it; the
    /// smallest weight when it holds of none.
    /// - Parameter weights: in 0...1; those below `least`, and nothings, do not count.
    private static func select(
        _ weights: [Float], least: Float, enough: (Int, Double) -> Bool
    ) -> Float {
        weights.withUnsafeBufferPointer { all in
            let floor = max(least, nothing)
            func above(_ weight: Float) -> (count: Int, sum: Double) {
                measure(all, all.indices, max(weight, floor))
            }
            // The threshold lies in a bucket of low..<high.
            var (low, high) = (bucket(min(floor, 1)), bucket(1) + 1)
            while high - low > 1 {
                let middle = low + (high - low) / 2
                let found = above(smallest(of: middle))
                if enough(found.count, found.sum) { low = middle } else { high = middle }
            }
            var (count, sum) = above(smallest(of: high))
            var threshold = least
            let edges = max(smallest(of: low), floor)..<smallest(of: high)
            for weight in candidates(all, edges).sorted(by: >) {
                count += 1
                sum += Double(weight)
                threshold = weight
                if enough(count, sum) { break }
            }
            return threshold
        }
    }

    /// The weights that lie between the edges.
    private static func candidates(
        _ weights: UnsafeBufferPointer<Float>, _ edges: Range<Float>
    ) -> [Float] {
        guard let base = weights.baseAddress else { return [] }
        var found: [Float] = []
        var i = 0
        while i &+ 16 <= weights.count {
            let weight = base.vector(i)
            let isBetween = weight .>= edges.lowerBound .& (weight .< edges.upperBound)
            if largestLane(Vector.zero.replacing(with: weight, where: isBetween)) > 0 {
                for lane in i..<i &+ 16 where edges.contains(base[lane]) {
                    found.append(base[lane])
                }
            }
            i &+= 16
        }
        while i < weights.count {
            if edges.contains(base[i]) { found.append(base[i]) }
            i &+= 1
        }
        return found
    }
}
