import Foundation
import NumberTypes
import Tensors

/// Layer normalization (Ba, Kiros, Hinton, arXiv 1607.06450):
/// y = (x − mean(x)) / √(var(x) + ε) · weight + bias.
public struct LayerNorm: Sendable {
    public let epsilon: Float

    public init(epsilon: Float) { self.epsilon = epsilon }

    /// x (N, D), weight (D), bias (D) → (N, D), as float32 or bfloat16.
    public func forward(
        _ x: Tensor, weight: Tensor, bias: Tensor, as format: StoredFormat = .float32
    ) -> Tensor {
        let d = x.columns
        let (source, scale, shift) = (x.pointer, weight.pointer, bias.pointer)
        return StoredResults.rows(x.shape, format) { row, y in
            let x = source + row * d
            let (mean, inverse) = moments(x, d)
            var i = 0
            while i &+ 16 <= d {
                let normed = (x.vector(i) - mean) * inverse
                y.store(shift.vector(i).addingProduct(normed, scale.vector(i)), i)
                i &+= 16
            }
            while i < d {
                y[i] = (x[i] - mean) * inverse * scale[i] + shift[i]
                i &+= 1
            }
        }
    }

    /// Accumulates the gradients of the input, the weight and the bias into `dx` (N, D), `dweight`
    /// (D) and `dbias` (D), given `dy` (N, D).
    ///
    /// With n = (x − mean) · r, r = 1 / √(var + ε) and g = dy · w:  y = n · w + b  gives
    ///     db += Σ_rows dy,   dw += Σ_rows dy · n
    ///     dx += r · (g − mean(g) − n · mean(g · n))
    public func backward(
        _ dy: Tensor, _ x: Tensor, weight: Tensor, into dx: inout Tensor, _ dweight: inout Tensor,
        _ dbias: inout Tensor
    ) {
        let d = x.columns
        let workers = Workers.count
        // Each worker sums its own rows; the partial sums are then added in a fixed order.
        var partial = Tensor(zeros: [2 * workers, d])
        let (source, scale, up) = (x.pointer, weight.pointer, dy.pointer)
        let (target, parts) = (dx.mutablePointer(), partial.mutablePointer())
        let (rows, size) = (x.rows, grain(d))
        let pieces = max(1, min(workers, rows / size))
        Workers.run { worker in
            guard worker < pieces else { return }
            let (weights, biases) = (parts + 2 * worker * d, parts + (2 * worker + 1) * d)
            for row in rows * worker / pieces..<rows * (worker + 1) / pieces {
                backwardRow(
                    up + row * d, source + row * d, scale, target + row * d, weights, biases, d)
            }
        }
        let (weights, biases) = (dweight.mutablePointer(), dbias.mutablePointer())
        for worker in 0..<pieces {
            accumulate(weights, 1, parts + 2 * worker * d, d)
            accumulate(biases, 1, parts + (2 * worker + 1) * d, d)
        }
        withExtendedLifetime(partial) {}
    }

    @inline(__always)
    private func backwardRow(
        _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ scale: UnsafePointer<Float>,
        _ dx: UnsafeMutablePointer<Float>, _ weights: UnsafeMutablePointer<Float>,
        _ biases: UnsafeMutablePointer<Float>, _ d: Int
    ) {
        let (mean, inverse) = moments(x, d)
        var (sum, product) = (Vector.zero, Vector.zero)
        var i = 0
        while i &+ 16 <= d {
            let (up, normed) = (dy.vector(i), (x.vector(i) - mean) * inverse)
            let g = up * scale.vector(i)
            sum += g
            product = product.addingProduct(g, normed)
            weights.store(weights.vector(i).addingProduct(up, normed), i)
            biases.store(biases.vector(i) + up, i)
            i &+= 16
        }
        var (meanG, meanGN) = (sum.sum(), product.sum())
        while i < d {
            let normed = (x[i] - mean) * inverse
            meanG += dy[i] * scale[i]
            meanGN += dy[i] * scale[i] * normed
            weights[i] += dy[i] * normed
            biases[i] += dy[i]
            i &+= 1
        }
        meanG /= Float(d)
        meanGN /= Float(d)
        i = 0
        while i &+ 16 <= d {
            let normed = (x.vector(i) - mean) * inverse
            let pull = dy.vector(i) * scale.vector(i) - meanG - normed * meanGN
            dx.store(dx.vector(i).addingProduct(pull, Vector(repeating: inverse)), i)
            i &+= 16
        }
        while i < d {
            let normed = (x[i] - mean) * inverse
            dx[i] += inverse * (dy[i] * scale[i] - meanG - normed * meanGN)
            i &+= 1
        }
    }

    /// mean(x) and 1 / √(var(x) + ε). The variance is computed from the differences to the mean, so
    /// that large means lose no digits.
    @inline(__always)
    private func moments(_ x: UnsafePointer<Float>, _ d: Int) -> (mean: Float, inverse: Float) {
        var lanes = Vector.zero
        var i = 0
        while i &+ 16 <= d {
            lanes += x.vector(i)
            i &+= 16
        }
        var sum = lanes.sum()
        while i < d {
            sum += x[i]
            i &+= 1
        }
        let mean = sum / Float(d)
        var squares = Vector.zero
        i = 0
        while i &+ 16 <= d {
            let difference = x.vector(i) - mean
            squares = squares.addingProduct(difference, difference)
            i &+= 16
        }
        var variance = squares.sum()
        while i < d {
            variance += (x[i] - mean) * (x[i] - mean)
            i &+= 1
        }
        return (mean, 1 / (variance / Float(d) + epsilon).squareRoot())
    }

    private func grain(_ d: Int) -> Int { max(1, 1 << 13 / max(1, d)) }
}

/// The same product in plain loops and double precision, for the tests.
func slowLayerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Double) -> [Double] {
    let d = x.columns
    return (0..<x.rows).flatMap { row in
        let values = (0..<d).map { Double(x[row, $0]) }
        let mean = values.reduce(0, +) / Double(d)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d)
        return (0..<d).map {
            (values[$0] - mean) / (variance + epsilon).squareRoot() * Double(weight[$0])
                + Double(bias[$0])
        }
    }
}
