import Rendering
import Tensors

extension Function {
    /// Functions on the shape of arrays and lists.
    package static let shapes: [Function] = [
        Function(
            "len", "number of items, or characters", [.required("x", "a list, a tensor or text")],
            example: "len([1, 2, 3])"
        ) { (arguments) throws(EvaluationError) in
            guard let count = arguments.value("x").itemCount else {
                throw .wrongKind(
                    role: "`x` of `len`", expected: "a list, a tensor or text",
                    found: arguments.value("x").aKind)
            }
            return Value(count)
        },
        Function(
            "shape", "the dimensions of an array",
            [.required("x", "a tensor or a list of numbers")],
            example: "shape([[1, 2], [3, 4]])"
        ) { (arguments) throws(EvaluationError) in Value(try arguments.tensor("x").shape) },
        Function(
            "tensor", "a tensor of numbers in lists", [.required("x", "numbers in lists")],
            example: "tensor([[1, 2], [3, 4]])"
        ) { (arguments) throws(EvaluationError) in .tensor(try arguments.tensor("x")) },
        filled("zeros", 0),
        filled("ones", 1),
        Function(
            "range", "numbers from start up to, not including, stop",
            [
                .required("start", "start; a single value is stop"),
                .optional("stop", "the end, not included"),
                .optional("step", "1 unless given"),
            ], example: "range(0, 1, 0.25)", run: range),
        Function(
            "transpose", "axes in reverse order", [.required("x", "a tensor")],
            example: "transpose([[1, 2], [3, 4]])"
        ) { (arguments) throws(EvaluationError) in .tensor(try arguments.tensor("x").transposed) },
        Function(
            "reshape", "the same values in another shape; one dimension may be -1",
            [.required("x", "a tensor"), .required("shape", "a list of dimensions")],
            example: "reshape(range(6), [2, 3])"
        ) { (arguments) throws(EvaluationError) in
            let tensor = try arguments.tensor("x")
            var shape = try arguments.shape([arguments.value("shape")])
            if let side = shape.first(where: { $0 < -1 }) {
                throw .outOfRange(
                    role: "a dimension of a shape", rule: "at least -1", found: "\(side)")
            }
            if shape.count(where: { $0 == -1 }) > 1 {
                throw .other("only one dimension of a shape may be -1")
            }
            if let free = shape.firstIndex(of: -1) {
                let others = shape.indices.filter { $0 != free }.map { shape[$0] }
                try Limits.check(others)
                let known = others.reduce(1, *)
                shape[free] = known > 0 ? tensor.count / known : 0
            }
            try Limits.check(shape)
            guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == tensor.count else {
                throw .reshapeCount(from: tensor.shape, to: shape)
            }
            return .tensor(tensor.reshaped(shape))
        },
        Function(
            "sort", "in rising order",
            [
                .required("x", "numbers, texts, or lists of these"),
                .optional("reverse", "true: in falling order"),
            ], example: "sort([3, 1, 2])"
        ) { (arguments) throws(EvaluationError) in
            let reverse = try arguments.flag("reverse", default: false)
            if case .tensor(let tensor) = arguments.value("x"), tensor.shape.count == 1 {
                // Nan comes last in both orders, as in lists.
                let values = tensor.values.sorted {
                    $0.isNaN || $1.isNaN ? !$0.isNaN : reverse ? $1 < $0 : $0 < $1
                }
                return .tensor(Tensor(values, shape: tensor.shape))
            }
            let items = try arguments.list("x")
            let order = SortKey.order(try SortKey.all(items, "`x` of `sort`"), reverse: reverse)
            return .list(order.map { items[$0] })
        },
        Function(
            "zip", "lists of the first items, of the second ones and so on",
            [.required("a", "a list"), .required("b", "another")],
            example: "zip([1, 2], [\"a\", \"b\"])"
        ) { (arguments) throws(EvaluationError) in
            .list(zip(try arguments.list("a"), try arguments.list("b")).map { .list([$0, $1]) })
        },
        Function(
            "unique", "each item once, in order of first appearance", [.required("x", "a list")],
            example: "unique([1, 2, 1])"
        ) { (arguments) throws(EvaluationError) in
            var seen: Set<String> = []
            return .list(
                try arguments.list("x").filter { seen.insert($0.identityText).inserted })
        },
    ]

    private static func range(_ arguments: Arguments) throws(EvaluationError) -> Value {
        let first = try arguments.number("start")
        let isAlone = arguments.values["stop"] == nil
        let start = isAlone ? 0 : first
        let stop = isAlone ? first : try arguments.number("stop")
        let step = arguments.values["step"] == nil ? 1 : try arguments.number("step")
        for (name, value) in [("start", start), ("stop", stop), ("step", step)]
        where !value.isFinite {
            throw .outOfRange(
                role: "`\(name)` of `range`", rule: "finite", found: NumberText.significant(value))
        }
        guard step != 0 else { throw .zeroStep }
        // A quotient that rounding has put above a whole number would count the stop itself.
        let exact = (stop - start) / step
        let rounded = exact.rounded()
        let count = abs(exact - rounded) <= 1e-9 * max(1, abs(exact)) ? rounded : exact.rounded(.up)
        guard count <= Double(Limits.listCount) else {
            throw .tooLong(Int(min(count, 0x1p53)))
        }
        return .list((0..<Int(max(0, count))).map { .number(start + Double($0) * step) })
    }

    private static func filled(_ name: String, _ value: Float) -> Function {
        Function(
            name, "a tensor of \(name)", [.required("shape", "its sides")],
            example: "\(name)(2, 3)", isOpen: true
        ) { (arguments) throws(EvaluationError) in
            .tensor(Tensor(repeating: value, shape: try arguments.sides()))
        }
    }
}

extension Tensor {
    /// The axes in reverse order; for a matrix, rows and columns swapped.
    package var transposed: Tensor {
        guard shape.count > 1 else { return self }
        let reversed = Array(shape.reversed())
        var steps = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() {
            steps[axis] = steps[axis + 1] * shape[axis + 1]
        }
        let reversedSteps = Array(steps.reversed())
        var result = Tensor(zeros: reversed)
        withUnsafeBufferPointer { source in
            result.withUnsafeMutableBufferPointer { target in
                var position = [Int](repeating: 0, count: reversed.count)
                var offset = 0
                for index in target.indices {
                    target[index] = source[offset]
                    var axis = reversed.count - 1
                    while axis >= 0 {
                        position[axis] += 1
                        offset += reversedSteps[axis]
                        if position[axis] < reversed[axis] { break }
                        offset -= reversedSteps[axis] * reversed[axis]
                        position[axis] = 0
                        axis -= 1
                    }
                }
            }
        }
        return result
    }
}
