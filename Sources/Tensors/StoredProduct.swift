/// Products with weights that are stored in sixteen bits, summed in float32.
///
/// A few rows, as in generation, are bound by the reading of the weights, so these are turned to
/// float32 in registers or in cache, four rows of them at a time, and read from memory once. More
/// rows go to BLAS, a panel of weights at a time, each panel turned to float32 by the worker that
/// needs it.
enum StoredProduct {
    /// Floats of a panel: it stays in cache between its conversion and its use.
    private static let panel = 1 << 19

    /// out = x wᵀ (+ out): x (N, K), w (M, K), out (N, M).
    static func multiply(
        _ x: Tensor, transposed w: Tensor, into out: inout Tensor, accumulate: Bool
    ) {
        let (n, k, m) = (x.rows, x.columns, w.rows)
        let (a, b, type, c) = (x.pointer, w.address, w.type, out.mutablePointer())
        guard n > 0, m > 0 else { return }
        let grain = n * k * m > 1 << 16 ? 4 : m
        if n > SkinnyProduct.mostRows {
            let height = max(16, panel / max(1, k))
            Workers.split(m, grain: max(16, grain)) { columns in
                withScratch(height * k) { scratch in
                    forEachPart(columns, height) { rows in
                        widen(b + rows.lowerBound * k * 2, type, rows.count * k, into: scratch)
                        blockProduct(
                            n, rows.count, k, a, k, transposeA: false, scratch, k,
                            transposeB: true, c + rows.lowerBound, m, accumulate: accumulate)
                    }
                }
            }
            return
        }
        if type == .bfloat16, n <= BFloatProduct.mostRows {
            let paired = BFloatProduct.paired(x)
            Workers.split(m, grain: grain) { columns in
                BFloatProduct.multiply(
                    paired.pointer, n, b.assumingMemoryBound(to: UInt16.self), k, c, m, columns,
                    accumulate)
            }
            withExtendedLifetime(paired) {}
            return
        }
        Workers.split(m, grain: grain) { columns in
            withScratch(4 * k) { scratch in
                forEachPart(columns, 4) { rows in
                    widen(b + rows.lowerBound * k * 2, type, rows.count * k, into: scratch)
                    // The strip's own columns of `out`, whose rows are m apart.
                    SkinnyProduct.multiply(
                        a, n, scratch, k, c + rows.lowerBound, m, 0..<rows.count,
                        accumulate: accumulate)
                }
            }
        }
    }

    /// out = y w (+ out): y (N, M), w (M, K), out (N, K).
    static func multiply(_ y: Tensor, _ w: Tensor, into out: inout Tensor, accumulate: Bool) {
        let (n, m, k) = (y.rows, y.columns, w.columns)
        let (a, b, type, c) = (y.pointer, w.address, w.type, out.mutablePointer())
        guard n > 0, k > 0 else { return }
        Workers.split(k, grain: n * k * m > 1 << 17 ? 16 : k) { columns in
            let width = columns.count
            let height = max(16, panel / max(1, width))
            withScratch(height * width) { scratch in
                var isAdding = accumulate
                forEachPart(0..<m, height) { rows in
                    for row in rows {
                        widen(
                            b + (row * k + columns.lowerBound) * 2, type, width,
                            into: scratch + (row - rows.lowerBound) * width)
                    }
                    blockProduct(
                        n, width, rows.count, a + rows.lowerBound, m, transposeA: false, scratch,
                        width, transposeB: false, c + columns.lowerBound, k, accumulate: isAdding)
                    isAdding = true
                }
            }
        }
    }

    private static func forEachPart(_ range: Range<Int>, _ size: Int, _ body: (Range<Int>) -> Void)
    {
        var first = range.lowerBound
        while first < range.upperBound {
            let end = min(first + size, range.upperBound)
            body(first..<end)
            first = end
        }
    }

    private static func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
        var scratch = Tensor(uninitialized: [count])
        body(scratch.mutablePointer())
        withExtendedLifetime(scratch) {}
    }
}

/// One or two rows of x against bfloat16 weights, which are never written out as float32.
///
/// Two neighbours in memory are one 32-bit word: the word shifted left is the first as a float32, the
/// word without its low half the second. Rows of x come with their elements in that order.
private enum BFloatProduct {
    static let mostRows = 2

    private typealias Lanes = SIMD8<Float>

    /// Rows in which every 16 elements stand as eight even ones and eight odd ones.
    static func paired(_ x: Tensor) -> Tensor {
        var out = Tensor(uninitialized: x.shape)
        let (source, target, k) = (x.pointer, out.mutablePointer(), x.columns)
        for row in 0..<x.rows {
            let (from, to) = (source + row * k, target + row * k)
            var i = 0
            while i &+ 16 <= k {
                for j in 0..<8 {
                    to[i &+ j] = from[i &+ 2 &* j]
                    to[i &+ 8 &+ j] = from[i &+ 2 &* j &+ 1]
                }
                i &+= 16
            }
            while i < k {
                to[i] = from[i]
                i &+= 1
            }
        }
        return out
    }

    static func multiply(
        _ x: UnsafePointer<Float>, _ n: Int, _ w: UnsafePointer<UInt16>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ columns: Range<Int>, _ accumulate: Bool
    ) {
        var column = columns.lowerBound
        while column &+ 4 <= columns.upperBound {
            if n == 2 {
                pair(x, w + column * k, k, out + column, m, accumulate)
            } else {
                line(x, w + column * k, k, out + column, accumulate)
            }
            column &+= 4
        }
        while column < columns.upperBound {
            for row in 0..<n {
                single(x + row * k, w + column * k, k, out + (row * m + column), accumulate)
            }
            column &+= 1
        }
    }

