import CProcessor

/// How to unpack 32-bit words that hold two 16-bit numbers, the first in the low half.
protocol HalfWords {
    /// Largest batch for which unpacking the 16-bit weights again for every pair of rows is cheaper
    /// than writing out float32 weights.
    static var mostRows: Int { get }
    static func even(_ words: SIMD8<UInt32>) -> SIMD8<Float>
    static func odd(_ words: SIMD8<UInt32>) -> SIMD8<Float>
    static func widen(_ bits: UInt16) -> Float
}

/// bfloat16: shifting the word left gives the first number as float32; clearing the low half gives
/// the second.
enum BFloat16Words: HalfWords {
    static let mostRows = 8

    @inline(__always)
    static func even(_ words: SIMD8<UInt32>) -> SIMD8<Float> {
        unsafeBitCast(words &<< 16, to: SIMD8<Float>.self)
    }

    @inline(__always)
    static func odd(_ words: SIMD8<UInt32>) -> SIMD8<Float> {
        unsafeBitCast(words & SIMD8(repeating: 0xFFFF_0000), to: SIMD8<Float>.self)
    }

    @inline(__always)
    static func widen(_ bits: UInt16) -> Float { float(fromBFloat16: bits) }
}

/// float16: see `float(fromFloat16:)`.
enum Float16Words: HalfWords {
    static let mostRows = 2

    @inline(__always)
    static func even(_ words: SIMD8<UInt32>) -> SIMD8<Float> { odd(words &<< 16) }

    @inline(__always)
    static func odd(_ words: SIMD8<UInt32>) -> SIMD8<Float> {
        let sign = words & SIMD8(repeating: 0x8000_0000)
        let magnitude = (words & SIMD8(repeating: 0x7FFF_0000)) &>> 3
        let moved = unsafeBitCast(magnitude, to: SIMD8<Float>.self) * 0x1p112
        // Bit 28 is set for infinities and NaNs. Testing it needs no comparison; Swift compares
        // lane by lane.
        let special = (magnitude &+ SIMD8(repeating: 0x0080_0000)) & SIMD8(repeating: 0x1000_0000)
        let exponent = (special &<< 3) &- (special &>> 5)
        let bits = unsafeBitCast(moved, to: SIMD8<UInt32>.self) | sign | exponent
        return unsafeBitCast(bits, to: SIMD8<Float>.self)
    }

    @inline(__always)
    static func widen(_ bits: UInt16) -> Float { float(fromFloat16: bits) }
}

/// A few rows of x by 16-bit weights that are never written to memory as float32.
///
/// Two neighbors in memory form one 32-bit word, and splitting words needs no lane shuffles. The
/// rows of x are given with their elements deinterleaved to match.
enum HalfPrecisionMatmul<Words: HalfWords> {
    private typealias Lanes = SIMD8<Float>

    /// Rows in which each group of 16 elements is reordered: the eight even ones, then the eight
    /// odd ones.
    static func deinterleaved(_ x: Tensor) -> Tensor {
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
            let strip = w + column * k
            var row = 0
            while row &+ 2 <= n {
                pair(
                    x + row * k, strip, k, out + (row * m + column), m, accumulate,
                    fetching: row == 0)
                row &+= 2
            }
            if row < n {
                line(
                    x + row * k, strip, k, out + (row * m + column), accumulate,
                    fetching: row == 0)
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
    private static func load(_ x: UnsafePointer<Float>, _ offset: Int) -> Lanes {
        UnsafeRawPointer(x + offset).loadUnaligned(as: Lanes.self)
    }

    /// Prefetches the part of the next four rows of w that corresponds to element i of these: as
    /// many bytes as one turn of the loop reads. The four rows are four streams, each shorter than
    /// the hardware prefetcher needs to detect it.
    @inline(__always)
    private static func fetchNext(_ w: UnsafePointer<UInt16>, _ k: Int, _ i: Int) {
        let next = w + 4 &* (k &+ i)
        fetchAhead(next)
        fetchAhead(next + 32)
    }

    /// One row of x, four rows of w. With `fetching`, also prefetches the next four.
    @inline(__always)
    private static func line(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool, fetching: Bool
    ) {
        let (w1, w2, w3) = (w + k, w + 2 * k, w + 3 * k)
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var i = 0
        while i &+ 16 <= k {
            if fetching { fetchNext(w, k, i) }
            let (first, second) = (load(x, i), load(x, i &+ 8))
            let (c0, c1, c2, c3) = (words(w, i), words(w1, i), words(w2, i), words(w3, i))
            a0 = a0.addingProduct(first, Words.even(c0))
            b0 = b0.addingProduct(second, Words.odd(c0))
            a1 = a1.addingProduct(first, Words.even(c1))
            b1 = b1.addingProduct(second, Words.odd(c1))
            a2 = a2.addingProduct(first, Words.even(c2))
            b2 = b2.addingProduct(second, Words.odd(c2))
            a3 = a3.addingProduct(first, Words.even(c3))
            b3 = b3.addingProduct(second, Words.odd(c3))
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

    /// Two rows of x, four rows of w. With `fetching`, also prefetches the next four.
    @inline(__always)
    private static func pair(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ accumulate: Bool, fetching: Bool
    ) {
        let y = x + k
        let (w1, w2, w3) = (w + k, w + 2 * k, w + 3 * k)
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var i = 0
        while i &+ 16 <= k {
            if fetching { fetchNext(w, k, i) }
            let (x0, x1, y0, y1) = (load(x, i), load(x, i &+ 8), load(y, i), load(y, i &+ 8))
            var weights = words(w, i)
            var (first, second) = (Words.even(weights), Words.odd(weights))
            a0 = a0.addingProduct(x0, first).addingProduct(x1, second)
            b0 = b0.addingProduct(y0, first).addingProduct(y1, second)
            weights = words(w1, i)
            (first, second) = (Words.even(weights), Words.odd(weights))
            a1 = a1.addingProduct(x0, first).addingProduct(x1, second)
            b1 = b1.addingProduct(y0, first).addingProduct(y1, second)
            weights = words(w2, i)
            (first, second) = (Words.even(weights), Words.odd(weights))
            a2 = a2.addingProduct(x0, first).addingProduct(x1, second)
            b2 = b2.addingProduct(y0, first).addingProduct(y1, second)
            weights = words(w3, i)
            (first, second) = (Words.even(weights), Words.odd(weights))
            a3 = a3.addingProduct(x0, first).addingProduct(x1, second)
            b3 = b3.addingProduct(y0, first).addingProduct(y1, second)
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

    /// One row of x by one row of w, for the rows of w after the last group of four.
    private static func single(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool
    ) {
        var lanes = Lanes.zero
        var i = 0
        while i &+ 16 <= k {
            let weights = words(w, i)
            lanes = lanes.addingProduct(load(x, i), Words.even(weights))
                .addingProduct(load(x, i &+ 8), Words.odd(weights))
            i &+= 16
        }
        var sum = lanes.sum()
        while i < k {
            sum += x[i] * Words.widen(w[i])
            i &+= 1
        }
        out.pointee = accumulate ? out.pointee + sum : sum
    }

    /// Element i of four rows.
    @inline(__always)
    private static func column(_ w: UnsafePointer<UInt16>, _ k: Int, _ i: Int) -> SIMD4<Float> {
        SIMD4(
            Words.widen(w[i]), Words.widen(w[k &+ i]),
            Words.widen(w[2 &* k &+ i]), Words.widen(w[3 &* k &+ i]))
    }
}
