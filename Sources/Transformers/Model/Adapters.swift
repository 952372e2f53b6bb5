import Foundation
import Layers
import Tensors

/// Which projections of a model carry a low-rank adapter, and of what size (LoRA: Hu et al.,
/// arXiv 2106.09685).
public struct AdapterConfiguration: Sendable, Hashable {
    public enum Scaling: String, Sendable, CaseIterable {
        /// α / r.
        case standard
        /// α / √r (Kalajdzievski, arXiv 2312.03732).
        case rankStabilized
    }

    public var rank: Int
    public var alpha: Double
    public var scaling: Scaling
    /// Names of projections, whole or the last parts of one, such as "q_proj".
    public var targets: Set<String>

    public init(
        rank: Int, alpha: Double, scaling: Scaling = .standard, targets: Set<String>
    ) {
        self.rank = rank
        self.alpha = alpha
        self.scaling = scaling
        self.targets = targets
    }

    /// What the product of the two matrices is multiplied with.
    public var scale: Double {
        alpha / (scaling == .standard ? Double(rank) : Double(rank).squareRoot())
    }

    func includes(_ name: String) -> Bool {
        targets.contains { name == $0 || name.hasSuffix("." + $0) }
    }
}

extension LanguageModel {
    /// The same model with an adapter on every target, which alone train: A begins normal, B at
    /// zero, so that the new model gives the same results as this one. Weights are shared with this
    /// model.
    ///
    /// An adapter's tensors follow their projection's in the layout, under the projection's name
    /// with `.lora_A.weight` (r, in) and `.lora_B.weight` (out, r).
    /// - Throws: `ModelError.badSetting` if no projection is a target, for a rank or a scale out of
    ///   range, or if this model has an adapter already.
    public func adding(_ adapter: AdapterConfiguration, key: RandomKey) throws -> LanguageModel {
        func refuse(_ name: String, _ value: String, _ allowed: String) -> ModelError {
            .badSetting(name: name, value: value, allowed: allowed)
        }
        guard configuration.adapter == nil else {
            throw refuse("adapter", "another", "the model has one; merge it first")
        }
        guard adapter.rank >= 1, adapter.rank <= 1 << 14 else {
            throw refuse("rank", "\(adapter.rank)", "it is between 1 and 16384")
        }
        guard adapter.scale.isFinite else {
            throw refuse("alpha", "\(adapter.alpha)", "it is a finite number")
        }
        var shape = configuration
        shape.adapter = adapter
        let family = try Families.family(shape)
        guard !family.layout.adaptedWeights.isEmpty else {
            throw refuse(
                "targets", adapter.targets.sorted().joined(separator: ","),
                "none of them is a projection of this model")
        }
        return replacing(shape, family) { index, entry in
            parameters[entry.name]
                ?? entry.initialized(key.child(UInt64(index)), for: configuration)
        }
    }

    /// The model without an adapter that computes the same: every adapted weight W becomes
    /// W + scale · B A, in float32. All parameters train again.
    public func mergingAdapter() throws -> LanguageModel {
        guard configuration.adapter != nil else { return self }
        var shape = configuration
        shape.adapter = nil
        let (layout, weights) = (parameters.layout, parameters)
        let adapted = Dictionary(
            uniqueKeysWithValues: layout.adaptedWeights.map {
                (layout.entries[$0.weight.index].name, $0)
            })
        return replacing(shape, try Families.family(shape)) { _, entry in
            let weight = weights[entry.name] ?? Tensor(zeros: entry.shape)
            guard let part = adapted[entry.name] else { return weight }
            let (a, b) = (weights[part.adapter.a], weights[part.adapter.b])
            var sum = weight.converted(to: .float32)
            // B A is (out, in); its transpose is AᵀBᵀ, so the factors change places.
            var product = Tensor(uninitialized: [b.rows, a.columns])
            Arithmetic.float32.inputGradient(b, a, into: &product)
            sum.add(
                part.isTransposed ? product.transposed : product, scaledBy: part.adapter.scale)
            return sum
        }
    }
}

extension Tensor {
    /// A matrix with rows and columns exchanged.
    fileprivate var transposed: Tensor {
        var out = Tensor(uninitialized: [columns, rows])
        for row in 0..<rows { for column in 0..<columns { out[column, row] = self[row, column] } }
        return out
    }
}
