/// The parts that the loss of one query is the mean of, for a person who asks where it comes from.
///
/// A row belongs to a constitution i of a C×C block and asks which response was sampled under it:
/// `loss_i = lse_j S_ij − S_ii`. A column belongs to a response j and asks which constitution it
/// was sampled under: `loss_j = lse_i S_ij − S_jj`. `Contrast` has the means.
public struct ContrastParts: Sendable {
    public struct Part: Sendable {
        /// The number of the block, from 0.
        public let grid: Int
        /// Of a row its constitution, of a column its response.
        public let index: Int
        /// The place on the diagonal in the block: the right answer.
        public let label: Int
        /// The softmax of the C scores.
        public let shares: [Double]
        /// −log of the right answer's share, in nats.
        public let loss: Double

        /// Whether no other answer has a larger share.
        public var isRight: Bool { shares[label] == shares.max() }
    }

    /// By block, then constitution.
    public let rows: [Part]
    /// One for each response.
    public let columns: [Part]
    public let contrast: Contrast

    /// - Throws: as `Contrast`.
    public init(_ scores: ScoreMatrix, query: String) throws {
        contrast = try Contrast(scores, query: query)
        let count = scores.constitutions
        var (rows, columns): ([Part], [Part]) = ([], [])
        for grid in 0..<contrast.grids {
            let first = grid * count
            for i in 0..<count {
                let across = LogSoftmax((0..<count).map { scores[i, first + $0] })
                let down = LogSoftmax((0..<count).map { scores[$0, first + i] })
                rows.append(
                    Part(
                        grid: grid, index: i, label: i, shares: (0..<count).map(across.share),
                        loss: across.loss(at: i)))
                columns.append(
                    Part(
                        grid: grid, index: first + i, label: i,
                        shares: (0..<count).map(down.share), loss: down.loss(at: i)))
            }
        }
        (self.rows, self.columns) = (rows, columns)
    }

    /// The response whose own constitution explains it worst, by the loss of its column.
    public var worst: Part { columns.max { $0.loss < $1.loss } ?? columns[0] }
}
