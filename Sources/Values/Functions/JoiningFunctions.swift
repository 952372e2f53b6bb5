import CommandLanguage
import Rendering
import Tensors

extension Function {
    /// Functions that make arrays of several, or of none.
    static let joining: [Function] = [
        Function(
            "concat", "arrays one after the other along an axis, or lists as one list",
            [.required("x", "arrays, or a list of them"), .optional("axis", "default: 0")],
            example: "concat(ones(1, 2), zeros(2, 2))", isOpen: true, run: concatenation),
        Function(
            "stack", "arrays of one shape along a new axis",
            [.required("x", "arrays, or a list of them"), .optional("axis", "default: 0")],
            example: "stack([1, 2], [3, 4], axis=1)", isOpen: true
        ) { (arguments) throws(EvaluationError) in
            let tensors = try parts(arguments).tensors
            guard let first = tensors.first else { throw .emptyReduction("stack") }
            for tensor in tensors where tensor.shape != first.shape {
                throw .shapesDiffer(operation: "stack", first.shape, tensor.shape)
            }
            let rank = first.shape.count + 1
            let axis = try joiningAxis(arguments, rank: rank, shape: first.shape)
            let widened = tensors.map { tensor in
                var shape = tensor.shape
                shape.insert(1, at: axis)
                return tensor.reshaped(shape)
            }
            return .tensor(try joined(widened, axis))
        },
        Function(
            "linspace", "numbers at equal distances, both ends included",
            [
                .required("start", "the first"), .required("stop", "the last"),
                .optional("count", "how many; default: 50"),
            ], example: "linspace(0, 1, 5)"
        ) { (arguments) throws(EvaluationError) in
            let count = try arguments.integer("count", default: 50)
            guard count >= 0 else {
                throw .outOfRange(role: "`count`", rule: "at least 0", found: "\(count)")
            }
            guard count <= Limits.listCount else { throw .tooLong(count) }
            let (start, stop) = (try arguments.number("start"), try arguments.number("stop"))
            return .list(
                Statistics.evenly(from: start, to: stop, count: count).map(Value.number))
        },
    ]

    /// The arrays of a call: its values, or the items of a single list of arrays.
    private static func parts(
        _ arguments: Arguments
    ) throws(EvaluationError) -> (values: [Value], tensors: [Tensor]) {
        let unknown = arguments.values.keys.first { $0 != "x" && $0 != "axis" }
        if let unknown {
            throw .unknownParameter(
                function: arguments.function, key: unknown, parameters: ["x", "axis"],
                nearest: nearest(unknown, in: ["x", "axis"]))
        }
        var values = arguments.rest + (arguments.values["x"].map { [$0] } ?? [])
        if values.count == 1, case .list(let items) = values[0],
            items.allSatisfy({ !$0.isNumber && $0.itemCount != nil })
        {
            values = items
        }
        var tensors: [Tensor] = []
        for value in values {
            var one = arguments
            one.values["x"] = value
            tensors.append(try one.tensor("x"))
        }
        return (values, tensors)
    }

    private static func joiningAxis(
        _ arguments: Arguments, rank: Int, shape: [Int]
    ) throws(EvaluationError) -> Int {
        let axis = try arguments.integer("axis", default: 0)
        let position = axis < 0 ? axis + rank : axis
        guard (0..<rank).contains(position) else { throw .axisOutOfRange(axis: axis, shape: shape) }
        return position
    }

    private static func concatenation(_ arguments: Arguments) throws(EvaluationError) -> Value {
        let given = arguments.rest
        // Lists of anything become one list, if no axis asks for arrays.
        let lists = given.compactMap { value -> [Value]? in
            if case .list(let items) = value { return items }
            return nil
        }
        if given.count > 1, lists.count == given.count, arguments.values.isEmpty {
            return .list(lists.flatMap(\.self))
        }
        let tensors = try parts(arguments).tensors
        guard let first = tensors.first else { throw .emptyReduction("concat") }
        guard !first.shape.isEmpty else {
            throw .wrongKind(
                role: "each value of `concat`", expected: "a list or a tensor with an axis",
                found: "a number")
        }
        let axis = try joiningAxis(arguments, rank: first.shape.count, shape: first.shape)
        for tensor in tensors {
            var (one, other) = (first.shape, tensor.shape)
            guard one.count == other.count else {
                throw .shapesDiffer(operation: "concat", one, other)
            }
            (one[axis], other[axis]) = (0, 0)
            guard one == other else {
                throw .shapesDiffer(operation: "concat", first.shape, tensor.shape)
            }
        }
        return .tensor(try joined(tensors, axis))
    }

    /// Tensors whose shapes agree but for the axis, of which there is at least one.
    private static func joined(_ tensors: [Tensor], _ axis: Int) throws(EvaluationError) -> Tensor {
        var shape = tensors[0].shape
        shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
        try Limits.check(shape)
        let outer = shape[..<axis].reduce(1, *)
        var values: [Float] = []
        values.reserveCapacity(shape.reduce(1, *))
        let sources = tensors.map { (values: $0.values, run: $0.shape[axis...].reduce(1, *)) }
        for block in 0..<outer {
            for (source, run) in sources { values += source[block * run..<(block + 1) * run] }
        }
        return Tensor(values, shape: shape)
    }
}
