import CBLAS

// The three products of a linear layer y = x Wᵀ. W is (out, in), as checkpoints store it. One
// worker computes the whole sum of an element of the result. Weights may have a smaller format.

/// `out = x wᵀ (+ out)`: x (N, K), w (M, K), out (N, M).
public func multiply(
    _ x: Tensor, transposed w: Tensor, into out: inout Tensor, accumulate: Bool = false
) {
    require(
        w.columns == x.columns && out.rows == x.rows && out.columns == w.rows,
        "product of \(x.shape) and the transpose of \(w.shape) into \(out.shape)")
    if w.format != .float32 {
        return DequantizingMatmul.multiply(x, transposed: w, into: &out, accumulate: accumulate)
    }
    let (n, k, m) = (x.rows, x.columns, w.rows)
    let (a, b, c) = (x.pointer, w.pointer, out.mutablePointer())
    if n <= SmallBatchMatmul.mostRows {
        SmallBatchMatmul(x).multiply([.init(w: b, columns: m, out: c)], accumulate: accumulate)
        return
    }
    let thin = ThinMatmul(rows: n, columns: m, terms: k, a, b, isTransposed: true)
    if let thin { return thin.multiply(into: c, accumulate: accumulate) }
    product(
        rows: n, columns: m, inner: k, a, k, transposeA: false, b, k, transposeB: true, c, m,
        accumulate: accumulate)
}

/// x w_iᵀ for several w: x (N, K), w_i (M_i, K) → (N, M_i). For few rows the workers share all
/// products at once.
public func multiply(_ x: Tensor, transposed weights: [Tensor]) -> [Tensor] {
    require(
        weights.allSatisfy { $0.columns == x.columns },
        "products of \(x.shape) and the transposes of \(weights.map(\.shape))")
    var outs = weights.map { Tensor(uninitialized: [x.rows, $0.rows]) }
    if x.rows <= SmallBatchMatmul.mostRows, weights.allSatisfy({ $0.format == .float32 }) {
        let parts = outs.indices.map {
            SmallBatchMatmul.Part(
                w: weights[$0].pointer, columns: weights[$0].rows, out: outs[$0].mutablePointer())
        }
        SmallBatchMatmul(x).multiply(parts, accumulate: false)
    } else if weights.allSatisfy({ DequantizingMatmul.isForFewRows(x, $0) }) {
        let parts = outs.indices.map {
            DequantizingMatmul.Part(w: weights[$0], out: outs[$0].mutablePointer())
        }
        DequantizingMatmul.multiplyFew(x, parts, accumulate: false)
    } else {
        for i in outs.indices { multiply(x, transposed: weights[i], into: &outs[i]) }
    }
    return outs
}

/// `out = y w (+ out)`: y (N, M), w (M, K), out (N, K). The gradient of a linear layer's input.
public func multiply(
    _ y: Tensor, _ w: Tensor, into out: inout Tensor, accumulate: Bool = false
) {
    let (n, m, k) = (y.rows, y.columns, w.columns)
    require(
        w.rows == m && out.rows == n && out.columns == k,
        "product of \(y.shape) and \(w.shape) into \(out.shape)")
    if n <= AxpyMatmul.mostRows {
        let (a, b, format, c) = (y.pointer, w.address, w.format, out.mutablePointer())
        Workers.split(k, grain: n * k * m > 1 << 16 ? 64 : k) { columns in
            AxpyMatmul.multiply(a, n, b, format, m, k, c, columns, accumulate: accumulate)
        }
        return
    }
    if w.format != .float32 {
        return DequantizingMatmul.multiply(y, w, into: &out, accumulate: accumulate)
    }
    let (a, b, c) = (y.pointer, w.pointer, out.mutablePointer())
    let thin = ThinMatmul(rows: n, columns: k, terms: m, a, b, isTransposed: false)
    if let thin { return thin.multiply(into: c, accumulate: accumulate) }
    product(
        rows: n, columns: k, inner: m, a, m, transposeA: false, b, k, transposeB: false, c, k,
        accumulate: accumulate)
}

/// `out = yᵀ x (+ out)`: y (N, M), x (N, K), out (M, K). The gradient of a linear layer's weight.
public func multiply(
    transposed y: Tensor, _ x: Tensor, into out: inout Tensor, accumulate: Bool = false
) {
    let (n, m, k) = (y.rows, y.columns, x.columns)
    require(
        x.rows == n && out.rows == m && out.columns == k,
        "product of the transpose of \(y.shape) and \(x.shape) into \(out.shape)")
    let (a, b, c) = (y.pointer, x.pointer, out.mutablePointer())
    product(
        rows: m, columns: k, inner: n, a, m, transposeA: true, b, k, transposeB: false, c, k,
        accumulate: accumulate)
}

/// The same product in plain loops and double precision, for the tests.
package func slowProduct(_ x: Tensor, transposed w: Tensor) -> Tensor {
    var out = Tensor(zeros: [x.rows, w.rows])
    for i in 0..<x.rows {
        for j in 0..<w.rows {
            var sum = 0.0
            for l in 0..<x.columns { sum += Double(x[i, l]) * Double(w[j, l]) }
            out[i, j] = Float(sum)
        }
    }
    return out
}

/// C (rows, columns) = op(A) op(B), divided over the workers along its longer side.
private func product(
    rows: Int, columns: Int, inner: Int,
    _ a: UnsafePointer<Float>, _ lda: Int, transposeA: Bool,
    _ b: UnsafePointer<Float>, _ ldb: Int, transposeB: Bool,
    _ c: UnsafeMutablePointer<Float>, _ ldc: Int, accumulate: Bool
) {
    guard rows > 0, columns > 0 else { return }
    // For smaller products a second thread costs more time than it saves.
    let worthSplitting = rows * columns * inner > 1 << 17
    let byRows = rows >= columns
    let total = byRows ? rows : columns
    Workers.split(total, grain: worthSplitting ? 16 : total) { range in
        let first = range.lowerBound
        let (m, n) = byRows ? (range.count, columns) : (rows, range.count)
        let partA = byRows ? a + (transposeA ? first : first * lda) : a
        let partB = byRows ? b : b + (transposeB ? first * ldb : first)
        let partC = c + (byRows ? first * ldc : first)
        blockProduct(
            m, n, inner, partA, lda, transposeA: transposeA, partB, ldb, transposeB: transposeB,
            partC, ldc, accumulate: accumulate)
    }
}

/// One BLAS product on the calling thread: C (m, n) = scale · op(A) op(B) (+ C), with row strides.
@inline(__always)
package func blockProduct(
    _ m: Int, _ n: Int, _ k: Int,
    _ a: UnsafePointer<Float>, _ lda: Int, transposeA: Bool,
    _ b: UnsafePointer<Float>, _ ldb: Int, transposeB: Bool,
    _ c: UnsafeMutablePointer<Float>, _ ldc: Int, scale: Float = 1, accumulate: Bool
) {
    cblas_sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
        transposeB ? CblasTrans : CblasNoTrans,
        blasint(m), blasint(n), blasint(k), scale, a, blasint(lda), b, blasint(ldb),
        accumulate ? 1 : 0, c, blasint(ldc))
}
