/// Divides the columns of several products among the workers as one piece of work.
enum ColumnShares {
    /// The workers divide columns in multiples of this: whole strips of every kernel for few rows.
    private static let grain = 12

    /// Calls `body` with the number of a product and a range of its columns, until all are done.
    ///
    /// - Parameters:
    ///   - columns: the number of columns of each product.
    ///   - terms: multiplications that one column takes.
    static func forEach(
        _ columns: [Int], terms: Int, _ body: (_ product: Int, _ columns: Range<Int>) -> Void
    ) {
        let total = columns.reduce(0, +)
        guard total * terms > 1 << 16 else {
            for (product, count) in columns.enumerated() where count > 0 {
                body(product, 0..<count)
            }
            return
        }
        // A few shares, claimed by whichever worker is free, so that a descheduled worker does not
        // delay the others for long. Not more of them: each begins with a wait for memory.
        let share = (total / (3 * Workers.count) / grain + 1) * grain
        var shares: [(product: Int, columns: Range<Int>)] = []
        for (product, count) in columns.enumerated() {
            for first in stride(from: 0, to: count, by: share) {
                shares.append((product, first..<min(first + share, count)))
            }
        }
        Workers.each(shares.count) { index, _ in body(shares[index].product, shares[index].columns)
        }
    }
}
