import Foundation
import NumberTypes
import Tensors

/// The Gaussian error linear unit (Hendrycks and Gimpel, arXiv 1606.08415) in the tanh form of
/// GPT-2 (`gelu_new`): y = x/2 · (1 + tanh(u)), u = √(2/π) · (x + 0.044715 x³).
///
/// Since (1 + tanh u) / 2 = σ(2u), y = x · σ(2u).
public enum GELU {
    private static let slope: Float = 0.797_884_56  // √(2/π)
    private static let cube: Float = 0.044715

    /// x (N, F) → (N, F), as float32 or bfloat16.
    public static func forward(_ x: Tensor, as format: StoredFormat = .float32) -> Tensor {
        let source = x.pointer
        return StoredResults.tensors(1, shape: x.shape, format) { first, count, places in
            let (x, y) = (source + first, places[0])
            forEachVector(count) { i in
                let x = x.vector(i)
                y.store(x * gate(x), i)
            } last: { i in
                y[i] = x[i] * gate(Vector(repeating: x[i]))[0]
            }
        }[0]
    }

    /// `y = x · s`, `s = σ(2u)` gives `dx = dy · s · (1 + 2 x (1 − s) · √(2/π) · (1 + 3 · 0.044715
    /// x²))`.
    ///
    /// Overwrites `x` with dx, because nothing reads `x` afterwards.
    public static func backward(_ dy: Tensor, _ x: inout Tensor) {
        let (up, values) = (dy.pointer, x.mutablePointer())
        Workers.split(dy.count, grain: 1 << 13) { range in
            var i = range.lowerBound
            while i &+ 16 <= range.upperBound {
                values.store(up.vector(i) * derivative(values.vector(i)), i)
                i &+= 16
            }
            while i < range.upperBound {
                values[i] = up[i] * derivative(Vector(repeating: values[i]))[0]
                i &+= 1
            }
        }
    }

    /// σ(2u)
    @inline(__always)
    private static func gate(_ x: Vector) -> Vector {
        let u: Vector = x * slope * (1 + x * x * cube)
        return 1 / (1 + exponential(u * -2))
    }

    @inline(__always)
    private static func derivative(_ x: Vector) -> Vector {
        let s = gate(x)
        let slopes: Vector = (1 + x * x * (3 * cube)) * (2 * slope)
        return s * (1 + x * (1 - s) * slopes)
    }
}

/// The definition in double precision, for the tests.
func slowGELU(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}
