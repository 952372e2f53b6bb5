import Layers
import LongWork
import Tensors

/// A token whose log-prob is wanted, and the row that predicts it.
public struct Target: Sendable, Hashable {
    /// The flat row of the forest whose next token this is.
    public var row: Int
    public var token: Int32

    public init(row: Int, token: Int32) {
        self.row = row
        self.token = token
    }
}

extension LanguageModel {
    /// log p(token | everything its row sees), in nats, for each target in order.
    ///
    /// - Parameter watch: asked before every block and within the head.
    /// - Throws: `ModelError` if the forest is empty or longer than the context, or has a token
    ///   outside the vocabulary; `Canceled`.
    public func logProbs(
        _ forest: TokenForest, _ targets: [Target], watch: Watch = { _ in .more }
    ) throws -> [Float] {
        try check(forest, targets)
        let scored = ScoredRows(targets)
        let passage = Passage(whole: configuration.layers)
        let logProbs = try logProbs(family, forest, scored, passage, watch)
        return scored.inTargetOrder(logProbs ?? [])
    }

    /// A stage's part of it, in the order of rows; nil before the last stage.
    func logProbs(
        _ family: some Family, _ forest: TokenForest, _ scored: ScoredRows, _ passage: Passage,
        _ watch: Watch
    ) throws(Canceled) -> [Float]? {
        let cost = PassCost(self, rows: forest.tokens.count, scored: scored.rows.count)
        let blocks = Double(cost.layers)
        let hidden = try hiddenRows(family, forest, scored.rows, passage) {
            watch($0 * blocks / cost.forward)
        }
        guard let hidden else { return nil }
        return try ScoredHead.forward(
            hidden, weight: parameters[family.head], scored.tokens, parameters.arithmetic,
            watch: { watch((blocks + $0 * cost.head) / cost.forward) })
    }

    /// The final hidden states of some rows after the last norm, as input for the head: (M, D).
    /// Nil before the last stage, which sends its rows to the next one.
    func hiddenRows(
        _ family: some Family, _ forest: TokenForest, _ rows: [Int], _ passage: Passage,
        _ watch: Watch
    ) throws(Canceled) -> Tensor? {
        let pass = StagePass(
            model: self, passage: passage, keepsActivations: false, lowest: .max)
        let output = try pass.forward(family, forest, rows, watch).output
        return passage.stage.isLast ? family.applyFinalNorm(output, parameters) : nil
    }

    /// The same of a whole model.
    func hiddenRows(
        _ forest: TokenForest, _ rows: [Int], _ watch: Watch
    ) throws(Canceled) -> Tensor {
        let passage = Passage(whole: configuration.layers)
        return try hiddenRows(family, forest, rows, passage, watch) ?? Tensor(zeros: [0])
    }
}

/// Targets by row. The last row of a prompt predicts the first token of each of its responses, but
/// its logits are needed only once.
struct ScoredRows {
    var rows: [Int] = []
    var tokens = ScoredHead.Rows()
    /// For each token in `tokens`, the index of its target.
    private var order: [Int]

    init(_ targets: [Target]) {
        order = targets.indices.sorted { (targets[$0].row, $0) < (targets[$1].row, $1) }
        var i = 0
        while i < order.count {
            let row = targets[order[i]].row
            var end = i
            while end < order.count, targets[order[end]].row == row { end += 1 }
            rows.append(row)
            tokens.append(order[i..<end].map { targets[$0].token })
            i = end
        }
    }

    func inTargetOrder(_ values: [Float]) -> [Float] {
        var result = values
        for (i, target) in order.enumerated() { result[target] = values[i] }
        return result
    }

    func inRowOrder(_ values: [Float]) -> [Float] { order.map { values[$0] } }
}
