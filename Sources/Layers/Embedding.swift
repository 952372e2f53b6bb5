import Tensors

/// Rows of a table, by token: y_n = W[token_n].
public enum Embedding {
    /// tokens (N), each below the table's rows; table (V, D) → (N, D).
    public static func forward(_ tokens: [Int32], table: Tensor) -> Tensor {
        table.gatheringRows(tokens.map(Int.init))
    }

    /// `dW[token_n] += dy_n`
    public static func backward(_ dy: Tensor, _ tokens: [Int32], into dtable: inout Tensor) {
        dtable.scatterAdd(dy, toRows: tokens.map(Int.init))
    }
}
