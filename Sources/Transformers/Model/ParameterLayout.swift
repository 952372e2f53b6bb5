/// The place of one tensor in a model: an index into every `ParameterSet` of the same layout.
public struct Parameter: Sendable, Hashable {
    let index: Int
}

/// How training from nothing initializes a tensor.
enum InitialValue: Sendable, Equatable {
    case ones, zeros
    /// Normal with the configuration's `initializer_range`.
    case normal
    /// The same, divided by √(2 · layers): the sublayers that end in the residual stream add up.
    case residual
    /// Uniform in ±1/√columns: PEFT's Kaiming initialization of an adapter's A.
    case fanIn
}

/// The parameters of a model by name and shape, in the order of its family's file, and which of
/// them train.
public struct ParameterLayout: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// The Hugging Face name.
        public let name: String
        public let shape: [Int]
        let start: InitialValue
        /// Where the model uses it: -1 for the embedding, then the block's number, then one more
        /// than the last block for the last norm and the head. A tensor that is used in several
        /// places has the lowest.
        let depth: Int
        /// Whether training changes it. Only these have gradients and moments.
        public fileprivate(set) var isTrainable: Bool
    }

    /// A weight matrix with the low-rank pair that is added to it.
    struct AdaptedWeight: Sendable, Equatable {
        let weight: Parameter
        let isTransposed: Bool
        let adapter: Adapter
    }

    public private(set) var entries: [Entry] = []
    private(set) var adaptedWeights: [AdaptedWeight] = []
    /// The matrices that adapters can be added to.
    private(set) var projections: [ProjectionShape] = []

    mutating func add(
        _ name: String, _ shape: [Int], _ start: InitialValue, depth: Int, isTrainable: Bool
    ) -> Parameter {
        entries.append(
            Entry(name: name, shape: shape, start: start, depth: depth, isTrainable: isTrainable))
        return Parameter(index: entries.count - 1)
    }

    mutating func add(_ adapted: AdaptedWeight) { adaptedWeights.append(adapted) }

    /// Whether the adapted matrices are stored (in, out).
    var storesTransposed: Bool { adaptedWeights.contains(where: \.isTransposed) }

    mutating func add(_ projection: ProjectionShape) { projections.append(projection) }

    /// Elements of all tensors.
    public var count: Int { entries.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    /// Elements of the tensors that train.
    public var trainableCount: Int {
        entries.reduce(0) { $1.isTrainable ? $0 + $1.shape.reduce(1, *) : $0 }
    }

    /// The same parameters, of which those train whose name `isTrainable` accepts.
    func training(_ isTrainable: (String) -> Bool) -> ParameterLayout {
        var layout = self
        for i in entries.indices { layout.entries[i].isTrainable = isTrainable(entries[i].name) }
        return layout
    }
}
