import Foundation
import Tensors

/// Assigns rows to experts: the sparse mixture of Mixtral (Jiang et al., arXiv 2401.04088). Each
/// row goes to its k likeliest experts, weighted by a softmax over the chosen experts.
public struct Routing: Sendable {
    /// One row that one expert processes.
    public struct Visit: Sendable {
        public var row: Int
        public var weight: Float
    }
    /// The visits of each expert, in order of their rows.
    public var visits: [[Visit]]

    public func rows(of expert: Int) -> [Int] { visits[expert].map(\.row) }
    public func weights(of expert: Int) -> [Float] { visits[expert].map(\.weight) }
}

public enum Router {
    /// logits (N, E) → the `chosen` experts of each row. Of equal logits the first wins.
    public static func forward(_ logits: Tensor, chosen: Int) -> Routing {
        let experts = logits.columns
        var routing = Routing(visits: Array(repeating: [], count: experts))
        for row in 0..<logits.rows {
            let order = (0..<experts).sorted {
                let (a, b) = (logits[row, $0], logits[row, $1])
                return a == b ? $0 < $1 : a > b
            }.prefix(chosen)
            let top = order.first.map { logits[row, $0] } ?? 0
            let powers = order.map { exp(logits[row, $0] - top) }
            let sum = powers.reduce(0, +)
            for (expert, power) in zip(order, powers) {
                routing.visits[expert].append(.init(row: row, weight: power / sum))
            }
        }
        return routing
    }

    /// Returns the gradient of the logits (N, E), given ∂loss/∂weight of every visit by expert.
    ///
    /// `w = softmax(z over the chosen)` gives `dz_e = w_e · (dw_e − Σ w dw)`; the gradient of
    /// experts that were not chosen is zero.
    public static func backward(_ dweights: [[Float]], _ routing: Routing, rows: Int) -> Tensor {
        var dlogits = Tensor(zeros: [rows, routing.visits.count])
        var means = [Float](repeating: 0, count: rows)
        for (visits, dweights) in zip(routing.visits, dweights) {
            for (visit, dweight) in zip(visits, dweights) {
                means[visit.row] += visit.weight * dweight
            }
        }
        for (expert, visits) in routing.visits.enumerated() {
            for (visit, dweight) in zip(visits, dweights[expert]) {
                dlogits[visit.row, expert] = visit.weight * (dweight - means[visit.row])
            }
        }
        return dlogits
    }
}
