import Tensors

/// Rows of a table, by token: y_n = W[token_n].
public enum Embedding {
    /// tokens (N), each below the table's rows; table (V, D) → (N, D).
    public static func forward(_ tokens: [Int32], table: Tensor) -> Tensor {
        gather(tokens.map(Int.init), from: table)
    }

    /// `dW[token_n] += dy_n`
    public static func backward(_ dy: Tensor, _ tokens: [Int32], into dtable: inout Tensor) {
        scatterAdd(dy, tokens.map(Int.init), into: &dtable)
    }

    /// The rows of x with these indexes, in this order.
    public static func gather(_ rows: [Int], from x: Tensor) -> Tensor {
        let width = x.columns
        var out = Tensor(uninitialized: [rows.count, width])
        let (source, type, target) = (x.address, x.type, out.mutablePointer())
        for (n, row) in rows.enumerated() {
            widen(source + row * width * type.size, type, width, into: target + n * width)
        }
        return out
    }

    /// `out[rows_n] += x_n`; a row may occur more than once.
    public static func scatterAdd(_ x: Tensor, _ rows: [Int], into out: inout Tensor) {
        let width = x.columns
        let (source, target) = (x.pointer, out.mutablePointer())
        for (n, row) in rows.enumerated() {
            accumulate(target + row * width, 1, source + n * width, width)
        }
    }
}
