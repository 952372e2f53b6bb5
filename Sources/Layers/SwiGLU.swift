import NumberTypes
import Tensors

/// The gate of a SwiGLU feed-forward layer (Shazeer, arXiv 2002.05202): y = silu(gate) · up,
/// with silu(g) = g · σ(g).
public enum SwiGLU {
    /// gate, up (N, F) → y (N, F), as float32 or bfloat16.
    public static func forward(
        gate: Tensor, up: Tensor, as format: StoredFormat = .float32
    ) -> Tensor {
        let (g, u) = (gate.pointer, up.pointer)
        return StoredResults.tensors(1, shape: gate.shape, format) { first, count, places in
            let (g, u, y) = (g + first, u + first, places[0])
            forEachVector(count) { i in
                let gate = g.vector(i)
                y.store(gate * sigmoid(gate) * u.vector(i), i)
            } last: { i in
                y[i] = g[i] * sigmoid(Vector(repeating: g[i]))[0] * u[i]
            }
        }[0]
    }

    /// `y = silu(g) · u` gives `du = dy · silu(g)` and `dg = dy · u · σ(g) · (1 + g · (1 − σ(g)))`.
    /// y comes with them, which costs little here, so that it need not be kept. All are (N, F), as
    /// float32 or bfloat16.
    public static func backward(
        _ dy: Tensor, gate: Tensor, up: Tensor, as format: StoredFormat = .float32
    ) -> (dgate: Tensor, dup: Tensor, y: Tensor) {
        let (d, g, u) = (dy.pointer, gate.pointer, up.pointer)
        let results = StoredResults.tensors(3, shape: gate.shape, format) { first, count, places in
            let (d, g, u) = (d + first, g + first, u + first)
            let (dg, du, y) = (places[0], places[1], places[2])
            forEachVector(count) { i in
                let (gate, up, dy) = (g.vector(i), u.vector(i), d.vector(i))
                let s = sigmoid(gate)
                let silu = gate * s
                y.store(silu * up, i)
                du.store(dy * silu, i)
                dg.store(dy * up * s * (1 + gate * (1 - s)), i)
            } last: { i in
                let (gate, up, dy) = (g[i], u[i], d[i])
                let s = sigmoid(Vector(repeating: gate))[0]
                let silu = gate * s
                y[i] = silu * up
                du[i] = dy * silu
                dg[i] = dy * up * s * (1 + gate * (1 - s))
            }
        }
        return (results[0], results[1], results[2])
    }

    @inline(__always)
    private static func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }
}
