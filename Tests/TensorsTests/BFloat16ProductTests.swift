import NumberTypes
import TestSupport
import Testing

@testable import Tensors

/// Products in bfloat16 compared with plain loops over the rounded operands.
@Suite struct BFloat16ProductTests {
    /// The slow kernel, and the processor's where it has one.
    static let kernels: [BFloat16Matmul.Kernel] =
        [.portable] + (BFloat16Matmul.available == .instruction ? [.instruction] : [])

    /// Rows N, columns M and terms K: one tile, tails of tiles and panels, an odd number of terms,
    /// more terms than one block holds, enough rows for x to be the left side.
    static let shapes = [
        (128, 40, 66), (131, 40, 65), (150, 300, 48), (135, 24, 2050),
        (1, 1, 1), (12, 16, 2), (13, 17, 3), (9, 12, 64), (16, 24, 31), (33, 40, 65),
        (70, 301, 130), (40, 36, 2049), (17, 25, 4100),
    ]

    private func rounded(_ x: Tensor) -> Tensor {
        x.converted(to: .bfloat16).converted(to: .float32)
    }

    private func transposed(_ x: Tensor) -> Tensor {
        var out = Tensor(uninitialized: [x.columns, x.rows])
        for i in 0..<x.rows { for j in 0..<x.columns { out[j, i] = x[i, j] } }
        return out
    }

    @Test(arguments: kernels, shapes)
    func `the three products equal plain loops over rounded numbers`(
        kernel: BFloat16Matmul.Kernel, shape: (Int, Int, Int)
    ) {
        let (n, m, k) = shape
        let (x, w) = (random([n, k], 1), random([m, k], 2))
        let wanted = slowProduct(rounded(x), transposed: rounded(w)).values.map(Double.init)
        let tolerance = 4e-6 * Double(k).squareRoot()
        let fast = BFloat16Matmul(kernel)
        func check(_ name: String, _ product: (inout Tensor, Bool) -> Void) {
            var out = Tensor(repeating: .nan, shape: [n, m])
            product(&out, false)
            expectClose(out.values, wanted, within: tolerance, scale: 1, name)
            product(&out, true)
            expectClose(
                out.values, wanted.map { 2 * $0 }, within: 2 * tolerance, scale: 1, "2 \(name)")
        }
        let formats = [StoredFormat.float32, .bfloat16]
        for (xFormat, wFormat) in formats.flatMap({ a in formats.map { (a, $0) } }) {
            let names = "\(xFormat.name) by \(wFormat.name)"
            let (rows, weight) = (x.converted(to: xFormat), w.converted(to: wFormat))
            check("x wᵀ, \(names)") {
                fast.multiply(rows, transposed: weight, into: &$0, accumulate: $1)
            }
            let columns = transposed(w).converted(to: wFormat)
            check("x w, \(names)") { fast.multiply(rows, columns, into: &$0, accumulate: $1) }
            let xColumns = transposed(x).converted(to: xFormat)
            check("yᵀ x, \(names)") {
                fast.multiply(transposed: xColumns, columns, into: &$0, accumulate: $1)
            }
        }
    }

    @Test(arguments: kernels, [41, 300])
    func `several weights at once give the bits of each alone`(
        kernel: BFloat16Matmul.Kernel, rows: Int
    ) {
        let fast = BFloat16Matmul(kernel)
        let x = random([rows, 66], 1)
        let weights = [random([50, 66], 2), random([130, 66], 3).converted(to: .bfloat16)]
        for (weight, found) in zip(weights, fast.multiply(x, transposed: weights)) {
            var alone = Tensor(uninitialized: [x.rows, weight.rows])
            fast.multiply(x, transposed: weight, into: &alone)
            #expect(found == alone)
        }
        let dys = [random([rows, 50], 4), random([rows, 37], 5).converted(to: .bfloat16)]
        let before = [random([50, 66], 6), random([37, 66], 7)]
        var sums = before
        fast.add(transposed: dys, x, to: &sums)
        for (i, dy) in dys.enumerated() {
            var alone = before[i]
            fast.multiply(transposed: dy, x, into: &alone, accumulate: true)
            #expect(sums[i] == alone)
        }
    }

    /// The side that is packed depends on the rows and the formats, the result does not.
    @Test(arguments: kernels)
    func `rows in bfloat16 give the bits of those that the product rounds`(
        kernel: BFloat16Matmul.Kernel
    ) {
        let fast = BFloat16Matmul(kernel)
        for rows in [20, 130, 400] {
            let x = random([rows, 66], 1)
            let (w, columns) = (random([90, 66], 2), random([66, 90], 3))
            let halves = x.converted(to: .bfloat16)
            #expect(fast.multiply(x, transposed: [w]) == fast.multiply(halves, transposed: [w]))
            var (a, b) = (Tensor(zeros: [rows, 90]), Tensor(zeros: [rows, 90]))
            fast.multiply(x, columns, into: &a)
            fast.multiply(halves, columns, into: &b)
            #expect(a == b)
        }
    }

    /// Blocks are rounded to bfloat16 first, so the bits are those of the rounded matrix.
    @Test(arguments: kernels)
    func `weights in blocks are multiplied as their bfloat16`(kernel: BFloat16Matmul.Kernel) {
        let fast = BFloat16Matmul(kernel)
        let (x, y, w) = (random([20, 96], 1), random([20, 70], 2), random([70, 96], 3))
        let blocks = w.converted(to: .q80)
        let plain = blocks.converted(to: .bfloat16)
        #expect(blocks.format == .q80)
        #expect(fast.multiply(x, transposed: [blocks]) == fast.multiply(x, transposed: [plain]))
        var (a, b) = (Tensor(uninitialized: [20, 96]), Tensor(uninitialized: [20, 96]))
        fast.multiply(y, blocks, into: &a)
        fast.multiply(y, plain, into: &b)
        #expect(a == b)
    }

    @Test(arguments: kernels)
    func `no terms give zeros or leave the sum`(kernel: BFloat16Matmul.Kernel) {
        let (y, x) = (Tensor(zeros: [0, 3]), Tensor(zeros: [0, 2]))
        var sum = Tensor(repeating: 4, shape: [3, 2])
        let fast = BFloat16Matmul(kernel)
        fast.multiply(transposed: y, x, into: &sum, accumulate: true)
        #expect(sum.values == [Float](repeating: 4, count: 6))
        fast.multiply(transposed: y, x, into: &sum)
        #expect(sum.values == [Float](repeating: 0, count: 6))
    }

    /// A number that is not finite reaches every sum that it takes part in, and no other.
    @Test(arguments: kernels, [Float.nan, -.nan, .infinity, Float(bitPattern: 0x7FFF_FFFF)])
    func `numbers that are not finite stay so`(kernel: BFloat16Matmul.Kernel, value: Float) {
        var x = random([20, 40], 1)
        x[7, 5] = value
        let w = random([33, 40], 2)
        var out = Tensor(zeros: [20, 33])
        BFloat16Matmul(kernel).multiply(x, transposed: w, into: &out)
        for row in 0..<20 {
            for column in 0..<33 { #expect(out[row, column].isFinite == (row != 7)) }
        }
    }

    @Test func `a processor without the instruction takes float32`() {
        #expect(BFloat16Matmul.kernel(setting: "off", hasInstruction: true) == nil)
        #expect(BFloat16Matmul.kernel(setting: nil, hasInstruction: false) == nil)
        #expect(BFloat16Matmul.kernel(setting: nil, hasInstruction: true) == .instruction)
        #expect(BFloat16Matmul.kernel(setting: "portable", hasInstruction: false) == .portable)
    }
}
