/// Products with weights in 16-bit types or 8-bit blocks, summed in float32.
///
/// With few rows, as in generation, reading the weights is the bottleneck. They are read from
/// memory once and converted to float32 in registers (`HalfPrecisionMatmul`, `EightBitMatmul`) or
/// in cache, one strip at a time. Larger batches go to BLAS, one panel of weights at a time; the
/// worker that needs a panel converts it.
enum DequantizingMatmul {
    /// Floats of a panel, small enough that it stays in cache between conversion and use.
    private static let panel = 1 << 19

    /// out = x wᵀ (+ out): x (N, K), w (M, K), out (N, M).
    static func multiply(
        _ x: Tensor, transposed w: Tensor, into out: inout Tensor, accumulate: Bool
    ) {
        let (n, k, m) = (x.rows, x.columns, w.rows)
        let (a, b, format, c) = (x.pointer, w.address, w.format, out.mutablePointer())
        guard n > 0, m > 0 else { return }
        let grain = n * k * m > 1 << 16 ? 12 : m
        if n > SmallBatchMatmul.mostRows {
            let height = max(16, panel / max(1, k))
            Workers.split(m, grain: max(16, grain)) { columns in
                withScratch(height * k) { scratch in
                    forEachPart(columns, height) { rows in
                        widen(
                            b + format.bytes(rows.lowerBound * k), format, rows.count * k,
                            into: scratch)
                        blockProduct(
                            n, rows.count, k, a, k, transposeA: false, scratch, k,
                            transposeB: true, c + rows.lowerBound, m, accumulate: accumulate)
                    }
                }
            }
            return
        }
        if isForFewRows(x, w) {
            multiplyFew(x, [.init(w: w, out: c)], accumulate: accumulate)
            return
        }
        let product = SmallBatchMatmul(x)
        Workers.split(m, grain: grain) { columns in
            withScratch(product.strip * k) { scratch in
                forEachPart(columns, product.strip) { rows in
                    widen(
                        b + format.bytes(rows.lowerBound * k), format, rows.count * k,
                        into: scratch)
                    // The strip's own columns of `out`, whose rows are m apart.
                    product.multiply(
                        scratch, c + rows.lowerBound, m, 0..<rows.count, accumulate: accumulate)
                }
            }
        }
    }

    /// The product x wᵀ for one w, (N, columns).
    struct Part {
        let w: Tensor
        let out: UnsafeMutablePointer<Float>
    }

    /// Whether `multiplyFew` computes the product of x and the transpose of w.
    static func isForFewRows(_ x: Tensor, _ w: Tensor) -> Bool {
        switch w.format {
        case .bfloat16: x.rows <= BFloat16Words.mostRows
        case .float16: x.rows <= Float16Words.mostRows
        case .q80: x.rows <= EightBitMatmul.mostRows
        default: false
        }
    }

    /// Products of the same few rows, which the workers share as one piece of work.
    static func multiplyFew(_ x: Tensor, _ parts: [Part], accumulate: Bool) {
        let (n, k, source) = (x.rows, x.columns, x.pointer)
        let hasHalves = parts.contains { $0.w.format != .q80 }
        let deinterleaved = hasHalves ? HalfPrecisionMatmul<BFloat16Words>.deinterleaved(x) : x
        let halves = deinterleaved.pointer
        ColumnShares.forEach(parts.map(\.w.rows), terms: n * k) { index, columns in
            let (w, out) = (parts[index].w, parts[index].out)
            let words = w.address.assumingMemoryBound(to: UInt16.self)
            switch w.format {
            case .bfloat16:
                HalfPrecisionMatmul<BFloat16Words>.multiply(
                    halves, n, words, k, out, w.rows, columns, accumulate)
            case .float16:
                HalfPrecisionMatmul<Float16Words>.multiply(
                    halves, n, words, k, out, w.rows, columns, accumulate)
            default:
                EightBitMatmul.multiply(
                    source, n, w.address, k, out, w.rows, columns, accumulate)
            }
        }
        withExtendedLifetime(deinterleaved) {}
    }

    /// out = y w (+ out): y (N, M), w (M, K), out (N, K).
    static func multiply(_ y: Tensor, _ w: Tensor, into out: inout Tensor, accumulate: Bool) {
        let (n, m, k) = (y.rows, y.columns, w.columns)
        let (a, b, format, c) = (y.pointer, w.address, w.format, out.mutablePointer())
        guard n > 0, k > 0 else { return }
        // Columns begin at a whole block of w.
        Workers.split(k, grain: n * k * m > 1 << 17 ? max(16, format.group) : k) { columns in
            let width = columns.count
            let height = max(16, panel / max(1, width))
            withScratch(height * width) { scratch in
                var isAdding = accumulate
                forEachPart(0..<m, height) { rows in
                    for row in rows {
                        widen(
                            b + format.bytes(row * k + columns.lowerBound), format, width,
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
