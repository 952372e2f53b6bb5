import Foundation
import Tensors

extension Attention {
    /// softmax(q kᵀ / √size) of one plain sequence, for a person who looks at attention. The fast
    /// pass never has this matrix; this is its slow reference, a loop in double precision.
    ///
    /// - Parameters:
    ///   - q: (T, H · size), rotated. `k`: (T, K · size), rotated.
    ///   - window: with a window W, a query sees itself and the W − 1 positions before it.
    ///   - heads: the query heads wanted.
    /// - Returns: (heads, T, T). A row belongs to a query and sums to 1; a key that the query does
    ///   not see has 0.
    public func probabilities(
        _ q: Tensor, _ k: Tensor, window: Int?, heads wanted: [Int]
    ) -> Tensor {
        let count = q.rows
        precondition(
            q.columns == heads * size && k.shape == [count, keyHeads * size],
            "queries and keys of one sequence")
        precondition(wanted.allSatisfy { (0..<heads).contains($0) }, "heads of this layer")
        var out = Tensor(zeros: [wanted.count, count, count])
        let (queries, keys, target) = (q.pointer, k.pointer, out.mutablePointer())
        for (index, head) in wanted.enumerated() {
            let keyHead = head * keyHeads / heads
            for row in 0..<count {
                let query = queries + (row * heads + head) * size
                let first = window.map { max(0, row + 1 - $0) } ?? 0
                var scores = (first...row).map { column in
                    let key = keys + (column * keyHeads + keyHead) * size
                    var sum = 0.0
                    for e in 0..<size { sum += Double(query[e]) * Double(key[e]) }
                    return sum / Double(size).squareRoot()
                }
                let largest = scores.max() ?? 0
                for i in scores.indices { scores[i] = exp(scores[i] - largest) }
                let total = scores.reduce(0, +)
                let line = target + (index * count + row) * count + first
                for (i, score) in scores.enumerated() { line[i] = Float(score / total) }
            }
        }
        withExtendedLifetime((q, k)) {}
        return out
    }
}
