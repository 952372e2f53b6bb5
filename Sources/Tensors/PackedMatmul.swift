import CProcessor

/// x wᵀ for sixteen rows of x at a time.
///
/// The rows of x are packed first, so that the same elements of sixteen rows are neighbors. One
/// element of w then takes part in sixteen products at once, and no horizontal sum over lanes is
/// needed at the end. For rows as short as those of a small model, horizontal sums take a fifth of
/// the time.
package enum PackedMatmul {
    package static let panelRows = 16
    static let stripColumns = Int(outerRows)
    /// Floats to prefetch before the first strip.
    private static let firstFloats = 256 * stripColumns

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
        let (x, out) = (UnsafeRawPointer(x), UnsafeMutableRawPointer(out))
        let (words, panels) = (
            x.assumingMemoryBound(to: UInt32.self), out.assumingMemoryBound(to: UInt32.self)
        )
        for first in Swift.stride(from: 0, to: n, by: panelRows) {
            packPanel(
                words + first * stride, stride, min(panelRows, n - first), k, panels + first * k)
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

    @inline(__always)
    private static func prefetch(_ place: UnsafePointer<Float>, _ count: Int) {
        for line in 0..<(count + 15) / 16 { fetchAhead(place + 16 &* line) }
    }
}
