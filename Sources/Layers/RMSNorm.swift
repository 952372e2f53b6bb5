import NumberTypes
import Tensors

/// Root-mean-square normalization (Zhang and Sennrich, arXiv 1910.07467): y = x / rms(x) · weight.
public struct RMSNorm: Sendable {
    public let epsilon: Float

    public init(epsilon: Float) { self.epsilon = epsilon }

    /// x (N, D), weight (D) → (N, D), as float32 or bfloat16.
    public func forward(
        _ x: Tensor, weight: Tensor, as format: StoredFormat = .float32
    ) -> Tensor {
        let d = x.columns
        let (source, scale) = (x.pointer, weight.pointer)
        return StoredResults.rows(x.shape, format) { row, y in
            let x = source + row * d
            let inverse = inverseRoot(x, d)
            var i = 0
            while i &+ 16 <= d {
                y.store(x.vector(i) * scale.vector(i) * inverse, i)
                i &+= 16
            }
            while i < d {
                y[i] = x[i] * scale[i] * inverse
                i &+= 1
            }
        }
    }

    /// Accumulates the gradients of the input and the weight into `dx` (N, D) and `dweight` (D).
    ///
    /// With r = 1 / rms(x):  y = x · r · w  gives
    ///     dw += Σ_rows dy · x · r
    ///     dx += r · (dy · w) − x · r³ / D · Σ_i dy_i w_i x_i
    public func backward(
        _ dy: Tensor, _ x: Tensor, weight: Tensor, into dx: inout Tensor, _ dweight: inout Tensor
    ) {
        let d = x.columns
        let workers = Workers.count
        // Each worker sums its own rows; the partial sums are then added in a fixed order.
        var partial = Tensor(zeros: [workers, d])
        let (source, scale, up) = (x.pointer, weight.pointer, dy.pointer)
        let (target, parts) = (dx.mutablePointer(), partial.mutablePointer())
        let (rows, size) = (x.rows, grain(d))
        let pieces = max(1, min(workers, rows / size))
        Workers.run { worker in
            guard worker < pieces else { return }
            let sums = parts + worker * d
            for row in rows * worker / pieces..<rows * (worker + 1) / pieces {
                let (x, dy, dx) = (source + row * d, up + row * d, target + row * d)
                let inverse = inverseRoot(x, d)
                var i = 0
                var lanes = Vector.zero
                while i &+ 16 <= d {
                    let product = dy.vector(i) * x.vector(i)
                    lanes = lanes.addingProduct(product, scale.vector(i))
                    sums.store(
                        sums.vector(i).addingProduct(product, Vector(repeating: inverse)), i)
                    i &+= 16
                }
                var sum = lanes.sum()
                while i < d {
                    sum += dy[i] * x[i] * scale[i]
                    sums[i] += dy[i] * x[i] * inverse
                    i &+= 1
                }
                let pull = -sum * inverse * inverse * inverse / Float(d)
                i = 0
                while i &+ 16 <= d {
                    let direct = dx.vector(i).addingProduct(
                        dy.vector(i) * scale.vector(i), Vector(repeating: inverse))
                    dx.store(direct.addingProduct(x.vector(i), Vector(repeating: pull)), i)
                    i &+= 16
                }
                while i < d {
                    dx[i] += dy[i] * scale[i] * inverse + x[i] * pull
                    i &+= 1
                }
            }
        }
        let total = dweight.mutablePointer()
        for worker in 0..<pieces { accumulate(total, 1, parts + worker * d, d) }
        withExtendedLifetime(partial) {}
    }

    /// 1 / sqrt(mean(x²) + ε)
    @inline(__always)
    private func inverseRoot(_ x: UnsafePointer<Float>, _ d: Int) -> Float {
        1 / (dot(x, x, d) / Float(d) + epsilon).squareRoot()
    }

    private func grain(_ d: Int) -> Int { max(1, 1 << 13 / max(1, d)) }
}
