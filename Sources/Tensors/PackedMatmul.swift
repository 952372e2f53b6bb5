import CProcessor

/// x wᵀ for sixteen rows of x at a time.
///
/// The rows of x are packed first, so that one vector holds the same element of eight rows. One
/// element of w then takes part in sixteen products at once, and no horizontal sum over lanes is
/// needed at the end. For rows as short as those of a small model, horizontal sums take a fifth of
/// the time.
package enum PackedMatmul {
    package static let panelRows = 16
    static let stripColumns = Int(outerRows)
    /// Floats to prefetch before the first strip.
    private static let firstFloats = 256 * stripColumns

    private typealias Lanes = SIMD8<Float>

    /// How many of `n` rows are worth packing: whole panels, and one more panel if it is more than
    /// half full.
    static func rows(of n: Int) -> Int {
        let rest = n % panelRows
        return rest > panelRows / 2 ? n : n - rest
    }

    /// Floats that `n` packed rows of `k` elements take.
    package static func packedCount(rows n: Int, _ k: Int) -> Int {
        (n + panelRows - 1) / panelRows * panelRows * k
    }

    /// Packs `n` rows of x, `stride` floats apart: (n, k) → panels of (k, 16).
    package static func pack(
        _ x: UnsafePointer<Float>, stride: Int, rows n: Int, _ k: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        var first = 0
        while first < n {
            packPanel(
                x + first * stride, stride, min(panelRows, n - first), k, into: out + first * k)
            first &+= panelRows
        }
    }

    /// out[:, columns] = x wᵀ (+ out); `packed` x (n, k), w (m, k), out (n, …) with rows `stride`
    /// apart.
    package static func multiply(
        packed x: UnsafePointer<Float>, rows n: Int, _ w: UnsafePointer<Float>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, stride: Int, _ columns: Range<Int>, accumulate: Bool
    ) {
        // Prefetch the first strip of w here, then each following strip while computing the current
        // one. Long rows need no help: the hardware prefetcher detects the stream.
        if columns.count > stripColumns {
            prefetch(w + columns.lowerBound * k, min(stripColumns * k, firstFloats))
        }
        for column in Swift.stride(
            from: columns.lowerBound, to: columns.upperBound, by: stripColumns)
        {
            let next = column + stripColumns
            let strip = w + column * k
            for first in Swift.stride(from: 0, to: n, by: panelRows) {
                panelProducts(
                    x + first * k, strip, k, min(stripColumns, columns.upperBound - column),
                    first == 0 && next < columns.upperBound ? w + next * k : nil,
                    out + (first * stride + column), stride, min(panelRows, n - first), accumulate)
            }
        }
    }

    /// Up to sixteen rows as (k, 16); missing rows are zero.
    private static func packPanel(
        _ x: UnsafePointer<Float>, _ stride: Int, _ count: Int, _ k: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        var i = 0
        while i &+ 8 <= k {
            for half in 0..<2 {
                func row(_ number: Int) -> Lanes {
                    let row = 8 * half + number
                    return row < count
                        ? UnsafeRawPointer(x + (row * stride + i)).loadUnaligned(as: Lanes.self)
                        : .zero
                }
                let square = Block8x8(
                    row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)
                ).transposed
                let target = out + (i * panelRows + 8 * half)
                store(square.a, target)
                store(square.b, target + panelRows)
                store(square.c, target + 2 * panelRows)
                store(square.d, target + 3 * panelRows)
                store(square.e, target + 4 * panelRows)
                store(square.f, target + 5 * panelRows)
                store(square.g, target + 6 * panelRows)
                store(square.h, target + 7 * panelRows)
            }
            i &+= 8
        }
        while i < k {
            for row in 0..<panelRows {
                out[i * panelRows + row] = row < count ? x[row * stride + i] : 0
            }
            i &+= 1
        }
    }

    @inline(__always)
    private static func store(_ lanes: Lanes, _ out: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(out).storeBytes(of: lanes, as: Lanes.self)
    }

    @inline(__always)
    private static func prefetch(_ place: UnsafePointer<Float>, _ count: Int) {
        for line in 0..<(count + 15) / 16 { fetchAhead(place + 16 &* line) }
    }

    /// Eight vectors of eight lanes.
    private struct Block8x8 {
        var (a, b, c, d): (Lanes, Lanes, Lanes, Lanes)
        var (e, f, g, h): (Lanes, Lanes, Lanes, Lanes)

        @inline(__always)
        init(
            _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes, _ e: Lanes, _ f: Lanes, _ g: Lanes,
            _ h: Lanes
        ) {
            (self.a, self.b, self.c, self.d) = (a, b, c, d)
            (self.e, self.f, self.g, self.h) = (e, f, g, h)
        }

        /// Rows become columns: three times each vector is interleaved with the one four places on.
        @inline(__always)
        var transposed: Block8x8 { interleaved.interleaved.interleaved }

        @inline(__always)
        private var interleaved: Block8x8 {
            Block8x8(
                interleave(a.lowHalf, e.lowHalf), interleave(a.highHalf, e.highHalf),
                interleave(b.lowHalf, f.lowHalf), interleave(b.highHalf, f.highHalf),
                interleave(c.lowHalf, g.lowHalf), interleave(c.highHalf, g.highHalf),
                interleave(d.lowHalf, h.lowHalf), interleave(d.highHalf, h.highHalf))
        }

        @inline(__always)
        private func interleave(_ even: SIMD4<Float>, _ odd: SIMD4<Float>) -> Lanes {
            var lanes = Lanes.zero
            lanes.evenHalf = even
            lanes.oddHalf = odd
            return lanes
        }
    }
}
