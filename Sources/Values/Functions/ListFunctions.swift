import Rendering
import Tensors

extension Function {
    /// Functions that order, select and count the items of lists.
    package static let lists: [Function] = [
        Function(
            "argsort", "the positions of the items in rising order, as a list",
            [.required("x", "numbers or texts"), .optional("reverse", "true: in falling order")],
            example: "argsort([3, 1, 2])"
        ) { (arguments) throws(EvaluationError) in
            let keys = try SortKey.all(try arguments.list("x"), "`x` of `argsort`")
            return Value(
                SortKey.order(keys, reverse: try arguments.flag("reverse", default: false)))
        },
        Function(
            "topk", "the largest numbers and their positions, the largest first",
            [
                .required("x", "a list of numbers"), .optional("count", "how many; 10"),
                .optional("reverse", "true: the smallest"),
            ], example: "topk([3, 1, 2], 2)"
        ) { (arguments) throws(EvaluationError) in
            let items = try arguments.list("x")
            let count = try arguments.integer("count", default: 10)
            guard count >= 0 else {
                throw .outOfRange(
                    role: "`count` of `topk`", rule: "at least 0", found: "\(count)")
            }
            let keys = try SortKey.all(items, "`x` of `topk`")
            let order = SortKey.order(
                keys, reverse: !(try arguments.flag("reverse", default: false)))
            return .list(
                order.prefix(count).map { place in
                    .record(["index": Value(place), "value": items[place]])
                })
        },
        Function(
            "where", "positions of the ones of a mask; with two values, one of them at each place",
            [
                .required("mask", "a comparison of a tensor, or truth values"),
                .optional("a", "the value where the mask holds"),
                .optional("b", "the value elsewhere"),
            ], example: "where(tensor([1, 5, 3]) > 2)"
        ) { (arguments) throws(EvaluationError) in
            let mask = try arguments.tensor("mask")
            guard arguments.values["a"] != nil || arguments.values["b"] != nil else {
                guard mask.shape.count == 1 else {
                    throw .other(
                        "`where` gives the positions in a mask with one axis, and this has shape "
                            + TensorText.shape(mask.shape),
                        suggestion: "where(mask, a, b) takes masks of any shape")
                }
                return Value(try mask.ones())
            }
            return .tensor(
                try chosen(mask, try arguments.tensor("a"), try arguments.tensor("b")))
        },
        Function(
            "sort_by", "the items in the order of a key",
            [
                .required("x", "a list"),
                .required("by", "a field's name, a position in each item, or a list of keys"),
                .optional("reverse", "true: in falling order"),
            ], example: "sort_by([[2, \"b\"], [1, \"a\"]], 0)"
        ) { (arguments) throws(EvaluationError) in
            let keys = try SortKey.all(try keys(arguments), "each key of `sort_by`")
            let order = SortKey.order(keys, reverse: try arguments.flag("reverse", default: false))
            return arguments.value("x").picking(order, from: try arguments.list("x"))
        },
        Function(
            "group_by", "a record for each key, with the items that have it",
            [
                .required("x", "a list"),
                .required("by", "a field's name, a position in each item, or a list of keys"),
            ], example: "group_by([{\"a\": 1}, {\"a\": 2}, {\"a\": 1}], \"a\")"
        ) { (arguments) throws(EvaluationError) in
            let items = try arguments.list("x")
            return .list(
                grouped(try keys(arguments)).map { group in
                    .record([
                        "key": group.key, "count": Value(group.places.count),
                        "items": arguments.value("x").picking(group.places, from: items),
                    ])
                })
        },
        Function(
            "count_by", "how many items have each key, the most frequent first",
            [
                .required("x", "a list"),
                .optional("by", "a field's name, a position in each item, or a list of keys"),
            ], example: "count_by([\"a\", \"b\", \"a\"])"
        ) { (arguments) throws(EvaluationError) in
            let found =
                arguments.values["by"] == nil ? try arguments.list("x") : try keys(arguments)
            let groups = grouped(found).enumerated().sorted {
                ($1.element.places.count, $0.offset) < ($0.element.places.count, $1.offset)
            }
            return .list(
                groups.map { group in
                    .record([
                        "key": group.element.key, "count": Value(group.element.places.count),
                    ])
                })
        },
        Function(
            "enumerate", "pairs of position and item", [.required("x", "a list")],
            example: "enumerate([\"a\", \"b\"])"
        ) { (arguments) throws(EvaluationError) in
            .list(
                try arguments.list("x").enumerated().map { .list([Value($0.offset), $0.element]) })
        },
        Function(
            "reversed", "the items from the last to the first", [.required("x", "a list")],
            example: "reversed([1, 2, 3])"
        ) { (arguments) throws(EvaluationError) in
            let items = try arguments.list("x")
            return arguments.value("x").picking(Array(items.indices.reversed()), from: items)
        },
        Function(
            "items", "pairs of key and value", [.required("x", "a record")],
            example: "items(record(a=1, b=2))"
        ) { (arguments) throws(EvaluationError) in
            .list(try record(arguments).map { .list([.text($0.key), $0.value]) })
        },
        Function(
            "values", "the values of a record's fields", [.required("x", "a record")],
            example: "values(record(a=1, b=2))"
        ) { (arguments) throws(EvaluationError) in .list(try record(arguments).map(\.value)) },
    ]

    private static func record(_ arguments: Arguments) throws(EvaluationError) -> Record {
        guard case .record(let record) = arguments.value("x") else {
            throw .wrongKind(
                role: "`x` of `\(arguments.function)`", expected: "a record",
                found: arguments.value("x").aKind)
        }
        return record
    }

