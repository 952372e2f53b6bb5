import Tensors
import Testing
import Transformers

extension ModelOracle {
    /// Expects every gradient tensor to equal torch's, and none to be missing on either side.
    public static func expect(
        _ gradients: ParameterSet, _ wanted: [String: Samples], within tolerance: Double,
        _ note: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            Set(gradients.names) == Set(wanted.keys), "names of gradients",
            sourceLocation: sourceLocation)
        for (name, gradient) in zip(gradients.names, gradients.tensors) {
            guard let wanted = wanted[name] else { continue }
            expectClose(
                wanted.at.map { Double(gradient[$0]) }, wanted.values, within: tolerance,
                scale: wanted.largest, "gradient of \(name)\(note), samples",
                sourceLocation: sourceLocation)
            expectClose(
                [gradient.squaredNorm.squareRoot()], [wanted.norm], within: tolerance,
                "gradient of \(name)\(note), norm", sourceLocation: sourceLocation)
        }
    }

    /// Whether a part of the tensor is moved by rounding alone. The key biases of GPT-2 have no
    /// gradient, because attention does not change when all keys move together. Optimizers that
    /// divide by the size of the gradient move these biases at random. The samples lie in other
    /// parts of the tensor.
    private static func hasUndeterminedPart(_ name: String) -> Bool {
        name.hasSuffix("attn.c_attn.bias")
    }

    /// Expects every weight tensor to have moved from `start` as in torch.
    public static func expect(
        _ weights: ParameterSet, movedFrom start: ParameterSet, _ wanted: [String: Displacement],
        within tolerance: Double, normWithin: Double, _ note: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            Set(weights.names) == Set(wanted.keys), "names of weights",
            sourceLocation: sourceLocation)
        for (index, name) in weights.names.enumerated() {
            guard let wanted = wanted[name] else { continue }
            let (new, old) = (weights.tensors[index], start.tensors[index])
            expectClose(
                wanted.at.map { Double(new[$0]) - Double(old[$0]) }, wanted.values,
                within: tolerance, "\(name) \(note), displacement of samples",
                sourceLocation: sourceLocation)
            if hasUndeterminedPart(name) { continue }
            let norm = zip(new.values, old.values).reduce(0.0) { sum, pair in
                let moved = Double(pair.0) - Double(pair.1)
                return sum + moved * moved
            }.squareRoot()
            expectClose(
                [norm], [wanted.norm], within: normWithin, "\(name) \(note), displacement's norm",
                sourceLocation: sourceLocation)
        }
    }
}
