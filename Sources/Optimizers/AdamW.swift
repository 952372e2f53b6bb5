import Foundation
import Tensors

extension OptimizerRule {
    /// AdamW (Loshchilov and Hutter, arXiv 1711.05101) as PyTorch defines it, with decoupled weight
    /// decay on matrices only:
    /// p ← p (1 − rate · decay);  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;
    /// p ← p − rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
    public static let adamw = OptimizerRule(
        name: "adamw", summary: "steadier on small models", moments: ["means", "squares"],
        settings: [
            .decay("beta1", 0.9), .decay("beta2", 0.999), .size("epsilon", 1e-8),
            .size("decay", 0.01),
        ]
    ) { parameter, gradient, moments, step in
        let isMatrix = parameter.shape.count > 1
        let (p, g) = (parameter.mutablePointer(), gradient.pointer)
        let (m, v) = (moments[0].mutablePointer(), moments[1].mutablePointer())
        let (beta1, beta2, epsilon) = (step["beta1"], step["beta2"], step["epsilon"])
        func correction(_ beta: Float) -> Float {
            1 - Float(pow(Double(beta), Double(step.number)))
        }
        let shrink = 1 - step.learningRate * (isMatrix ? step["decay"] : 0)
        let (first, second) = (step.learningRate / correction(beta1), 1 / correction(beta2))
        Workers.split(gradient.count, grain: 1 << 14) { range in
            var i = range.lowerBound
            while i &+ 16 <= range.upperBound {
                let gradient = g.vector(i)
                let mean = m.vector(i) * beta1 + gradient * (1 - beta1)
                let square = v.vector(i) * beta2 + gradient * gradient * (1 - beta2)
                m.store(mean, i)
                v.store(square, i)
                let step = mean * first / ((square * second).squareRoot() + epsilon)
                p.store(p.vector(i) * shrink - step, i)
                i &+= 16
            }
            while i < range.upperBound {
                m[i] = beta1 * m[i] + (1 - beta1) * g[i]
                v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
                p[i] = p[i] * shrink - m[i] * first / ((v[i] * second).squareRoot() + epsilon)
                i &+= 1
            }
        }
    }
}

extension Optimizer {
    public static func adamw(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, decay: Double = 0.01
    ) -> Optimizer {
        Optimizer(
            .adamw, ["beta1": beta1, "beta2": beta2, "epsilon": epsilon, "decay": decay])
    }
}
