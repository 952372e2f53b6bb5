extension Tensor {
    /// Σ x², in double precision.
    public var squaredNorm: Double {
        var total = 0.0
        forEachRun { base, count in
            var i = 0
            // Sums short runs in float32 and adds the runs in float64: fast, and accurate enough
            // for any norm.
            while i < count {
                let length = min(1024, count - i)
                total += Double(dot(base + i, base + i, length))
                i += length
            }
        }
        return total
    }

    /// How many elements are NaN or infinite.
    public var nonFiniteCount: Int {
        var total = 0
        forEachRun { base, count in
            for i in 0..<count where !base[i].isFinite { total += 1 }
        }
        return total
    }

    /// Sets every element to zero.
    public mutating func clear() {
        if format != .float32 { self = Tensor(uninitialized: shape) }
        let (base, total) = (mutablePointer(), count)
        Workers.split(total, grain: 1 << 16) { range in
            (base + range.lowerBound).update(repeating: 0, count: range.count)
        }
    }

    public mutating func scale(by factor: Float) {
        let (base, total) = (mutablePointer(), count)
        Workers.split(total, grain: 1 << 15) { range in
            for i in range { base[i] *= factor }
        }
    }

    /// self += factor · other, for tensors of equal count.
    public mutating func add(_ other: Tensor, scaledBy factor: Float = 1) {
        require(count == other.count, "\(other.shape) is added to \(shape)")
        if other.format != .float32 { return add(other.converted(to: .float32), scaledBy: factor) }
        let (base, source, total) = (mutablePointer(), other.pointer, count)
        Workers.split(total, grain: 1 << 15) { range in
            accumulate(
                base + range.lowerBound, factor, source + range.lowerBound, range.count)
        }
    }
}
