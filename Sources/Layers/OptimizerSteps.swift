import Tensors

// One optimizer step of one tensor, in place, as PyTorch defines it. The tests have slow reference
// versions.

/// v ← α v + (1 − α) g²;  p ← p − rate · g / (√v + ε)
public func rmspropStep(
    _ parameter: inout Tensor, _ gradient: Tensor, _ square: inout Tensor,
    rate: Float, alpha: Float, epsilon: Float
) {
    let (p, v, g) = (parameter.mutablePointer(), square.mutablePointer(), gradient.pointer)
    Workers.split(gradient.count, grain: 1 << 14) { range in
        var i = range.lowerBound
        while i &+ 16 <= range.upperBound {
            let gradient = g.vector(i)
            let square = v.vector(i) * alpha + gradient * gradient * (1 - alpha)
            v.store(square, i)
            p.store(p.vector(i) - gradient / (square.squareRoot() + epsilon) * rate, i)
            i &+= 16
        }
        while i < range.upperBound {
            v[i] = alpha * v[i] + (1 - alpha) * g[i] * g[i]
            p[i] -= rate * g[i] / (v[i].squareRoot() + epsilon)
            i &+= 1
        }
    }
}

/// Decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101):
/// p ← p (1 − rate · decay);  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;
/// p ← p − rate · (m / correction₁) / (√(v / correction₂) + ε)
public func adamStep(
    _ parameter: inout Tensor, _ gradient: Tensor, _ mean: inout Tensor, _ square: inout Tensor,
    rate: Float, betas: (Float, Float), corrections: (Float, Float), epsilon: Float, decay: Float
) {
    let (p, g) = (parameter.mutablePointer(), gradient.pointer)
    let (m, v) = (mean.mutablePointer(), square.mutablePointer())
    let shrink = 1 - rate * decay
    let (first, second) = (rate / corrections.0, 1 / corrections.1)
    Workers.split(gradient.count, grain: 1 << 14) { range in
        var i = range.lowerBound
        while i &+ 16 <= range.upperBound {
            let gradient = g.vector(i)
            let mean = m.vector(i) * betas.0 + gradient * (1 - betas.0)
            let square = v.vector(i) * betas.1 + gradient * gradient * (1 - betas.1)
            m.store(mean, i)
            v.store(square, i)
            let step = mean * first / ((square * second).squareRoot() + epsilon)
            p.store(p.vector(i) * shrink - step, i)
            i &+= 16
        }
        while i < range.upperBound {
            m[i] = betas.0 * m[i] + (1 - betas.0) * g[i]
            v[i] = betas.1 * v[i] + (1 - betas.1) * g[i] * g[i]
            p[i] = p[i] * shrink - m[i] * first / ((v[i] * second).squareRoot() + epsilon)
            i &+= 1
        }
    }
}
