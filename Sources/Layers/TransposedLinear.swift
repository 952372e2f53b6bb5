import Tensors

/// y = x W + b with W (in, out): a linear layer whose checkpoints store the transposed weight, such
/// as GPT-2's "Conv1D".
public enum TransposedLinear {
    /// x (N, in) → (N, out).
    public static func forward(_ x: Tensor, weight: Tensor, bias: Tensor) -> Tensor {
        var out = Tensor(uninitialized: [x.rows, weight.columns])
        multiply(x, weight, into: &out)
        bias.add(toRowsOf: &out)
        return out
    }

    /// out += x W + b: the layer at the end of a sublayer, added to the residual stream.
    public static func forward(
        _ x: Tensor, weight: Tensor, bias: Tensor, addingTo out: inout Tensor
    ) {
        multiply(x, weight, into: &out, accumulate: true)
        bias.add(toRowsOf: &out)
    }

    /// The gradient of the input, `dx = dy Wᵀ`.
    public static func backwardInput(_ dy: Tensor, weight: Tensor, into dx: inout Tensor) {
        multiply(dy, transposed: weight, into: &dx)
    }

    /// The gradient of the weight, `dW += xᵀ dy`.
    public static func backwardWeight(_ dy: Tensor, _ x: Tensor, into dweight: inout Tensor) {
        multiply(transposed: x, dy, into: &dweight, accumulate: true)
    }
}

extension Tensor {
    /// Adds this row to every row of `out`.
    func add(toRowsOf out: inout Tensor) {
        let (source, target, width) = (pointer, out.mutablePointer(), out.columns)
        for row in 0..<out.rows { accumulate(target + row * width, 1, source, width) }
    }

    /// Splits a matrix (N, parts · W) into matrices (N, W) that stand side by side in it.
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

    /// Joins matrices (N, W) side by side: (N, parts · W).
    public static func joiningColumns(_ parts: [Tensor]) -> Tensor {
        let (rows, width) = (parts.first?.rows ?? 0, parts.first?.columns ?? 0)
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
