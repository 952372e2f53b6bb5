import Layers
import Tensors

/// Token ids to rows; with a table of positions where a family learns them.
struct TokenEmbedding: Sendable {
    let table: Parameter
    var positions: Parameter?

    /// tokens (N) → (N, D)
    func forward(_ tokens: [Int32], _ places: [Int], _ weights: ParameterSet) -> Tensor {
        var x = Embedding.forward(tokens, table: weights[table])
        if let positions { x.add(weights[positions].gatheringRows(places)) }
        return x
    }

    /// Accumulates the gradients of the tables, for dx (N, D).
    func backward(
        _ dx: Tensor, _ tokens: [Int32], _ places: [Int], into gradients: inout ParameterSet
    ) {
        gradients.accumulate(table) { Embedding.backward(dx, tokens, into: &$0) }
        if let positions {
            gradients.accumulate(positions) { $0.scatterAdd(dx, toRows: places) }
        }
    }
}
