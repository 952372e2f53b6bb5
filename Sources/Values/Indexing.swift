import CommandLanguage
import Rendering
import Tensors

/// A subscript with evaluated expressions: `x[2]`, `x[1:8:2]`, `x[[0, 3]]`, `x["tldr-3"]`.
enum Selector: Equatable {
    case index(Int)
    /// Nil takes the end that the sign of the step implies.
    case slice(lower: Int?, upper: Int?, step: Int)
    case indexes([Int])
    /// Ones and zeros, one for each position along the axis or for each element of the tensor.
    case mask(Tensor)
    /// As many whole axes as the other selectors leave.
    case rest
    /// The item with this id, of an object whose items have ids.
    case id(String)
}

/// Positions along one axis.
enum Selection: Equatable {
    /// One position; the axis is removed.
    case one(Int)
    case many([Int])
}

extension Selector {
    /// The positions along an axis of `count`. Negative numbers count from the end, as in Python,
    /// and slices are limited to the existing positions.
    package func resolved(count: Int, what: String) throws(EvaluationError) -> Selection {
        func position(_ index: Int) throws(EvaluationError) -> Int {
            let position = index < 0 ? index + count : index
            guard position >= 0, position < count else {
                throw .indexOutOfRange(index: index, count: count, what: what)
            }
            return position
        }
        switch self {
        case .rest: return .many(Array(0..<count))
        case .id: throw .notWhole(role: "an index", found: "text")
        case .index(let index):
            return .one(try position(index))
        case .indexes(let indexes):
            var positions: [Int] = []
            for index in indexes { positions.append(try position(index)) }
            return .many(positions)
        case .mask(let mask):
            guard mask.shape == [count] else {
                throw .other(
                    "a mask of shape \(TensorText.shape(mask.shape)) does not fit \(what), "
                        + "which has \(NumberText.count(count, "item"))")
            }
            return .many(try mask.ones())
        case .slice(let lower, let upper, let step):
            guard step != 0 else { throw .zeroStep }
            func bound(_ index: Int?, ifAbsent absent: Int) -> Int {
                guard let index else { return absent }
                let position = index < 0 ? index + count : index
                return step > 0
                    ? min(max(position, 0), count) : min(max(position, -1), count - 1)
            }
            let start = bound(lower, ifAbsent: step > 0 ? 0 : count - 1)
            let end = bound(upper, ifAbsent: step > 0 ? count : -1)
            // A huge step still selects the first position, and must not overflow.
            let stride = max(-count - 1, min(count + 1, step))
            return .many(Array(Swift.stride(from: start, to: end, by: stride)))
        }
    }
}

extension Selector {
    /// A mask, if all items are truth values; nil for an empty list, which selects nothing anyway.
    static func mask(_ items: [Value]) -> Selector? {
        var values: [Float] = []
        for item in items {
            guard case .bool(let truth) = item else { return nil }
            values.append(truth ? 1 : 0)
        }
        return items.isEmpty ? nil : .mask(Tensor(values, shape: [items.count]))
    }
}

extension Selector {
    /// The selectors with whole axes in the place of `...`.
    fileprivate static func spread(
        _ selectors: [Selector], over rank: Int
    ) throws(EvaluationError) -> [Selector] {
        guard let place = selectors.firstIndex(of: .rest) else { return selectors }
        let others = selectors.filter { $0 != .rest }
        guard others.count == selectors.count - 1 else {
            throw .other("`...` stands for the axes that are left, so it can stand once")
        }
        let whole = [Selector](
            repeating: .slice(lower: nil, upper: nil, step: 1), count: rank - others.count)
        return Array(others[..<place]) + whole + Array(others[place...])
    }
}

extension Tensor {
    /// The positions of the ones of a mask, in the order of its elements. A tensor of other numbers
    /// is no mask: positions are given as a list.
    func ones() throws(EvaluationError) -> [Int] {
        var positions: [Int] = []
        for (position, value) in values.enumerated() where value != 0 {
            guard value == 1 else {
                throw .other(
                    "a tensor as an index is a mask of 0 and 1, and this one holds "
                        + NumberText.significant(Double(value)),
                    suggestion: "positions are given as a list: x[[0, 2]]")
            }
            positions.append(position)
        }
        return positions
    }

