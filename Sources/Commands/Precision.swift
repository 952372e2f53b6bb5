import Layers
import NumberTypes

/// How the products with a model's weights are computed: `set precision=`.
package enum Precision: String, CaseIterable, Sendable {
    /// In bfloat16 for models whose checkpoint is stored so, or in blocks, where the processor can.
    case auto
    case float32
    /// In bfloat16 for every model, where the processor can.
    case bfloat16

    /// Whether this processor has products in bfloat16.
    static var hasBFloat16: Bool { Arithmetic.bfloat16 != nil }

    /// - Parameter format: how the model's checkpoint stores most weights.
    func arithmetic(for format: StoredFormat) -> Arithmetic {
        self == .float32 || self == .auto && format.plainType != .bfloat16
            ? .float32 : Arithmetic.bfloat16 ?? .float32
    }
}

extension ModelObject {
    /// The same model, computed as a statement's precision asks.
    func computed(in precision: Precision) -> ModelObject {
        let arithmetic = precision.arithmetic(for: checkpointFormat ?? model.weightFormat)
        guard arithmetic != model.parameters.arithmetic else { return self }
        var copy = self
        copy.model.update { $0.arithmetic = arithmetic }
        return copy
    }
}
