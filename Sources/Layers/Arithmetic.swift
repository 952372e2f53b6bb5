import NumberTypes
import Tensors

/// The products of a model's layers: the one door between families and matrix kernels.
///
/// Every product with a weight matrix goes through a value of this type, which the weights of a
/// model carry (`ParameterSet.arithmetic`). Another precision is another value: it is handled in
/// this file, and no family or layer changes.
///
/// A weight W is stored (out, in), as in most checkpoints, or `transposed`, (in, out), as in
/// GPT-2's. Weights may be stored in 16 bits, or in blocks of 8-bit integers.
public struct Arithmetic: Sendable, Hashable {
    /// Products in float32, summed in float32, whatever the storage of the weights.
    public static let float32 = Arithmetic(kernel: nil)
    /// Products of operands rounded to bfloat16, summed in float32; nil if this processor has no
    /// instruction for them.
    public static let bfloat16 = BFloat16Matmul.available.map { Arithmetic(kernel: $0) }
    /// The same by plain vectors, which every processor has; slow.
    package static let portableBFloat16 = Arithmetic(kernel: .portable)

    private let kernel: BFloat16Matmul.Kernel?

    private init(kernel: BFloat16Matmul.Kernel?) { self.kernel = kernel }

    public var isBFloat16: Bool { kernel != nil }

    /// For fewer rows, as in generation, reading the weights takes the time, and the kernels of
    /// float32 read smaller weights as fast.
    private static let fewestRows = 9
    /// For fewer lines of a matrix, as of an adapter, a tile would be mostly empty.
    private static let fewestLines = 32

    /// The kernel for a product of two matrices, if it is to be computed in bfloat16.
    private func bfloat16(_ rows: Int, _ weight: Tensor) -> BFloat16Matmul? {
        guard let kernel, rows >= Self.fewestRows,
            min(weight.rows, weight.columns) >= Self.fewestLines, weight.format != .float16
        else { return nil }
        return BFloat16Matmul(kernel)
    }

    /// Whether products with this weight round it to bfloat16, each time from float32. Who computes
    /// many products with the same weight, as generation does, rounds it once.
    public func rounds(_ weight: Tensor) -> Bool {
        weight.shape.count == 2 && weight.format == .float32
            && bfloat16(Self.fewestRows, weight) != nil
    }

    /// Whether a product of `rows` rows with this weight rounds both to bfloat16.
    public func roundsRows(_ rows: Int, with weight: Tensor) -> Bool {
        bfloat16(rows, weight) != nil
    }

    /// The kernel for the products of attention, if they are to be computed in bfloat16; `rows` is
    /// the number of queries.
    func tiles(rows: Int) -> BFloat16Tiles? {
        rows < Self.fewestRows ? nil : kernel.map { BFloat16Tiles($0) }
    }

    /// `out = x Wᵀ (+ out)`: x (N, in) → out (N, out).
    public func product(
        _ x: Tensor, _ weight: Tensor, transposed: Bool = false, into out: inout Tensor,
        accumulate: Bool = false
    ) {
        switch (bfloat16(x.rows, weight), transposed) {
        case (let fast?, true): fast.multiply(x, weight, into: &out, accumulate: accumulate)
        case (let fast?, false):
            fast.multiply(x, transposed: weight, into: &out, accumulate: accumulate)
        case (nil, true): multiply(x, weight, into: &out, accumulate: accumulate)
        case (nil, false): multiply(x, transposed: weight, into: &out, accumulate: accumulate)
        }
    }

    /// x W_iᵀ for several weights (out_i, in). This is faster than one by one.
    public func products(_ x: Tensor, _ weights: [Tensor]) -> [Tensor] {
        let fast = weights.map { bfloat16(x.rows, $0) }
        if fast.allSatisfy({ $0 != nil }), let first = fast.first ?? nil {
            return first.multiply(x, transposed: weights)
        }
        return multiply(x, transposed: weights)
    }

    /// The gradient of the input, `dx = dy W (+ dx)`: dy (N, out) → dx (N, in).
    public func inputGradient(
        _ dy: Tensor, _ weight: Tensor, transposed: Bool = false, into dx: inout Tensor,
        accumulate: Bool = false
    ) {
        product(dy, weight, transposed: !transposed, into: &dx, accumulate: accumulate)
    }

    /// Accumulates the gradient of the weight, `dW += dyᵀ x`, or its transpose `dW += xᵀ dy`.
    public func addWeightGradient(
        _ dy: Tensor, _ x: Tensor, transposed: Bool = false, into dweight: inout Tensor
    ) {
        let (left, right) = transposed ? (x, dy) : (dy, x)
        if let fast = bfloat16(dy.rows, dweight) {
            fast.multiply(transposed: left, right, into: &dweight, accumulate: true)
        } else {
            multiply(transposed: left, right, into: &dweight, accumulate: true)
        }
    }

    /// The same for several weights (out_i, in) on the same x: `dW_i += dy_iᵀ x`. This is faster
    /// than one by one.
    public func addWeightGradients(_ dys: [Tensor], _ x: Tensor, into dweights: inout [Tensor]) {
        let fast = dweights.map { bfloat16(x.rows, $0) }
        if fast.allSatisfy({ $0 != nil }), let first = fast.first ?? nil {
            return first.add(transposed: dys, x, to: &dweights)
        }
        for i in dys.indices { addWeightGradient(dys[i], x, into: &dweights[i]) }
    }
}
