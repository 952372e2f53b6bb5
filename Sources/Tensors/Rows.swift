// Operations on the rows of matrices: selecting, scattering, scaling, splitting.

extension Tensor {
    /// The rows of this matrix with these numbers, in this order, as float32: (N, D).
    public func gatheringRows(_ rows: [Int]) -> Tensor {
        let width = columns
        var out = Tensor(uninitialized: [rows.count, width])
        let (source, format, target, count) = (address, format, out.mutablePointer(), self.rows)
        for (n, row) in rows.enumerated() {
            require(row >= 0 && row < count, "row \(row) of \(count) is gathered")
            widen(source + format.bytes(row * width), format, width, into: target + n * width)
        }
        return out
    }

    /// `self[rows_n] += x_n`; a row may occur more than once.
    public mutating func scatterAdd(_ x: Tensor, toRows rows: [Int]) {
        let (width, count) = (x.columns, self.rows)
        require(
            width == columns && x.rows == rows.count,
            "\(x.shape) is scattered to \(rows.count) rows of \(shape)")
        let (source, target) = (x.pointer, mutablePointer())
        for (n, row) in rows.enumerated() {
            require(row >= 0 && row < count, "row \(row) of \(count) is added to")
            accumulate(target + row * width, 1, source + n * width, width)
        }
    }

    /// Multiplies row n with `factors[n]`.
    public mutating func scaleRows(by factors: [Float]) {
        require(factors.count == rows, "\(factors.count) factors for \(rows) rows")
        let (base, width) = (mutablePointer(), columns)
        Workers.split(rows, grain: max(1, 1 << 14 / max(1, width))) { rows in
            for row in rows {
                let start = base + row * width
                copy(start, times: factors[row], to: start, width)
            }
        }
    }

    /// Σ_i x_ni y_ni for each row n.
    public func rowProducts(with other: Tensor) -> [Float] {
        require(shape == other.shape, "row products of \(shape) and \(other.shape)")
        let (a, b, width) = (pointer, other.pointer, columns)
        return (0..<rows).map { dot(a + $0 * width, b + $0 * width, width) }
    }

    /// Adds `row` to every row.
    public mutating func addToRows(_ row: Tensor) {
        let (source, target, width) = (row.pointer, mutablePointer(), columns)
        require(row.count == width, "\(row.shape) is added to rows of \(shape)")
        for n in 0..<rows { accumulate(target + n * width, 1, source, width) }
    }

    /// Adds the sum of the rows of x to this row.
    public mutating func addSumOfRows(of x: Tensor) {
        let (source, target, width) = (x.pointer, mutablePointer(), x.columns)
        require(count == width, "rows of \(x.shape) are added to \(shape)")
        for row in 0..<x.rows { accumulate(target, 1, source + row * width, width) }
    }

    /// A matrix (N, parts · W) as its matrices (N, W), from left to right.
    public func splitColumns(_ parts: Int) -> [Tensor] {
        let width = columns / parts
        return (0..<parts).map { part in
            var out = Tensor(uninitialized: [rows, width])
            let (source, target) = (pointer + part * width, out.mutablePointer())
            for row in 0..<rows {
                (target + row * width).update(from: source + row * columns, count: width)
            }
            return out
        }
    }

    /// Matrices (N, W) side by side: (N, parts · W).
    public static func joiningColumns(_ parts: [Tensor]) -> Tensor {
        let (rows, width) = (parts.first?.rows ?? 0, parts.first?.columns ?? 0)
        require(
            parts.allSatisfy { $0.rows == rows && $0.columns == width },
            "columns of \(parts.map(\.shape)) are joined")
        let columns = width * parts.count
        var out = Tensor(uninitialized: [rows, columns])
        for (number, part) in parts.enumerated() {
            let (source, target) = (part.pointer, out.mutablePointer() + number * width)
            for row in 0..<rows {
                (target + row * columns).update(from: source + row * width, count: width)
            }
        }
        return out
    }
}
