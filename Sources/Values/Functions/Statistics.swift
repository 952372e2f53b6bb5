/// Statistics in double precision, with numpy's definitions.
enum Statistics {
    /// The sum in the order in which numpy adds float64: pairwise, in blocks of eight partial sums,
    /// so that the error grows with the logarithm of the count.
    static func pairwiseSum(_ values: ArraySlice<Double>) -> Double {
        let count = values.count
        let start = values.startIndex
        if count < 8 { return values.reduce(0, +) }
        guard count <= 128 else {
            let half = count / 2 - count / 2 % 8
            return pairwiseSum(values[start..<start + half])
                + pairwiseSum(values[(start + half)...])
        }
        var sums = Array(values[start..<start + 8])
        var place = 8
        while place + 8 <= count {
            for lane in 0..<8 { sums[lane] += values[start + place + lane] }
            place += 8
        }
        let total =
            ((sums[0] + sums[1]) + (sums[2] + sums[3]))
            + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
        return values[(start + place)...].reduce(total, +)
    }

    static func mean(_ values: [Double]) -> Double {
        pairwiseSum(values[...]) / Double(values.count)
    }

    /// Infinite or nan if no more than `less` values are there.
    static func variance(_ values: [Double], _ less: Int) -> Double {
        let mean = mean(values)
        let squares = values.map { ($0 - mean) * ($0 - mean) }
        return pairwiseSum(squares[...]) / Double(max(0, values.count - less))
    }

    /// The same of float32 numbers, without a copy of them as doubles.
    static func variance(_ values: [Float], _ less: Int) -> Double {
        let mean = Reduction.mean(values)
        let squares = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return squares / Double(max(0, values.count - less))
    }

    /// Linear between the two values that are nearest to the place; nan if any value is.
    static func quantile(
        _ values: [some BinaryFloatingPoint], _ share: Double
    ) -> Double {
        guard !values.contains(where: \.isNaN) else { return .nan }
        let sorted = values.sorted()
        let place = share * Double(sorted.count - 1)
        let below = Int(place.rounded(.down))
        let above = min(below + 1, sorted.count - 1)
        let (low, high) = (Double(sorted[below]), Double(sorted[above]))
        let part = place - Double(below)
        // Without a part of it, an infinite distance counts for nothing.
        guard low != high, part > 0 else { return low }
        // From the nearer end, as numpy does, so that both ends are exact.
        return part >= 0.5 ? high - (high - low) * (1 - part) : low + (high - low) * part
    }

    /// `count` numbers at equal distances, both ends included.
    static func evenly(from start: Double, to stop: Double, count: Int) -> [Double] {
        guard count > 1 else { return count == 1 ? [start] : [] }
        let step = (stop - start) / Double(count - 1)
        return (0..<count - 1).map { start + Double($0) * step } + [stop]
    }

    /// How many values fall between neighboring edges, which are at equal distances. An edge
    /// belongs to the bin above it, the last edge to the last bin.
    static func counts(of values: [Double], between edges: [Double]) -> [Int] {
        let bins = edges.count - 1
        guard let first = edges.first, let last = edges.last, bins > 0 else { return [] }
        var counts = [Int](repeating: 0, count: bins)
        for value in values where value >= first && value <= last {
            var bin = min(Int((value - first) / (last - first) * Double(bins)), bins - 1)
            // The division rounds; the edges decide.
            if value < edges[bin] { bin -= 1 }
            if bin + 1 < bins, value >= edges[bin + 1] { bin += 1 }
            counts[bin] += 1
        }
        return counts
    }

    /// Nan if one side does not vary.
    static func correlation(_ a: [Double], _ b: [Double]) -> Double {
        let (meanA, meanB) = (mean(a), mean(b))
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            ab += (x - meanA) * (y - meanB)
            aa += (x - meanA) * (x - meanA)
            bb += (y - meanB) * (y - meanB)
        }
        let result = ab / aa.squareRoot() / bb.squareRoot()
        return result.isNaN ? .nan : min(1, max(-1, result))
    }

    /// Nan if one vector is zero.
    static func cosine<Number: BinaryFloatingPoint>(
        _ a: ArraySlice<Number>, _ b: ArraySlice<Number>
    ) -> Double {
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return ab / (aa.squareRoot() * bb.squareRoot())
    }
}
