import CProcessor

/// Finds the smallest weight that a truncated distribution keeps, and draws from the kept weights.
/// It does not sort the vocabulary: bisection finds the few weights among which the threshold lies,
/// and only these are sorted.
package enum Nucleus {
    /// `exponential(-inf)` returns about 1e-38, not 0. Weights are relative to the maximum (1.0); a
    /// weight below this threshold counts as 0.
    package static let nothing: Float = 1e-30

    /// The k-th largest weight.
    package static func threshold(ofTop k: Int, _ weights: [Float]) -> Float {
        select(weights, least: 0) { count, _ in count >= k }
    }

    /// The largest w such that the weights ≥ w sum to at least `mass`.
    package static func threshold(
        ofMass mass: Double, _ weights: [Float], least: Float
    ) -> Float {
        select(weights, least: least) { _, sum in sum >= mass }
    }

    /// Σ of the weights that are at least `least`.
    package static func total(of weights: [Float], least: Float) -> Double {
        weights.withUnsafeBufferPointer { measure($0, $0.indices, least).sum }
    }

    /// The first weight ≥ `least` at which the running sum exceeds the fraction `uniform` of the
    /// total; the last such weight if rounding leaves none.
    package static func pick(_ weights: [Float], least: Float, uniform: Double) -> Int {
        weights.withUnsafeBufferPointer { all in
            var left = uniform * measure(all, all.indices, least).sum
            var first = 0
            while first < all.count {
                // Skips a block if the running sum stays too small after it.
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

    /// Number and sum of the weights of one block that are at least `least` and at most one.
    private static func measure(
        _ weights: UnsafeBufferPointer<Float>, _ range: Range<Int>, _ least: Float
    ) -> (count: Int, sum: Double) {
        guard let base = weights.baseAddress else { return (0, 0) }
        var (count, sum) = (0, 0.0)
        var i = range.lowerBound
        // Sums short runs in float32 and adds the runs in float64.
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

    /// Positive floats have the same order as their bits: 512 buckets for each power of two, up to
    /// 1.
    private static func bucket(_ weight: Float) -> Int { Int(weight.bitPattern >> 14) }
    private static func smallest(of bucket: Int) -> Float {
        Float(bitPattern: UInt32(bucket) << 14)
    }

    /// The largest w for which `enough(count, sum)` holds of the weights ≥ w; the smallest weight
    /// if it holds for none.
    /// - Parameter weights: in 0...1. Weights below `least`, and weights that count as 0, are
    ///   ignored.
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

    /// The weights between the edges.
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