    /// `x[selectors]`: axes without a selector are taken whole; an axis with one position is
    /// removed.
    func selecting(_ selectors: [Selector]) throws(EvaluationError) -> Value {
        guard !shape.isEmpty else { throw .notIndexable("a tensor of shape ()") }
        if selectors.count == 1, case .mask(let mask) = selectors[0], mask.shape == shape,
            shape.count > 1
        {
            // A mask of every element selects single values.
            let all = values
            let picked = try mask.ones().map { all[$0] }
            return .tensor(Tensor(picked, shape: [picked.count]))
        }
        let given = selectors.count { $0 != .rest }
        guard given <= shape.count else {
            throw .tooManySubscripts(given: given, shape: shape)
        }
        let selectors = try Selector.spread(selectors, over: shape.count)
        var axes: [[Int]] = []
        var resultShape: [Int] = []
        for (axis, size) in shape.enumerated() {
            guard axis < selectors.count else {
                axes.append(Array(0..<size))
                resultShape.append(size)
                continue
            }
            let what = shape.count == 1 ? "the tensor" : "axis \(axis) of the tensor"
            switch try selectors[axis].resolved(count: size, what: what) {
            case .one(let position): axes.append([position])
            case .many(let positions):
                axes.append(positions)
                resultShape.append(positions.count)
            }
        }
        try Limits.check(resultShape)
        let source = values
        var offsets = [0]
        for (axis, positions) in axes.enumerated() {
            let size = shape[axis]
            offsets = offsets.flatMap { base in positions.map { base * size + $0 } }
        }
        let picked = offsets.map { source[$0] }
        if resultShape.isEmpty, let only = picked.first { return .number(Double(only)) }
        return .tensor(Tensor(picked, shape: resultShape))
    }
}

extension SessionObject {
    /// The number of the item with an id.
    func place(of id: String) throws(EvaluationError) -> Int {
        guard let ids = itemIDs else { throw .notWhole(role: "an index", found: "text") }
        guard let place = ids.firstIndex(of: id) else {
            throw .unknownItem(
                id, owner: Self.kind, nearest: nearest(id, in: ids), example: ids.first)
        }
        return place
    }
}

extension Value {
    /// `x[…]` for every value that can be indexed.
    func selecting(_ selectors: [Selector]) throws(EvaluationError) -> Value {
        switch self {
        case .tensor(let tensor):
            return try tensor.selecting(selectors)
        case .list(let items):
            return try pick(selectors, count: items.count, what: "the list") {
                items[$0]
            } many: {
                .list($0.map { items[$0] })
            }
        case .text(let text):
            let characters = Array(text)
            return try pick(selectors, count: characters.count, what: "the text") {
                .text(String(characters[$0]))
            } many: {
                .text(String($0.map { characters[$0] }))
            }
        case .object(let object):
            let selectors = try positions(of: selectors, in: object)
            // One index or slice keeps the kind of a list of items; several, and any of a matrix,
            // select from the numbers.
            if selectors.count > 1 || object.itemIDs == nil,
                let tensor = (object as? any TensorObject)?.tensor
            {
                return try tensor.selecting(selectors)
            }
            guard let count = object.count else { throw .notIndexable(aKind) }
            return try pick(selectors, count: count, what: "`\(type(of: object).kind)`") {
                object.item($0)
            } many: {
                object.selecting($0)
            }
        default:
            throw .notIndexable(aKind)
        }
    }

    /// The selectors with the number of the item in place of its id.
    private func positions(
        of selectors: [Selector], in object: any SessionObject
    ) throws(EvaluationError) -> [Selector] {
        guard case .id(let id)? = selectors.first, object.itemIDs != nil else {
            return selectors
        }
        return [.index(try object.place(of: id))] + selectors.dropFirst()
    }

    /// Applies the first selector here and the others to its result: `rows[0:4, 1]` takes item 1 of
    /// each of four rows.
    private func pick(
        _ selectors: [Selector], count: Int, what: String, one: (Int) -> Value,
        many: ([Int]) -> Value
    ) throws(EvaluationError) -> Value {
        guard let first = selectors.first else { return self }
        let rest = Array(selectors.dropFirst())
        switch try first.resolved(count: count, what: what) {
        case .one(let position):
            let item = one(position)
            return rest.isEmpty ? item : try item.selecting(rest)
        case .many(let positions):
            guard !rest.isEmpty else { return many(positions) }
            var items: [Value] = []
            for position in positions { items.append(try one(position).selecting(rest)) }
            return .list(items)
        }
    }

    /// Number of items that an index can reach; nil if the value cannot be indexed.
    package var itemCount: Int? {
        switch self {
        case .tensor(let tensor): tensor.shape.first
        case .list(let items): items.count
        case .text(let text): text.count
        case .record(let record): record.count
        case .object(let object): object.count
        default: nil
        }
    }
}
