import CProcessor

/// x wᵀ for few rows of x, as in token generation.
///
/// BLAS first copies w into a packed layout, and for few rows that copy costs more than the
/// product. Here w is read once, in place: first by packed panels of sixteen rows of x, then, for
/// the rows of x that are left, in tiles of three rows of x by four rows of w, with twelve sums in
/// registers.
struct SmallBatchMatmul {
    /// Largest number of rows of x for which this is faster than BLAS on the processors it was
    /// measured on.
    static let mostRows = 64
    private typealias Lanes = SIMD8<Float>

    /// The product x wᵀ for one w: the rows of w, and out (n, columns).
    struct Part {
        let w: UnsafePointer<Float>
        let columns: Int
        let out: UnsafeMutablePointer<Float>
    }

    private let x: Tensor
    /// The first rows of x, packed.
    private let panels: Tensor
    private let packedRows: Int

    /// Packs as many rows of x (N, K) as are worth packing.
    init(_ x: Tensor) {
        self.x = x
        packedRows = PackedMatmul.rows(of: x.rows)
        var panels = Tensor(
            uninitialized: [PackedMatmul.packedCount(rows: packedRows, x.columns)])
        PackedMatmul.pack(
            x.pointer, stride: x.columns, rows: packedRows, x.columns,
            into: panels.mutablePointer())
        self.panels = panels
    }

    /// Rows of w that are computed together.
    var strip: Int { packedRows > 0 ? PackedMatmul.stripColumns : 4 }

    /// Computes all columns of all parts (added to `out` with `accumulate`), divided among the
    /// workers as one piece of work.
    func multiply(_ parts: [Part], accumulate: Bool) {
        ColumnShares.forEach(parts.map(\.columns), terms: x.rows * x.columns) { index, columns in
            let part = parts[index]
            multiply(part.w, part.out, part.columns, columns, accumulate: accumulate)
        }
    }

    /// out[:, columns] = x wᵀ (+ out); w (m, k), out (n, m).
    func multiply(
        _ w: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ m: Int,
        _ columns: Range<Int>, accumulate: Bool
    ) {
        let (n, k) = (x.rows, x.columns)
        if packedRows > 0 {
            PackedMatmul.multiply(
                packed: panels.pointer, rows: packedRows, w, k, out, stride: m, columns,
                accumulate: accumulate)
        }
        if packedRows < n {
            Self.multiplyFew(
                x.pointer + packedRows * k, n - packedRows, w, k, out + packedRows * m, m, columns,
                accumulate: accumulate)
        }
    }

    private static func multiplyFew(
        _ x: UnsafePointer<Float>, _ n: Int, _ w: UnsafePointer<Float>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ columns: Range<Int>, accumulate: Bool
    ) {
        var column = columns.lowerBound
        while column &+ 4 <= columns.upperBound {
            let strip = w + column * k
            var row = 0
            while row &+ 3 <= n {
                tile(x + row * k, strip, k, out + (row * m + column), m, accumulate)
                row &+= 3
            }
            // One or two rows are left; two rows share the loads of w.
            if row &+ 2 == n {
                pair(x + row * k, strip, k, out + (row * m + column), m, accumulate)
            } else if row < n {
                line(x + row * k, strip, k, out + (row * m + column), accumulate)
            }
            column &+= 4
        }
        while column < columns.upperBound {
            for row in 0..<n {
                let sum = dot(x + row * k, w + column * k, k)
                let place = row * m + column
                out[place] = accumulate ? out[place] + sum : sum
            }
            column &+= 1
        }
    }

    @inline(__always)
    private static func load(_ pointer: UnsafePointer<Float>, _ offset: Int) -> Lanes {
        UnsafeRawPointer(pointer + offset).loadUnaligned(as: Lanes.self)
    }