    @inline(__always)
    private static func words(_ w: UnsafePointer<UInt16>, _ offset: Int) -> SIMD8<UInt32> {
        UnsafeRawPointer(w + offset).loadUnaligned(as: SIMD8<UInt32>.self)
    }

    @inline(__always)
    private static func even(_ words: SIMD8<UInt32>) -> Lanes {
        unsafeBitCast(words &<< 16, to: Lanes.self)
    }

    @inline(__always)
    private static func odd(_ words: SIMD8<UInt32>) -> Lanes {
        unsafeBitCast(words & SIMD8(repeating: 0xFFFF_0000), to: Lanes.self)
    }

    @inline(__always)
    private static func load(_ x: UnsafePointer<Float>, _ offset: Int) -> Lanes {
        UnsafeRawPointer(x + offset).loadUnaligned(as: Lanes.self)
    }

    /// One row of x, four of w.
    @inline(__always)
    private static func line(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool
    ) {
        let (w1, w2, w3) = (w + k, w + 2 * k, w + 3 * k)
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var i = 0
        while i &+ 16 <= k {
            let (first, second) = (load(x, i), load(x, i &+ 8))
            let (c0, c1, c2, c3) = (words(w, i), words(w1, i), words(w2, i), words(w3, i))
            a0 = a0.addingProduct(first, even(c0))
            b0 = b0.addingProduct(second, odd(c0))
            a1 = a1.addingProduct(first, even(c1))
            b1 = b1.addingProduct(second, odd(c1))
            a2 = a2.addingProduct(first, even(c2))
            b2 = b2.addingProduct(second, odd(c2))
            a3 = a3.addingProduct(first, even(c3))
            b3 = b3.addingProduct(second, odd(c3))
            i &+= 16
        }
        var sums = SIMD4(
            (a0 + b0).sum(), (a1 + b1).sum(), (a2 + b2).sum(), (a3 + b3).sum())
        while i < k {
            sums = sums.addingProduct(column(w, k, i), SIMD4(repeating: x[i]))
            i &+= 1
        }
        write(sums, out, accumulate)
    }

    /// Two rows of x, four of w.
    @inline(__always)
    private static func pair(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ accumulate: Bool
    ) {
        let y = x + k
        let (w1, w2, w3) = (w + k, w + 2 * k, w + 3 * k)
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var i = 0
        while i &+ 16 <= k {
            let (x0, x1, y0, y1) = (load(x, i), load(x, i &+ 8), load(y, i), load(y, i &+ 8))
            var weights = words(w, i)
            a0 = a0.addingProduct(x0, even(weights)).addingProduct(x1, odd(weights))
            b0 = b0.addingProduct(y0, even(weights)).addingProduct(y1, odd(weights))
            weights = words(w1, i)
            a1 = a1.addingProduct(x0, even(weights)).addingProduct(x1, odd(weights))
            b1 = b1.addingProduct(y0, even(weights)).addingProduct(y1, odd(weights))
            weights = words(w2, i)
            a2 = a2.addingProduct(x0, even(weights)).addingProduct(x1, odd(weights))
            b2 = b2.addingProduct(y0, even(weights)).addingProduct(y1, odd(weights))
            weights = words(w3, i)
            a3 = a3.addingProduct(x0, even(weights)).addingProduct(x1, odd(weights))
            b3 = b3.addingProduct(y0, even(weights)).addingProduct(y1, odd(weights))
            i &+= 16
        }
        var top = SIMD4(a0.sum(), a1.sum(), a2.sum(), a3.sum())
        var bottom = SIMD4(b0.sum(), b1.sum(), b2.sum(), b3.sum())
        while i < k {
            let weights = column(w, k, i)
            top = top.addingProduct(weights, SIMD4(repeating: x[i]))
            bottom = bottom.addingProduct(weights, SIMD4(repeating: y[i]))
            i &+= 1
        }
        write(top, out, accumulate)
        write(bottom, out + m, accumulate)
    }

    /// One row of x, one of w: what four do not divide.
    private static func single(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool
    ) {
        var lanes = Lanes.zero
        var i = 0
        while i &+ 16 <= k {
            let weights = words(w, i)
            lanes = lanes.addingProduct(load(x, i), even(weights))
                .addingProduct(load(x, i &+ 8), odd(weights))
            i &+= 16
        }
        var sum = lanes.sum()
        while i < k {
            sum += x[i] * float(fromBFloat16: w[i])
            i &+= 1
        }
        out.pointee = accumulate ? out.pointee + sum : sum
    }

    /// Element i of four rows.
    @inline(__always)
    private static func column(_ w: UnsafePointer<UInt16>, _ k: Int, _ i: Int) -> SIMD4<Float> {
        SIMD4(
            float(fromBFloat16: w[i]), float(fromBFloat16: w[k &+ i]),
            float(fromBFloat16: w[2 &* k &+ i]), float(fromBFloat16: w[3 &* k &+ i]))
    }

    @inline(__always)
    private static func write(
        _ sums: SIMD4<Float>, _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool
    ) {
        let before =
            accumulate
            ? UnsafeRawPointer(out).loadUnaligned(as: SIMD4<Float>.self) : SIMD4<Float>.zero
        UnsafeMutableRawPointer(out).storeBytes(of: before + sums, as: SIMD4<Float>.self)
    }
}
