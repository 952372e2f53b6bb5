import NumberTypes
import TestSupport
import Testing

@testable import Tensors

/// Products compared with plain loops in double precision, at shapes around the sizes where another
/// kernel takes over.
@Suite struct ProductTests {
    /// yᵀ x in plain loops: y (N, M), x (N, K) → (M, K).
    private func slowGradient(_ y: Tensor, _ x: Tensor) -> [Double] {
        var out = [Double](repeating: 0, count: y.columns * x.columns)
        for n in 0..<y.rows {
            for i in 0..<y.columns {
                for j in 0..<x.columns {
                    out[i * x.columns + j] += Double(y[n, i]) * Double(x[n, j])
                }
            }
        }
        return out
    }

    /// Rows N, columns M of y, columns K of x: vectors, tails, and sizes that are divided by rows
    /// and by columns.
    @Test(arguments: [
        (1, 1, 1), (1, 5, 7), (2, 16, 3), (3, 17, 33), (7, 64, 1), (8, 1, 130), (64, 31, 9),
        (65, 130, 12), (200, 40, 64), (33, 300, 70), (33, 70, 300), (513, 48, 48),
    ])
    func theGradientOfAWeightEqualsPlainLoops(n: Int, m: Int, k: Int) {
        let (y, x) = (random([n, m], 1), random([n, k], 2))
        let wanted = slowGradient(y, x)
        // Sums grow with the root of their length. The kernels of OpenBLAS for AVX-512 add 513
        // products in one chain, and the largest sum here is off by 2.6e-6 times that root.
        let tolerance = 4e-6 * Double(n).squareRoot()
        var out = Tensor(repeating: .nan, shape: [m, k])
        multiply(transposed: y, x, into: &out)
        expectClose(out.values, wanted, within: tolerance, scale: 1, "yᵀx")
        multiply(transposed: y, x, into: &out, accumulate: true)
        expectClose(out.values, wanted.map { 2 * $0 }, within: 2 * tolerance, scale: 1, "2 yᵀx")
    }

    /// Products with few columns, in one part of the sum and in several, and with one column more
    /// than such a product may have.
    @Test(arguments: [(65, 130, 16), (200, 600, 16), (71, 257, 32), (300, 513, 48), (97, 400, 17)])
    func productsWithFewColumnsEqualPlainLoops(n: Int, k: Int, r: Int) {
        let (x, a) = (random([n, k], 1), random([r, k], 2))
        let wanted = slowProduct(x, transposed: a).values.map(Double.init)
        var b = Tensor(zeros: [k, r])
        for i in 0..<r { for j in 0..<k { b[j, i] = a[i, j] } }
        // Five standard deviations of a kernel that adds the terms one after the other, as that for
        // AVX-512 does: each of k steps rounds a sum that has grown to the root of its terms.
        let tolerance = 1.3e-7 * Double(k)
        var (first, second) = (
            Tensor(repeating: .nan, shape: [n, r]), Tensor(repeating: .nan, shape: [n, r])
        )
        multiply(x, transposed: a, into: &first)
        multiply(x, b, into: &second)
        expectClose(first.values, wanted, within: tolerance, scale: 1, "x aᵀ")
        expectClose(second.values, wanted, within: tolerance, scale: 1, "x b")
        multiply(x, transposed: a, into: &first, accumulate: true)
        multiply(x, b, into: &second, accumulate: true)
        expectClose(
            first.values, wanted.map { 2 * $0 }, within: 2 * tolerance, scale: 1, "2 x aᵀ")
        expectClose(second.values, wanted.map { 2 * $0 }, within: 2 * tolerance, scale: 1, "2 x b")
    }

    @Test func noRowsGiveZerosOrLeaveTheSum() {
        let (y, x) = (Tensor(zeros: [0, 3]), Tensor(zeros: [0, 2]))
        var sum = Tensor(repeating: 4, shape: [3, 2])
        multiply(transposed: y, x, into: &sum, accumulate: true)
        #expect(sum.values == [Float](repeating: 4, count: 6))
        multiply(transposed: y, x, into: &sum)
        #expect(sum.values == [Float](repeating: 0, count: 6))
    }

    /// Several weights at once give the same bits as each alone.
    @Test(arguments: [1, 2, 5, 40], StoredFormat.computed)
    func severalWeightsAtOnceAreEachAsAlone(rows: Int, format: StoredFormat) {
        let x = random([rows, 384], 1)
        let weights = [
            random([9, 384], 2), random([640, 384], 3), random([1, 384], 4), random([63, 384], 5),
        ]
        .map { $0.converted(to: format) }
        let together = multiply(x, transposed: weights)
        for (weight, found) in zip(weights, together) {
            var alone = Tensor(uninitialized: [rows, weight.rows])
            multiply(x, transposed: weight, into: &alone)
            #expect(found == alone)
            expectClose(found, slowProduct(x, transposed: weight), within: 3e-5)
        }
    }
}
