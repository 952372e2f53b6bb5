import NumberTypes

/// y w for a few rows of y, as sums of scaled rows of w (axpy). w is read once, in place. GPT-2
/// stores its matrices transposed, so its generation step needs this product.
enum AxpyMatmul {
    /// Largest number of rows for which this is faster than BLAS, which first copies w into a
    /// packed layout.
    static let mostRows = 4
    /// Sums that are computed together, so that they stay in cache over all rows of w.
    private static let sums = 8192

    /// out[:, columns] = y w (+ out); y (n, m), w (m, k) stored as `format`, out (n, k). The
    /// columns begin at a whole block of w.
    static func multiply(
        _ y: UnsafePointer<Float>, _ n: Int, _ w: UnsafeRawPointer, _ format: StoredFormat,
        _ m: Int, _ k: Int, _ out: UnsafeMutablePointer<Float>, _ columns: Range<Int>,
        accumulate: Bool
    ) {
        // A whole number of blocks of any format.
        let block = max(512, sums / max(1, n) / 256 * 256)
        var scratch = Tensor(uninitialized: [4 * min(block, columns.count)])
        let widened = scratch.mutablePointer()
        var first = columns.lowerBound
        while first < columns.upperBound {
            let width = min(block, columns.upperBound - first)
            if !accumulate {
                for row in 0..<n { (out + row * k + first).update(repeating: 0, count: width) }
            }
            var source = 0
            while source &+ 4 <= m {
                let place = w + format.bytes(source * k + first)
                var (rows, stride) = (UnsafePointer(widened), width)
                if format == .float32 {
                    (rows, stride) = (place.assumingMemoryBound(to: Float.self), k)
                } else {
                    for i in 0..<4 {
                        widen(
                            place + format.bytes(i * k), format, width, into: widened + i * width)
                    }
                }
                for row in 0..<n {
                    addFour(y + row * m + source, rows, stride, out + row * k + first, width)
                }
                source &+= 4
            }
            while source < m {
                widen(w + format.bytes(source * k + first), format, width, into: widened)
                for row in 0..<n {
                    Tensors.accumulate(
                        out + row * k + first, y[row * m + source], widened, width)
                }
                source &+= 1
            }
            first += width
        }
        withExtendedLifetime(scratch) {}
    }

    /// out += Σ_i y_i · row i, for four rows of w
    @inline(__always)
    private static func addFour(
        _ y: UnsafePointer<Float>, _ rows: UnsafePointer<Float>, _ stride: Int,
        _ out: UnsafeMutablePointer<Float>, _ width: Int
    ) {
        let (a, b, c, d) = (rows, rows + stride, rows + 2 * stride, rows + 3 * stride)
        let (p, q, r, s) = (
            Vector(repeating: y[0]), Vector(repeating: y[1]), Vector(repeating: y[2]),
            Vector(repeating: y[3])
        )
        var i = 0
        while i &+ 16 <= width {
            let sum = out.vector(i).addingProduct(p, a.vector(i)).addingProduct(q, b.vector(i))
            out.store(sum.addingProduct(r, c.vector(i)).addingProduct(s, d.vector(i)), i)
            i &+= 16
        }
        while i < width {
            out[i] += y[0] * a[i] + y[1] * b[i] + y[2] * c[i] + y[3] * d[i]
            i &+= 1
        }
    }
}
