import Layers
import Tensors

/// One tensor for each of some parameters of a model: all of its weights, or the gradients or an
/// optimizer's moments of the parameters that train.
public struct ParameterSet: Sendable {
    public let layout: ParameterLayout
    /// The tensors that this set holds, in layout order.
    public internal(set) var tensors: [Tensor]
    /// Which of the layout's entries these are.
    private let held: [Int]
    /// For each entry of the layout its place in `tensors`, or -1 if it is not held.
    private let places: [Int]
    /// How products with these weights are computed.
    public var arithmetic = Arithmetic.float32

    /// Zeros for the parameters that train.
    public init(zeros layout: ParameterLayout) {
        let held = layout.entries.indices.filter { layout.entries[$0].isTrainable }
        self.init(
            layout: layout, held: held,
            tensors: held.map { Tensor(zeros: layout.entries[$0].shape) })
    }

    /// A tensor for every parameter.
    init(layout: ParameterLayout, tensors: [Tensor]) {
        self.init(layout: layout, held: Array(layout.entries.indices), tensors: tensors)
    }

    /// Given gradients or moments, one for each parameter that trains, checked by name and shape.
    public init(
        _ layout: ParameterLayout, tensors: [String: Tensor], source: String
    ) throws(ModelError) {
        var (left, set) = (tensors, ParameterSet(zeros: layout))
        for (place, entry) in set.held.enumerated() {
            let (name, shape) = (layout.entries[entry].name, layout.entries[entry].shape)
            guard let tensor = left.removeValue(forKey: name) else {
                throw .missingTensor(file: source, name: name, shape: shape)
            }
            guard tensor.shape == shape else {
                throw .misshapenTensor(
                    file: source, name: name, wanted: shape, found: tensor.shape)
            }
            set.tensors[place] = tensor
        }
        if let extra = left.keys.min() { throw .extraTensor(file: source, name: extra) }
        self = set
    }

    private init(layout: ParameterLayout, held: [Int], tensors: [Tensor]) {
        precondition(
            tensors.map(\.shape) == held.map { layout.entries[$0].shape },
            "the tensors of a set have the shapes of its layout")
        self.layout = layout
        self.held = held
        self.tensors = tensors
        var places = [Int](repeating: -1, count: layout.entries.count)
        for (place, entry) in held.enumerated() { places[entry] = place }
        self.places = places
    }

