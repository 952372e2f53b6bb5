/// Sums of rows with weights, for matrices as small as those of one attention head, where BLAS spends
/// more on its calls and on its own order of elements than on the sums.
package enum WeightedSums {
    private static let rowsTogether = 6
    private static let columnsTogether = 16

    private typealias Lanes = SIMD8<Float>

    /// A matrix of weights c, whose elements lie so far apart; its transpose has the strides exchanged.
    package struct Weights {
        let start: UnsafePointer<Float>
        let rowStride, columnStride: Int

        package init(_ start: UnsafePointer<Float>, rowStride: Int, columnStride: Int) {
            (self.start, self.rowStride, self.columnStride) = (start, rowStride, columnStride)
        }
    }

    /// out[i] (+)= Σ_j c[i, j] · b[j] for `count` rows of out, `size` elements each.
    ///
    /// - Parameter terms: given some neighbouring i, the j for which any of their weights is not zero.
    ///   The other weights are not read.
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

    /// Up to six rows by sixteen columns: twelve vectors of sums, which stay in registers.
    @inline(never)
    private static func tile(
        _ c: Weights, _ group: Range<Int>, _ terms: Range<Int>, _ b: UnsafePointer<Float>,
        _ stride: Int, _ out: UnsafeMutablePointer<Float>, _ outStride: Int, _ accumulate: Bool
    ) {
        // Where there are fewer rows, the last one stands for those that are missing.
        func weights(_ row: Int) -> UnsafePointer<Float> {
            c.start + (min(group.lowerBound + row, group.upperBound - 1) * c.rowStride)
        }
        let (c0, c1, c2) = (weights(0), weights(1), weights(2))
        let (c3, c4, c5) = (weights(3), weights(4), weights(5))
        var (a0, a1, a2, a3, a4, a5) = (
            Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero
        )
        var (b0, b1, b2, b3, b4, b5) = (a0, a1, a2, a3, a4, a5)
        var place = UnsafeRawPointer(b + terms.lowerBound * stride)
        var at = terms.lowerBound * c.columnStride
        for _ in 0..<terms.count {
            let left = place.loadUnaligned(as: Lanes.self)
            let right = place.loadUnaligned(fromByteOffset: 32, as: Lanes.self)
            var weight = Lanes(repeating: c0[at])
            a0 = a0.addingProduct(left, weight)
            b0 = b0.addingProduct(right, weight)
            weight = Lanes(repeating: c1[at])
            a1 = a1.addingProduct(left, weight)
            b1 = b1.addingProduct(right, weight)
            weight = Lanes(repeating: c2[at])
            a2 = a2.addingProduct(left, weight)
            b2 = b2.addingProduct(right, weight)
            weight = Lanes(repeating: c3[at])
            a3 = a3.addingProduct(left, weight)
            b3 = b3.addingProduct(right, weight)
            weight = Lanes(repeating: c4[at])
            a4 = a4.addingProduct(left, weight)
            b4 = b4.addingProduct(right, weight)
            weight = Lanes(repeating: c5[at])
            a5 = a5.addingProduct(left, weight)
            b5 = b5.addingProduct(right, weight)
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
        put(0, a0, b0)
        put(1, a1, b1)
        put(2, a2, b2)
        put(3, a3, b3)
        put(4, a4, b4)
        put(5, a5, b5)
    }
}