    /// Three rows of x, four rows of w.
    @inline(__always)
    private static func tile(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ accumulate: Bool
    ) {
        let (y, z) = (x + k, x + 2 * k)
        let (w1, w2, w3) = (w + k, w + 2 * k, w + 3 * k)
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (c0, c1, c2, c3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var i = 0
        while i &+ 8 <= k {
            let (first, second, third) = (load(x, i), load(y, i), load(z, i))
            var weights = load(w, i)
            a0 = a0.addingProduct(first, weights)
            b0 = b0.addingProduct(second, weights)
            c0 = c0.addingProduct(third, weights)
            weights = load(w1, i)
            a1 = a1.addingProduct(first, weights)
            b1 = b1.addingProduct(second, weights)
            c1 = c1.addingProduct(third, weights)
            weights = load(w2, i)
            a2 = a2.addingProduct(first, weights)
            b2 = b2.addingProduct(second, weights)
            c2 = c2.addingProduct(third, weights)
            weights = load(w3, i)
            a3 = a3.addingProduct(first, weights)
            b3 = b3.addingProduct(second, weights)
            c3 = c3.addingProduct(third, weights)
            i &+= 8
        }
        var (top, middle, bottom) = (
            laneSums(a0, a1, a2, a3), laneSums(b0, b1, b2, b3), laneSums(c0, c1, c2, c3)
        )
        while i < k {
            let column = SIMD4(w[i], w1[i], w2[i], w3[i])
            top = top.addingProduct(column, SIMD4(repeating: x[i]))
            middle = middle.addingProduct(column, SIMD4(repeating: y[i]))
            bottom = bottom.addingProduct(column, SIMD4(repeating: z[i]))
            i &+= 1
        }
        write(top, out, accumulate)
        write(middle, out + m, accumulate)
        write(bottom, out + 2 * m, accumulate)
    }

    /// Two rows of x, four rows of w.
    @inline(__always)
    private static func pair(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ accumulate: Bool
    ) {
        let y = x + k
        let (w1, w2, w3) = (w + k, w + 2 * k, w + 3 * k)
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var i = 0
        while i &+ 8 <= k {
            let (first, second) = (load(x, i), load(y, i))
            let (c0, c1, c2, c3) = (load(w, i), load(w1, i), load(w2, i), load(w3, i))
            a0 = a0.addingProduct(first, c0)
            a1 = a1.addingProduct(first, c1)
            a2 = a2.addingProduct(first, c2)
            a3 = a3.addingProduct(first, c3)
            b0 = b0.addingProduct(second, c0)
            b1 = b1.addingProduct(second, c1)
            b2 = b2.addingProduct(second, c2)
            b3 = b3.addingProduct(second, c3)
            i &+= 8
        }
        var (top, bottom) = (laneSums(a0, a1, a2, a3), laneSums(b0, b1, b2, b3))
        while i < k {
            let column = SIMD4(w[i], w1[i], w2[i], w3[i])
            top = top.addingProduct(column, SIMD4(repeating: x[i]))
            bottom = bottom.addingProduct(column, SIMD4(repeating: y[i]))
            i &+= 1
        }
        write(top, out, accumulate)
        write(bottom, out + m, accumulate)
    }

    /// One row of x, four rows of w.
    @inline(__always)
    private static func line(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool
    ) {
        let (w1, w2, w3) = (w + k, w + 2 * k, w + 3 * k)
        var (a0, a1, a2, a3) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var i = 0
        while i &+ 16 <= k {
            let first = x.vector(i)
            a0 = a0.addingProduct(first, w.vector(i))
            a1 = a1.addingProduct(first, w1.vector(i))
            a2 = a2.addingProduct(first, w2.vector(i))
            a3 = a3.addingProduct(first, w3.vector(i))
            i &+= 16
        }
        var sums = laneSums(
            a0.lowHalf + a0.highHalf, a1.lowHalf + a1.highHalf, a2.lowHalf + a2.highHalf,
            a3.lowHalf + a3.highHalf)
        while i < k {
            sums = sums.addingProduct(
                SIMD4(w[i], w1[i], w2[i], w3[i]), SIMD4(repeating: x[i]))
            i &+= 1
        }
        write(sums, out, accumulate)
    }
}
