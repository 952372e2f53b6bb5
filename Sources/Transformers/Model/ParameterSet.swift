import Tensors

/// The index of one tensor in every `ParameterSet` of the same layout.
public struct Parameter: Sendable, Hashable {
    let index: Int
}

/// The initial distribution of random weights.
enum InitialValue: Sendable, Equatable {
    case ones, zeros
    /// Normal with the configuration's `initializer_range`.
    case normal
    /// The same, reduced by 1/√(2 · layers), because 2 · layers sublayers add to the residual
    /// stream.
    case residual
}

/// The tensors of a model by name and shape, in the order of its family's file.
public struct ParameterLayout: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// The Hugging Face name.
        public let name: String
        public let shape: [Int]
        /// The initial distribution for training from random weights.
        let start: InitialValue
    }
    public private(set) var entries: [Entry] = []

    mutating func add(_ name: String, _ shape: [Int], _ start: InitialValue) -> Parameter {
        entries.append(Entry(name: name, shape: shape, start: start))
        return Parameter(index: entries.count - 1)
    }

    public var count: Int { entries.reduce(0) { $0 + $1.shape.reduce(1, *) } }
}

/// One tensor for each parameter of a model: its weights, their gradients, or an optimizer's
/// moments.
public struct ParameterSet: Sendable {
    public let layout: ParameterLayout
    public internal(set) var tensors: [Tensor]

    public init(zeros layout: ParameterLayout) {
        self.layout = layout
        tensors = layout.entries.map { Tensor(zeros: $0.shape) }
    }

    init(layout: ParameterLayout, tensors: [Tensor]) {
        self.layout = layout
        self.tensors = tensors
    }

    public var names: [String] { layout.entries.map(\.name) }
    /// Number of elements in all tensors.
    public var count: Int { layout.count }

    public subscript(parameter: Parameter) -> Tensor {
        get { tensors[parameter.index] }
        _modify { yield &tensors[parameter.index] }
    }

    /// The tensor with this Hugging Face name. Setting a tensor of another shape changes nothing.
    public subscript(name: String) -> Tensor? {
        get { layout.entries.firstIndex { $0.name == name }.map { tensors[$0] } }
        set {
            guard let newValue, let index = layout.entries.firstIndex(where: { $0.name == name }),
                newValue.shape == layout.entries[index].shape
            else { return }
            tensors[index] = newValue
        }
    }

    /// √Σ x² over all tensors.
    public var norm: Double { tensors.reduce(0) { $0 + $1.squaredNorm }.squareRoot() }

    /// Sets every element to zero, in place.
    public mutating func clear() { for i in tensors.indices { tensors[i].clear() } }

    public mutating func scale(by factor: Float) {
        for i in tensors.indices { tensors[i].scale(by: factor) }
    }

    /// self += factor · other, for sets of one layout.
    public mutating func add(_ other: ParameterSet, scaledBy factor: Float = 1) {
        for i in tensors.indices where i < other.tensors.count {
            tensors[i].add(other.tensors[i], scaledBy: factor)
        }
    }

    /// The first tensor with a NaN or an infinity, and the number of its non-finite elements.
    public var firstNonFinite: (name: String, count: Int)? {
        for (entry, tensor) in zip(layout.entries, tensors) {
            let count = tensor.nonFiniteCount
            if count > 0 { return (entry.name, count) }
        }
        return nil
    }
}
