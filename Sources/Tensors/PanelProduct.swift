import CProcessor

/// x wᵀ for sixteen rows of x at a time.
///
/// The rows are turned first, so that one vector holds an element of eight of them. An element of w then
/// meets sixteen products at once, and no sum has to be gathered from the lanes of a vector at the end,
/// which for rows as short as a small model's takes a fifth of the time.
package enum PanelProduct {
    package static let panelRows = 16
    static let stripColumns = 6
    /// Floats that are asked for before the first strip.
    private static let firstFloats = 1536

    private typealias Lanes = SIMD8<Float>

    /// How many of `n` rows it is worth to take: whole panels, and one more that is filled by half.
    static func rows(of n: Int) -> Int {
        let rest = n % panelRows
        return rest > panelRows / 2 ? n : n - rest
    }

    /// Floats that `n` rows of `k` elements take when they are turned.
    package static func turnedCount(rows n: Int, _ k: Int) -> Int {
        (n + panelRows - 1) / panelRows * panelRows * k
    }

    /// Turns `n` rows of x, `stride` apart: (n, k) → panels of (k, 16).
    package static func turn(
        _ x: UnsafePointer<Float>, stride: Int, rows n: Int, _ k: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        var first = 0
        while first < n {
            turnPanel(
                x + first * stride, stride, min(panelRows, n - first), k, into: out + first * k)
            first &+= panelRows
        }
    }

    /// out[:, columns] = x wᵀ (+ out); `turned` x (n, k), w (m, k), out (n, …) with rows `stride` apart.
    package static func multiply(
        turned x: UnsafePointer<Float>, rows n: Int, _ w: UnsafePointer<Float>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, stride: Int, _ columns: Range<Int>, accumulate: Bool
    ) {
        // What comes first, and then from each strip the next one; of long rows the processor itself
        // sees where reading goes.
        if columns.count > stripColumns {
            fetch(w + columns.lowerBound * k, min(stripColumns * k, firstFloats))
        }
        var column = columns.lowerBound
        while column < columns.upperBound {
            let count = min(stripColumns, columns.upperBound - column)
            var first = 0
            while first < n {
                let (panel, place) = (x + first * k, out + (first * stride + column))
                let (rows, strip) = (min(panelRows, n - first), w + column * k)
                // A constant number of columns lets the compiler write whole vectors.
                if count == stripColumns {
                    tile(
                        panel, strip, k, place, stride, rows, columns: stripColumns, accumulate,
                        fetching: first == 0 && column &+ stripColumns < columns.upperBound)
                } else {
                    tile(
                        panel, strip, k, place, stride, rows, columns: count, accumulate,
                        fetching: false)
                }
                first &+= panelRows
            }
            column &+= stripColumns
        }
    }

    /// Up to sixteen rows as (k, 16); what is missing is zero.
    private static func turnPanel(
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
                let square = Square(
                    row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)
                ).turned
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
    private static func fetch(_ place: UnsafePointer<Float>, _ count: Int) {
        for line in 0..<(count + 15) / 16 { fetchAhead(place + 16 &* line) }
    }

    /// One panel of x, up to six rows of w. The first panel also asks for the next strip of w, as much of it as is read of this one: rows as short as
    /// a small model's end before the processor has seen where its reader is going.
    @inline(__always)
    private static func tile(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ k: Int,
        _ out: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int, columns: Int,
        _ accumulate: Bool, fetching: Bool
    ) {
        let strip = SumTile.Six(w, stride: k, count: columns)
        var sums = SumTile()
        var i = 0
        while i < k {
            if fetching { fetch(w + stripColumns &* (k &+ i), 16 * stripColumns) }
            let end = min(i &+ 16, k)
            while i < end {
                sums.add(UnsafeRawPointer(x + i &* panelRows), strip, i)
                i &+= 1
            }
        }
        let upper = Square(
            sums.a0, sums.a1, sums.a2, sums.a3, sums.a4, sums.a5, .zero, .zero
        ).turned
        write(upper, out, stride, min(8, rows), columns, accumulate)
        if rows > 8 {
            let lower = Square(
                sums.b0, sums.b1, sums.b2, sums.b3, sums.b4, sums.b5, .zero, .zero
            ).turned
            write(lower, out + 8 * stride, stride, rows - 8, columns, accumulate)
        }
    }

    /// The first lanes of the first `rows` vectors, each to its row of out.
    @inline(__always)
    private static func write(
        _ square: Square, _ out: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int,
        _ columns: Int, _ accumulate: Bool
    ) {
        func put(_ row: Int, _ lanes: Lanes) {
            guard row < rows else { return }
            let target = out + row * stride
            if columns < stripColumns {
                for i in 0..<columns { target[i] = accumulate ? target[i] + lanes[i] : lanes[i] }
                return
            }
            let place = UnsafeMutableRawPointer(target)
            var (first, last) = (lanes.lowHalf, lanes.highHalf.lowHalf)
            if accumulate {
                first += place.loadUnaligned(as: SIMD4<Float>.self)
                last += place.loadUnaligned(fromByteOffset: 16, as: SIMD2<Float>.self)
            }
            place.storeBytes(of: first, as: SIMD4<Float>.self)
            place.storeBytes(of: last, toByteOffset: 16, as: SIMD2<Float>.self)
        }
        put(0, square.a)
        put(1, square.b)
        put(2, square.c)
        put(3, square.d)
        put(4, square.e)
        put(5, square.f)
        put(6, square.g)
        put(7, square.h)
    }

    /// Eight vectors of eight.
    private struct Square {
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

        /// Rows become columns: three times each vector is laced with the one four places on.
        @inline(__always)
        var turned: Square { laced.laced.laced }

        @inline(__always)
        private var laced: Square {
            Square(
                lace(a.lowHalf, e.lowHalf), lace(a.highHalf, e.highHalf),
                lace(b.lowHalf, f.lowHalf), lace(b.highHalf, f.highHalf),
                lace(c.lowHalf, g.lowHalf), lace(c.highHalf, g.highHalf),
                lace(d.lowHalf, h.lowHalf), lace(d.highHalf, h.highHalf))
        }

        @inline(__always)
        private func lace(_ even: SIMD4<Float>, _ odd: SIMD4<Float>) -> Lanes {
            var lanes = Lanes.zero
            lanes.evenHalf = even
            lanes.oddHalf = odd
            return lanes
        }
    }
}
