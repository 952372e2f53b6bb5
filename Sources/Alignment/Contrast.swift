import Foundation

/// The scores of one query: `S[i, j]`, log-prob of response `j` under constitution `i`, in nats.
public struct ScoreMatrix: Sendable, Codable, Hashable {
    /// C, the number of rows.
    public let constitutions: Int
    /// R, the number of columns.
    public let responses: Int
    /// Row after row.
    public var values: [Double]

    public init(constitutions: Int, responses: Int, values: [Double]) throws {
        let (count, overflow) = constitutions.multipliedReportingOverflow(by: responses)
        guard constitutions >= 0, responses >= 0, !overflow, values.count == count else {
            throw AlignmentError.scoreShape(
                constitutions: constitutions, responses: responses, values: values.count)
        }
        self.constitutions = constitutions
        self.responses = responses
        self.values = values
    }

    private enum Key: String, CodingKey { case constitutions, responses, values }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        try self.init(
            constitutions: container.decode(Int.self, forKey: .constitutions),
            responses: container.decode(Int.self, forKey: .responses),
            values: container.decode([Double].self, forKey: .values))
    }

    init(zeros constitutions: Int, _ responses: Int) {
        self.constitutions = constitutions
        self.responses = responses
        values = Array(repeating: 0, count: constitutions * responses)
    }

    public subscript(constitution: Int, response: Int) -> Double {
        get { values[constitution * responses + response] }
        set { values[constitution * responses + response] = newValue }
    }
}

/// The symmetric InfoNCE loss of one query and its derivative, in double precision.
///
/// For each of the k blocks of C×C scores, where `lse` is the logarithm of a sum of exponentials:
/// `row = mean_i [lse_j S_ij − S_ii]`, `column = mean_j [lse_i S_ij − S_jj]`, `loss = ½ (row +
/// column)`; the result is the mean over the blocks. A row asks which response was sampled under
/// its constitution, a column which constitution its response was sampled under.
///
/// Van den Oord, Li, Vinyals: Representation learning with contrastive predictive coding, 2018;
/// Fränken et al.: Self-supervised alignment with mutual information, 2024.
public struct Contrast: Sendable, Codable, Hashable {
    /// C.
    public let constitutions: Int
    /// k, the number of C×C blocks.
    public let grids: Int
    /// Nats.
    public let row: Double
    /// Nats.
    public let column: Double
    /// Share of rows whose largest score is on the diagonal; a tie of n scores counts as 1/n.
    public let rowAccuracy: Double
    /// Share of columns whose largest score is on the diagonal.
    public let columnAccuracy: Double
    /// `∂loss/∂S`, of the shape of S.
    public let gradient: ScoreMatrix

    /// Nats: `½ (row + column)`.
    public var loss: Double { (row + column) / 2 }
    /// `log C`, the largest value that the bounds below can take, however much information there
    /// is.
    public var ceiling: Double { log(Double(constitutions)) }
    /// `log C − row`, a lower-bound estimate of the conditional mutual information, in nats.
    public var rowBound: Double { ceiling - row }
    /// `log C − column`, a second lower-bound estimate.
    public var columnBound: Double { ceiling - column }
    /// `log C − loss`, the mean of the two bounds.
    public var bound: Double { ceiling - loss }

    /// - Throws: `AlignmentError.contrastShape` unless C ≥ 2 and R is a positive multiple of C,
    ///   `.scoreNotFinite` if an entry of S is not finite.
    public init(_ scores: ScoreMatrix, query: String) throws {
        let count = scores.constitutions
        guard count >= 2, scores.responses >= count, scores.responses % count == 0 else {
            throw AlignmentError.contrastShape(
                query: query, constitutions: count, responses: scores.responses)
        }
        if let bad = scores.values.firstIndex(where: { !$0.isFinite }) {
            throw AlignmentError.scoreNotFinite(
                query: query, constitution: bad / scores.responses, response: bad % scores.responses
            )
        }
        let grids = scores.responses / count
        let share = 1 / Double(grids * count)
        var gradient = ScoreMatrix(zeros: count, scores.responses)
        var row = 0.0
        var column = 0.0
        var rowAccuracy = 0.0
        var columnAccuracy = 0.0
        for first in stride(from: 0, to: scores.responses, by: count) {
            for i in 0..<count {
                let across = LogSoftmax((0..<count).map { scores[i, first + $0] })
                row += share * across.loss(at: i)
                rowAccuracy += share * across.credit(at: i)
                let down = LogSoftmax((0..<count).map { scores[$0, first + i] })
                column += share * down.loss(at: i)
                columnAccuracy += share * down.credit(at: i)
                // ∂row/∂S_ij = softmax_j(S_i·) − δ_ij, ∂column/∂S_ji = softmax_j(S_·i) − δ_ij.
                for j in 0..<count {
                    let label = i == j ? 1.0 : 0.0
                    gradient[i, first + j] += share / 2 * (across.share(of: j) - label)
                    gradient[j, first + i] += share / 2 * (down.share(of: j) - label)
                }
            }
        }
        constitutions = count
        self.grids = grids
        self.row = row
        self.column = column
        self.rowAccuracy = rowAccuracy
        self.columnAccuracy = columnAccuracy
        self.gradient = gradient
    }
}

/// One softmax over a few scores.
struct LogSoftmax {
    let scores: [Double]
    let largest: Double
    /// `Σ exp(score − largest)`.
    let sum: Double

    init(_ scores: [Double]) {
        self.scores = scores
        let largest = scores.max() ?? 0
        self.largest = largest
        sum = scores.reduce(0) { $0 + exp($1 - largest) }
    }

    func loss(at label: Int) -> Double { log(sum) - (scores[label] - largest) }
    func share(of index: Int) -> Double { exp(scores[index] - largest) / sum }
    func credit(at label: Int) -> Double {
        scores[label] == largest ? 1 / Double(scores.count { $0 == largest }) : 0
    }
}

/// Means over queries; each query has the same weight.
public struct ContrastSummary: Sendable, Codable, Hashable {
    public var queries: Int
    public var loss = 0.0
    public var row = 0.0
    public var column = 0.0
    public var rowAccuracy = 0.0
    public var columnAccuracy = 0.0
    public var rowBound = 0.0
    public var columnBound = 0.0
    public var bound = 0.0
    /// Mean of log C.
    public var ceiling = 0.0

    /// Without queries every figure is zero.
    public init(_ contrasts: [Contrast]) {
        queries = contrasts.count
        guard queries > 0 else { return }
        func mean(_ value: (Contrast) -> Double) -> Double {
            contrasts.reduce(0) { $0 + value($1) } / Double(contrasts.count)
        }
        loss = mean(\.loss)
        row = mean(\.row)
        column = mean(\.column)
        rowAccuracy = mean(\.rowAccuracy)
        columnAccuracy = mean(\.columnAccuracy)
        rowBound = mean(\.rowBound)
        columnBound = mean(\.columnBound)
        bound = mean(\.bound)
        ceiling = mean(\.ceiling)
    }
}
