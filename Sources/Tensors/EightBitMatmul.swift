import CProcessor

/// A few rows of x by weights in blocks of ggml's format Q8_0, which are never written to memory as
/// float32.
///
/// A block is a scale, in float16, and 32 integers of 8 bits. The products with the integers are
/// summed first; one multiplication with the scale then adds the block to the sum.
enum EightBitMatmul {
    /// Largest batch for which converting the weights again for every pair of rows is cheaper than
    /// writing out float32 weights.
    static let mostRows = 8
    /// Numbers of a block.
    private static let count = 32
    /// Bytes of a block.
    private static let bytes = 34
    /// The place of a block's integers.
    private static let integers = 2

    private typealias Lanes = SIMD8<Float>

    /// out[:, columns] = x wᵀ (+ out): x (n, k), w (m, k) in blocks, out (n, m); k is a multiple of
    /// 32.
    static func multiply(
        _ x: UnsafePointer<Float>, _ n: Int, _ w: UnsafeRawPointer, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ columns: Range<Int>, _ accumulate: Bool
    ) {
        let stride = k / count * bytes
        var column = columns.lowerBound
        while column &+ 4 <= columns.upperBound {
            let strip = w + column * stride
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
                let sum = single(x + row * k, w + column * stride, k)
                let place = row * m + column
                out[place] = accumulate ? out[place] + sum : sum
            }
            column &+= 1
        }
    }

    /// The scale of a block.
    @inline(__always)
    private static func scale(_ block: UnsafeRawPointer) -> Lanes {
        eightTimesHalf(block)
    }

    /// A quarter of the integers of a block.
    @inline(__always)
    private static func quarter(_ block: UnsafeRawPointer, _ part: Int) -> Lanes {
        eightIntegers(block + (integers &+ 8 &* part))
    }

    /// Eight numbers of x.
    @inline(__always)
    private static func load(_ x: UnsafePointer<Float>, _ place: Int) -> Lanes {
        UnsafeRawPointer(x + place).loadUnaligned(as: Lanes.self)
    }

    /// A quarter of a block for each of the 32 numbers of x.
    private struct Quarters {
        let (a, b, c, d): (Lanes, Lanes, Lanes, Lanes)

        @inline(__always)
        init(numbers x: UnsafePointer<Float>) {
            (a, b, c, d) = (load(x, 0), load(x, 8), load(x, 16), load(x, 24))
        }

        @inline(__always)
        init(block: UnsafeRawPointer) {
            (a, b) = (quarter(block, 0), quarter(block, 1))
            (c, d) = (quarter(block, 2), quarter(block, 3))
        }

        /// Eight sums of four products each.
        @inline(__always)
        func times(_ other: Quarters) -> Lanes {
            (a * other.a).addingProduct(b, other.b).addingProduct(c, other.c)
                .addingProduct(d, other.d)
        }
    }

    /// Prefetches the part of the next four rows of w that corresponds to this block.
    @inline(__always)
    private static func fetchNext(_ w: UnsafeRawPointer, _ stride: Int, _ offset: Int) {
        let next = w + 4 &* (stride &+ offset)
        fetchAhead(next)
        fetchAhead(next + 64)
        fetchAhead(next + 128)
    }

    /// One row of x, four rows of w. With `fetching`, also prefetches the next four.
    @inline(__always)
    private static func line(
        _ x: UnsafePointer<Float>, _ w: UnsafeRawPointer, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool, fetching: Bool
    ) {
        let stride = k / count * bytes
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (i, offset) = (0, 0)
        while i < k {
            if fetching { fetchNext(w, stride, offset) }
            let numbers = Quarters(numbers: x + i)
            var block = w + offset
            a0 = a0.addingProduct(Quarters(block: block).times(numbers), scale(block))
            block += stride
            a1 = a1.addingProduct(Quarters(block: block).times(numbers), scale(block))
            block += stride
            a2 = a2.addingProduct(Quarters(block: block).times(numbers), scale(block))
            block += stride
            a3 = a3.addingProduct(Quarters(block: block).times(numbers), scale(block))
            i &+= count
            offset &+= bytes
        }
        write(laneSums(a0, a1, a2, a3), out, accumulate)
    }

    /// Two rows of x, four rows of w. With `fetching`, also prefetches the next four.
    @inline(__always)
    private static func pair(
        _ x: UnsafePointer<Float>, _ w: UnsafeRawPointer, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ m: Int, _ accumulate: Bool, fetching: Bool
    ) {
        let stride = k / count * bytes
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (i, offset) = (0, 0)
        while i < k {
            if fetching { fetchNext(w, stride, offset) }
            // The numbers of x are loaded again for every block: both rows and a block do not fit
            // into sixteen registers.
            @inline(__always)
            func add(_ row: Int, _ a: inout Lanes, _ b: inout Lanes) {
                let block = w + (offset &+ row &* stride)
                let (weights, scale) = (Quarters(block: block), scale(block))
                a = a.addingProduct(weights.times(Quarters(numbers: x + i)), scale)
                b = b.addingProduct(weights.times(Quarters(numbers: x + (k &+ i))), scale)
            }
            add(0, &a0, &b0)
            add(1, &a1, &b1)
            add(2, &a2, &b2)
            add(3, &a3, &b3)
            i &+= count
            offset &+= bytes
        }
        write(laneSums(a0, a1, a2, a3), out, accumulate)
        write(laneSums(b0, b1, b2, b3), out + m, accumulate)
    }

    /// One row of x by one row of w, for the rows of w after the last group of four.
    private static func single(
        _ x: UnsafePointer<Float>, _ w: UnsafeRawPointer, _ k: Int
    ) -> Float {
        var sums = Lanes.zero
        var (i, block) = (0, w)
        while i < k {
            let products = Quarters(block: block).times(Quarters(numbers: x + i))
            sums = sums.addingProduct(products, scale(block))
            i &+= count
            block += bytes
        }
        return sums.sum()
    }
}
