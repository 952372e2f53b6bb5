/// C · B as weighted sums of the rows of B, for matrices as small as those of one attention head.
/// There, BLAS spends more time on call overhead and packing than on arithmetic.
package enum WeightedSums {
    private static let rowsTogether = 6
    private static let columnsTogether = 16

    private typealias Lanes = SIMD8<Float>

    /// The matrix C with its strides; exchanging the strides gives its transpose.
    package struct Weights {
        let start: UnsafePointer<Float>
        let rowStride, columnStride: Int

        package init(_ start: UnsafePointer<Float>, rowStride: Int, columnStride: Int) {
            (self.start, self.rowStride, self.columnStride) = (start, rowStride, columnStride)
        }
    }

    /// out[i] (+)= Σ_j c[i, j] · b[j] for `count` rows of out, `size` elements each.
    ///
    /// - Parameter terms: gives, for neighboring rows i, the range of j in which C may be nonzero.
    ///   Weights outside this range are not read.
    @inline(__always)
    package static func add(
        _ c: Weights, _ b: UnsafePointer<Float>, stride: Int, size: Int,
        to out: UnsafeMutablePointer<Float>, stride outStride: Int, count: Int, accumulate: Bool,
        terms: (Range<Int>) -> Range<Int>
    ) {
        var first = 0
        while first < count {
            let group = first..<min(first &+ rowsTogether, count)
            let terms = terms(group)
            var column = 0
            while column &+ columnsTogether <= size {
                tile(
                    c, group, terms, b + column, stride, out + (first * outStride + column),
                    outStride, accumulate)
                column &+= columnsTogether
            }
            while column < size {
                for i in group {
                    var sum: Float = 0
                    for j in terms {
                        sum +=
                            c.start[i * c.rowStride + j * c.columnStride] * b[j * stride + column]
                    }
                    let place = i * outStride + column
                    out[place] = accumulate ? out[place] + sum : sum
                }
                column &+= 1
            }
            first &+= rowsTogether
        }
    }

    /// Up to six rows by sixteen columns.
    @inline(never)
    private static func tile(
        _ c: Weights, _ group: Range<Int>, _ terms: Range<Int>, _ b: UnsafePointer<Float>,
        _ stride: Int, _ out: UnsafeMutablePointer<Float>, _ outStride: Int, _ accumulate: Bool
    ) {
        let weights = MicroKernel6x16.Six(
            c.start + group.lowerBound * c.rowStride, stride: c.rowStride, count: group.count)
        var sums = MicroKernel6x16()
        var place = UnsafeRawPointer(b + terms.lowerBound * stride)
        var at = terms.lowerBound * c.columnStride
        for _ in 0..<terms.count {
            sums.add(place, weights, at)
            at &+= c.columnStride
            place += stride &* 4
        }
        func put(_ row: Int, _ left: Lanes, _ right: Lanes) {
            guard row < group.count else { return }
            let target = UnsafeMutableRawPointer(out + row * outStride)
            var (left, right) = (left, right)
            if accumulate {
                left += target.loadUnaligned(as: Lanes.self)
                right += target.loadUnaligned(fromByteOffset: 32, as: Lanes.self)
            }
            target.storeBytes(of: left, as: Lanes.self)
            target.storeBytes(of: right, toByteOffset: 32, as: Lanes.self)
        }
        put(0, sums.a0, sums.b0)
        put(1, sums.a1, sums.b1)
        put(2, sums.a2, sums.b2)
        put(3, sums.a3, sums.b3)
        put(4, sums.a4, sums.b4)
        put(5, sums.a5, sums.b5)
    }
}