    /// The names of the tensors that this set holds.
    public var names: [String] { held.map { layout.entries[$0].name } }
    /// The tensors by name.
    public var byName: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: zip(names, tensors).map { ($0, $1) })
    }

    /// The parameters of this set that train. With adapters these are few.
    public var trainable: ParameterSet {
        let places = held.indices.filter { layout.entries[held[$0]].isTrainable }
        return ParameterSet(
            layout: layout, held: places.map { held[$0] }, tensors: places.map { tensors[$0] })
    }

    /// Elements in all tensors.
    public var count: Int { tensors.reduce(0) { $0 + $1.count } }
    /// Bytes that the tensors take as they are stored.
    public var bytes: Int { tensors.reduce(0) { $0 + $1.format.bytes($1.count) } }

    func holds(_ parameter: Parameter) -> Bool { places[parameter.index] >= 0 }

    /// The parameters that this set holds.
    var parameters: [Parameter] { held.map { Parameter(index: $0) } }

    /// The lowest place of the model at which a parameter of this set is used; see
    /// `ParameterLayout.Entry.depth`. Nil for an empty set.
    var lowestDepth: Int? { held.map { layout.entries[$0].depth }.min() }

    /// A tensor that this set holds. A model's own set holds all.
    public subscript(parameter: Parameter) -> Tensor {
        get { tensors[places[parameter.index]] }
        _modify { yield &tensors[places[parameter.index]] }
    }

    /// Lets `body` add to a gradient, if this set holds it; does nothing for a frozen parameter.
    mutating func accumulate(_ parameter: Parameter, _ body: (inout Tensor) -> Void) {
        let place = places[parameter.index]
        if place >= 0 { body(&tensors[place]) }
    }

    /// Takes a tensor out, so that it can be changed in place beside others of this set, until
    /// `put` brings it back; nil if this set does not hold it.
    mutating func take(_ parameter: Parameter) -> Tensor? {
        let place = places[parameter.index]
        guard place >= 0 else { return nil }
        let tensor = tensors[place]
        tensors[place] = Tensor(zeros: [0])
        return tensor
    }

    /// Brings back a tensor that was taken; drops one that this set does not hold.
    mutating func put(_ tensor: Tensor?, _ parameter: Parameter) {
        let place = places[parameter.index]
        if let tensor, place >= 0 { tensors[place] = tensor }
    }

    /// The tensor with this Hugging Face name; nil if this set does not hold it. A new value must
    /// have the parameter's shape, and only tensors that are held can be set.
    public subscript(name: String) -> Tensor? {
        get { place(of: name).map { tensors[$0] } }
        set {
            guard let newValue, let place = place(of: name) else { return }
            precondition(
                newValue.shape == tensors[place].shape,
                "\(name) has shape \(tensors[place].shape), not \(newValue.shape)")
            tensors[place] = newValue
        }
    }

    private func place(of name: String) -> Int? {
        held.firstIndex { layout.entries[$0].name == name }
    }

    /// The same tensors under a layout that differs only in what trains.
    func relabeled(_ layout: ParameterLayout) -> ParameterSet {
        var set = ParameterSet(layout: layout, held: held, tensors: tensors)
        set.arithmetic = arithmetic
        return set
    }

    /// The same with the weights rounded that products would round. Embeddings are looked up, and
    /// tensors of other processes are not here.
    func roundedForProducts(except tables: [Parameter]) -> ParameterSet {
        var set = self
        for place in tensors.indices where arithmetic.rounds(tensors[place]) {
            let isTable = tables.contains { $0.index == held[place] }
            if isTable || tensors[place].isAbsent { continue }
            set.tensors[place] = tensors[place].converted(to: .bfloat16)
        }
        return set
    }

    /// Moments of the parameters that train, in layout order; nil if the shapes do not fit.
    package init?(trained tensors: [Tensor], of layout: ParameterLayout) {
        let held = layout.entries.indices.filter { layout.entries[$0].isTrainable }
        guard held.map({ layout.entries[$0].shape }) == tensors.map(\.shape) else { return nil }
        self.init(layout: layout, held: held, tensors: tensors)
    }

    /// Changes one tensor in place, by its number among those that the set holds.
    package mutating func update(_ index: Int, _ body: (inout Tensor) -> Void) {
        body(&tensors[index])
    }

    /// √Σ x² over all tensors.
    public var norm: Double { tensors.reduce(0) { $0 + $1.squaredNorm }.squareRoot() }

    /// Sets every element to zero, in place.
    public mutating func clear() { for i in tensors.indices { tensors[i].clear() } }

    public mutating func scale(by factor: Float) {
        for i in tensors.indices { tensors[i].scale(by: factor) }
    }

    /// self += factor · other, for sets that hold the same parameters.
    public mutating func add(_ other: ParameterSet, scaledBy factor: Float = 1) {
        precondition(held == other.held, "sets that are added hold the same parameters")
        for i in tensors.indices { tensors[i].add(other.tensors[i], scaledBy: factor) }
    }

    /// The first tensor that holds a NaN or an infinity, and how many it holds.
    public var firstNonFinite: (name: String, count: Int)? { firstNonFinite(among: parameters) }

    /// The same among some parameters of this set.
    func firstNonFinite(among parameters: [Parameter]) -> (name: String, count: Int)? {
        for parameter in parameters {
            let count = self[parameter].nonFiniteCount
            if count > 0 { return (layout.entries[parameter.index].name, count) }
        }
        return nil
    }

    /// The first tensor with a NaN or an infinity among those that `other` holds too, such as the
    /// weights that a step on these gradients has changed.
    public func firstNonFinite(heldBy other: ParameterSet) -> (name: String, count: Int)? {
        firstNonFinite(among: other.parameters)
    }
}
