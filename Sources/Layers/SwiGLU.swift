import Tensors

/// The gate of a SwiGLU feed-forward layer (Shazeer, arXiv 2002.05202): y = silu(gate) · up,
/// with silu(g) = g · σ(g).
public enum SwiGLU {
    /// gate, up (N, F) → (N, F).
    public static func forward(gate: Tensor, up: Tensor) -> Tensor {
        var out = Tensor(uninitialized: gate.shape)
        let (g, u, y) = (gate.pointer, up.pointer, out.mutablePointer())
        Workers.split(gate.count, grain: 1 << 13) { range in
            forEachVector(range) { i in
                let gate = g.vector(i)
                y.store(gate * sigmoid(gate) * u.vector(i), i)
            } last: { i in
                y[i] = g[i] * sigmoid(Vector(repeating: g[i]))[0] * u[i]
            }
        }
        return out
    }

    /// `y = silu(g) · u` gives `du = dy · silu(g)` and `dg = dy · u · σ(g) · (1 + g · (1 − σ(g)))`.
    public static func backward(
        _ dy: Tensor, gate: Tensor, up: Tensor
    ) -> (dgate: Tensor, dup: Tensor) {
        var (dgate, dup) = (Tensor(uninitialized: gate.shape), Tensor(uninitialized: up.shape))
        let (d, g, u) = (dy.pointer, gate.pointer, up.pointer)
        let (dg, du) = (dgate.mutablePointer(), dup.mutablePointer())
        Workers.split(dy.count, grain: 1 << 13) { range in
            forEachVector(range) { i in
                let (gate, dy) = (g.vector(i), d.vector(i))
                let s = sigmoid(gate)
                dg.store(dy * u.vector(i) * s * (1 + gate * (1 - s)), i)
                du.store(dy * gate * s, i)
            } last: { i in
                let (gate, up) = (g[i], u[i])
                let s = sigmoid(Vector(repeating: gate))[0]
                dg[i] = d[i] * up * s * (1 + gate * (1 - s))
                du[i] = d[i] * gate * s
            }
        }
        return (dgate, dup)
    }

    @inline(__always)
    private static func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exponential(-x)) }

    @inline(__always)
    private static func forEachVector(
        _ range: Range<Int>, _ body: (Int) -> Void, last: (Int) -> Void
    ) {
        var i = range.lowerBound
        while i &+ 16 <= range.upperBound {
            body(i)
            i &+= 16
        }
        while i < range.upperBound {
            last(i)
            i &+= 1
        }
    }
}
