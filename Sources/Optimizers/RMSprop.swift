import Foundation
import Tensors

extension OptimizerRule {
    /// RMSprop (Hinton's lecture 6e) as PyTorch defines it, ε outside of the root:
    /// v ← α v + (1 − α) g²;  p ← p − rate · g / (√v + ε)
    ///
    /// Its mean of squares begins at zero, which makes step t larger by 1/√(1 − αᵗ): ten times at
    /// first. `ramp` multiplies the learning rate by √(1 − αᵗ) and so takes this back.
    public static let rmsprop = OptimizerRule(
        name: "rmsprop", summary: "the paper's", moments: ["squares"],
        settings: [.decay("alpha", 0.99), .size("epsilon", 1e-8), .flag("ramp")],
        rateFactor: { step, settings in
            guard let alpha = settings["alpha"], settings["ramp"] == 1 else { return 1 }
            return (1 - pow(alpha, Double(step))).squareRoot()
        }, apply: stepRMSprop)

    @Sendable private static func stepRMSprop(
        _ parameter: inout Tensor, _ gradient: Tensor, _ moments: inout [Tensor], _ step: Step
    ) {
        let (p, v, g) = (
            parameter.mutablePointer(), moments[0].mutablePointer(), gradient.pointer
        )
        let (rate, alpha, epsilon) = (step.learningRate, step["alpha"], step["epsilon"])
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
}

extension Optimizer {
    public static func rmsprop(alpha: Double = 0.99, epsilon: Double = 1e-8) -> Optimizer {
        Optimizer(.rmsprop, ["alpha": alpha, "epsilon": epsilon])
    }
}
