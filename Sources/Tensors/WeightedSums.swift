import CProcessor

/// C · B as weighted sums of the rows of B, for matrices as small as those of one attention head.
/// There, BLAS spends more time on call overhead and packing than on arithmetic.
package enum WeightedSums {
    package static let rowsTogether = Int(outerRows)
    private static let columnsTogether = 16

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
                weightedLines(
                    group.count,
                    c.start + (first * c.rowStride + terms.lowerBound * c.columnStride),
                    c.rowStride, c.columnStride, b + (terms.lowerBound * stride + column), stride,
                    terms.count, out + (first * outStride + column), outStride, accumulate)
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
}
