import Layers
import NumberTypes
import Tensors

extension LanguageModel {
    /// The same model with an adapter on every target, which alone train: A begins uniform in
    /// ±1/√in, as in PEFT, and B at zero, so that the new model gives the same results as this one.
    /// Weights are shared with this model.
    ///
    /// An adapter's tensors follow their projection's in the layout, under the projection's name
    /// with `.lora_A.weight` (r, in) and `.lora_B.weight` (out, r).
    /// - Throws: `ModelError.badSetting` if no projection is a target or a target is no projection,
    ///   for a rank or α out of range, or if this model has an adapter already.
    public func adding(_ adapter: AdapterConfiguration, key: RandomKey) throws -> LanguageModel {
        try adding(adapter) { index, entry in
            entry.initialized(key.child(UInt64(index)), for: configuration)
        }
    }

    /// The same with given tensors for the adapter, which `tensor` returns by place and entry of
    /// the new layout.
    func adding(
        _ adapter: AdapterConfiguration, tensor: (Int, ParameterLayout.Entry) throws -> Tensor
    ) throws -> LanguageModel {
        let (shape, family) = try adapted(adapter)
        let own = parameters.byName
        return try replacing(shape, family) { index, entry in
            try own[entry.name] ?? tensor(index, entry)
        }
    }

    private func adapted(
        _ adapter: AdapterConfiguration
    ) throws -> (shape: ModelConfiguration, family: any Family) {
        guard configuration.adapter == nil else {
            throw ModelError.badSetting(
                name: "adapter", value: "another", allowed: "the model has one; merge it first")
        }
        try adapter.check()
        let projections = try configuration.projections()
        for target in adapter.targets
        where !projections.contains(where: { AdapterName.names(target, $0.name) }) {
            let known = Set(projections.map { $0.kind }).sorted()
            throw ModelError.badSetting(
                name: "on", value: target,
                allowed: "the projections of this model are \(known.joined(separator: ", "))")
        }
        for projection in projections where adapter.includes(projection.name) {
            let rank = adapter.rank(of: projection.name)
            guard rank <= min(projection.inputs, projection.outputs) else {
                throw ModelError.badSetting(
                    name: "rank", value: "\(rank)",
                    allowed: "\(projection.name) is a matrix of \(projection.outputs) by "
                        + "\(projection.inputs), and an adapter's rank is at most the smaller side")
            }
        }
        var shape = configuration
        shape.adapter = adapter
        return (shape, try Families.family(shape))
    }

    /// The model without an adapter that computes the same: every adapted weight W becomes
    /// W + scale · B A. All parameters train again.
    ///
    /// - Parameter type: of the adapted weights; nil keeps the type of each, and bfloat16 for those
    ///   in blocks. The sum is computed in float32 and rounded once.
    /// - Parameter available: memory for the new weights, in bytes.
    /// - Throws: `ModelError.doesNotFit`.
    public func mergingAdapter(
        as type: DType? = .float32, available: Int = MemoryPlan.availableBytes
    ) throws -> LanguageModel {
        guard configuration.adapter != nil else { return self }
        let shape = configuration.withoutAdapter
        let parts = parameters.layout.adaptedWeightsByName
        let own = parameters.byName
        let needed = parts.keys.compactMap { own[$0] }.reduce(0) {
            $0 + $1.count * (type ?? $1.format.plainType).size
        }
        if needed > available {
            throw ModelError.doesNotFit(needed: needed, available: available)
        }
        return replacing(shape, try Families.family(shape)) { _, entry in
            let weight = own[entry.name] ?? Tensor(zeros: entry.shape)
            return parts[entry.name].map {
                weight.plus($0, parameters).converted(to: .plain(type ?? weight.format.plainType))
            } ?? weight
        }
    }

    /// The weights that the model computes with, by the names of a model without an adapter: the
    /// sum where a weight is adapted. A sum is formed when it is asked for.
    public var effectiveWeights: some Sequence<(name: String, tensor: Tensor)> {
        let (parameters, parts) = (parameters, parameters.layout.adaptedWeightsByName)
        return zip(parameters.names, parameters.tensors).lazy
            .filter { !AdapterName.isPart($0.0) }
            .map { name, tensor in
                (name: name, tensor: parts[name].map { tensor.plus($0, parameters) } ?? tensor)
            }
    }

    /// The layout of these weights.
    public func effectiveLayout() throws -> ParameterLayout {
        try configuration.withoutAdapter.parameterLayout()
    }
}

/// A matrix of a block that an adapter can be added to.
public struct ProjectionShape: Sendable, Hashable {
    /// The name of its weight without ".weight".
    public let name: String
    public let inputs, outputs: Int

    /// The last part of the name: "q_proj".
    public var kind: String { name.split(separator: ".").last.map(String.init) ?? name }

    /// Whether it belongs to the attention; the others belong to the feed-forward networks.
    public var isAttention: Bool { name.contains("attn") }
}

extension ModelConfiguration {
    /// The matrices that adapters can be added to, in the order of the file: all linear layers of
    /// the blocks but a router of experts, whose choice an adapter on it would make erratic.
    /// - Throws: `ModelError.unknownFamily`.
    public func projections() throws -> [ProjectionShape] {
        try withoutAdapter.parameterLayout().projections
    }

    /// The same shape without an adapter.
    fileprivate var withoutAdapter: ModelConfiguration {
        var plain = self
        plain.adapter = nil
        return plain
    }
}

extension ParameterLayout {
    fileprivate var adaptedWeightsByName: [String: AdaptedWeight] {
        Dictionary(
            uniqueKeysWithValues: adaptedWeights.map { (entries[$0.weight.index].name, $0) })
    }
}

extension Tensor {
    /// This weight and the product of its adapter's matrices, in float32.
    fileprivate func plus(
        _ part: ParameterLayout.AdaptedWeight, _ weights: ParameterSet
    ) -> Tensor {
        let (a, b) = (weights[part.adapter.a], weights[part.adapter.b])
        var sum = converted(to: .float32)
        // B A is (out, in); its transpose is AᵀBᵀ, so the factors change places.
        var product = Tensor(uninitialized: [b.rows, a.columns])
        Arithmetic.float32.inputGradient(b, a, into: &product)
        sum.add(part.isTransposed ? product.transposed : product, scaledBy: part.adapter.scale)
        return sum
    }

    /// A matrix with rows and columns exchanged.
    fileprivate var transposed: Tensor {
        var out = Tensor(uninitialized: [columns, rows])
        for row in 0..<rows { for column in 0..<columns { out[column, row] = self[row, column] } }
        return out
    }
}
