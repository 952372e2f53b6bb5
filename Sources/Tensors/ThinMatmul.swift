/// A product with few columns: x Aᵀ and dy B of a low-rank adapter, for many rows of x and dy.
///
/// BLAS first copies both factors into a packed layout, and for few columns the copy of the large
/// factor costs more than the arithmetic. Here it is read in place, and the thin one is copied.
struct ThinMatmul {
    /// The number of columns up to which this is faster than BLAS.
    private static let mostColumns = 32
    /// Columns that are computed together.
    private static let columnsTogether = 16
    /// Terms of a sum that are added before the next row: so many rows of sixteen columns stay in
    /// the first cache.
    private static let termsTogether = 256
    /// Smaller products are left to BLAS on one thread.
    private static let leastOperations = 1 << 17

    /// Rows of out, and terms of each sum.
    private let rows, terms: Int
    /// (rows, terms)
    private let large: UnsafePointer<Float>
    /// (terms, columns)
    private let thin: Tensor

    /// The product of `large` (rows, terms) and `thin` (terms, columns), or the transpose of
    /// `thin` (columns, terms). Nil if BLAS is as fast.
    init?(
        rows: Int, columns: Int, terms: Int, _ large: UnsafePointer<Float>,
        _ thin: UnsafePointer<Float>, isTransposed: Bool
    ) {
        guard columns <= Self.mostColumns, columns % Self.columnsTogether == 0,
            rows > SmallBatchMatmul.mostRows, rows * columns * terms > Self.leastOperations
        else { return nil }
        (self.rows, self.terms, self.large) = (rows, terms, large)
        var copy = Tensor(uninitialized: [terms, columns])
        let target = copy.mutablePointer()
        if isTransposed {
            for column in 0..<columns {
                for term in 0..<terms {
                    target[term * columns + column] = thin[column * terms + term]
                }
            }
        } else {
            target.update(from: thin, count: terms * columns)
        }
        self.thin = copy
    }

    /// Writes, or adds to, `out` (rows, columns).
    func multiply(into out: UnsafeMutablePointer<Float>, accumulate: Bool) {
        let (columns, factors) = (thin.columns, thin.pointer)
        Workers.split(rows, grain: WeightedSums.rowsTogether) { rows in
            for first in stride(from: 0, to: terms, by: Self.termsTogether) {
                let count = min(Self.termsTogether, terms - first)
                WeightedSums.add(
                    .init(
                        large + (rows.lowerBound * terms + first), rowStride: terms,
                        columnStride: 1),
                    factors + first * columns, stride: columns, size: columns,
                    to: out + rows.lowerBound * columns, stride: columns, count: rows.count,
                    accumulate: accumulate || first > 0
                ) { _ in 0..<count }
            }
        }
    }
}