    /// The key of each item of `x`, by `by`.
    private static func keys(_ arguments: Arguments) throws(EvaluationError) -> [Value] {
        let items = try arguments.list("x")
        let by = arguments.value("by")
        let role = "`by` of `\(arguments.function)`"
        switch by {
        case .text(let field):
            var keys: [Value] = []
            for item in items { keys.append(try item.field(field)) }
            return keys
        case .number:
            let place = try arguments.integer("by")
            var keys: [Value] = []
            for item in items { keys.append(try item.selecting([.index(place)])) }
            return keys
        default:
            let keys = try arguments.items(by, role)
            guard keys.count == items.count else {
                throw .other(
                    "\(role) has \(NumberText.count(keys.count, "key")) for "
                        + NumberText.count(items.count, "item"))
            }
            return keys
        }
    }

    /// Equal keys together, in the order of their first appearance.
    private static func grouped(_ keys: [Value]) -> [(key: Value, places: [Int])] {
        var groups: [(key: Value, places: [Int])] = []
        var places: [String: Int] = [:]
        for (place, key) in keys.enumerated() {
            let text = key.identityText
            if let group = places[text] {
                groups[group].places.append(place)
            } else {
                places[text] = groups.count
                groups.append((key, [place]))
            }
        }
        return groups
    }

    private static func chosen(
        _ mask: Tensor, _ a: Tensor, _ b: Tensor
    ) throws(EvaluationError) -> Tensor {
        guard let both = Broadcasting.shape(a.shape, b.shape),
            let shape = Broadcasting.shape(mask.shape, both)
        else { throw .shapesDiffer(operation: "where", a.shape, b.shape) }
        try Limits.check(shape)
        let values = Broadcasting.combine(a, b, both) { first, _ in first }
        let others = Broadcasting.combine(a, b, values.shape) { _, second in second }
        let kept = Broadcasting.combine(mask, values, shape) { mask, _ in mask }
        let spread = Broadcasting.combine(mask, others, shape) { _, other in other }
        var result = Broadcasting.combine(mask, values, shape) { _, value in value }
        let (choice, other) = (kept.values, spread.values)
        result.withUnsafeMutableBufferPointer { values in
            for index in values.indices where choice[index] == 0 { values[index] = other[index] }
        }
        return result
    }
}

extension Value {
    /// Some items of a list, which keeps its kind where it is an object.
    fileprivate func picking(_ places: [Int], from items: [Value]) -> Value {
        switch self {
        case .object(let object): object.selecting(places)
        case .tensor:
            (try? selecting([.indexes(places)])) ?? .list(places.map { items[$0] })
        default: .list(places.map { items[$0] })
        }
    }
}

/// A value that has an order: a number, a text, a truth value, or a list of these, which is ordered
/// by its first different part.
enum SortKey {
    case number(Double)
    case text(String)
    case list([SortKey])

    init?(_ value: Value) {
        switch value {
        case .bool(let truth): self = .number(truth ? 1 : 0)
        case .text(let text): self = .text(text)
        case .list(let items):
            let keys = items.compactMap { SortKey($0) }
            guard keys.count == items.count else { return nil }
            self = .list(keys)
        default:
            guard let number = value.asNumber else { return nil }
            self = .number(number)
        }
    }

    /// Throws if an item has no order, or if items are of different kinds.
    static func all(_ values: [Value], _ role: String) throws(EvaluationError) -> [SortKey] {
        var keys: [SortKey] = []
        for value in values {
            guard let key = SortKey(value) else {
                throw .wrongKind(
                    role: role, expected: "all numbers or all texts",
                    found: "a list that contains \(value.aKind)")
            }
            if let first = keys.first, !first.isComparable(to: key) {
                throw .wrongKind(
                    role: role, expected: "all numbers or all texts", found: "a list of both")
            }
            keys.append(key)
        }
        return keys
    }

    private func isComparable(to other: SortKey) -> Bool {
        switch (self, other) {
        case (.number, .number), (.text, .text): true
        case (.list(let a), .list(let b)): zip(a, b).allSatisfy { $0.isComparable(to: $1) }
        default: false
        }
    }

    /// The places of the keys in their order; equal keys stay in the order that they have. NaN
    /// comes last.
    static func order(_ keys: [SortKey], reverse: Bool) -> [Int] {
        keys.indices.sorted { a, b in
            let (first, second) = reverse ? (keys[b], keys[a]) : (keys[a], keys[b])
            if keys[a].isNaN || keys[b].isNaN {
                return keys[a].isNaN == keys[b].isNaN ? a < b : keys[b].isNaN
            }
            switch first.compared(to: second) {
            case 0: return a < b
            case let sign: return sign < 0
            }
        }
    }

    private var isNaN: Bool { if case .number(let number) = self { number.isNaN } else { false } }

    /// Negative if this key comes first, zero for equal keys.
    private func compared(to other: SortKey) -> Int {
        switch (self, other) {
        case (.number(let a), .number(let b)): return a < b ? -1 : a > b ? 1 : 0
        case (.text(let a), .text(let b)): return a < b ? -1 : a > b ? 1 : 0
        case (.list(let a), .list(let b)):
            for (first, second) in zip(a, b) {
                let sign = first.compared(to: second)
                if sign != 0 { return sign }
            }
            return a.count - b.count
        default: return 0
        }
    }
}
