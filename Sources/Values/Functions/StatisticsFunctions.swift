import CommandLanguage
import Rendering
import Tensors

extension Function {
    /// Functions on the distribution of numbers. Their definitions are numpy's.
    static let statistics: [Function] = [
        spread("var", "variance, dividing by n - ddof", example: "var([1, 2, 3])") { $0 },
        spread("std", "standard deviation, dividing by n - ddof", example: "std([1, 2, 3])") {
            $0.squareRoot()
        },
        reduction(
            "median", "middle value; the mean of the two in the middle of an even number",
            example: "median([1, 9, 2, 3])", { Statistics.quantile($0, 0.5) },
            { Statistics.quantile($0, 0.5) }),
        Function(
            "quantile", "value below which a share of the values lies",
            [
                .required("x", "numbers"), .required("q", "the share, from 0 to 1"),
                .optional("axis", "the axis; default: all"),
            ], example: "quantile([1, 2, 3, 4], 0.25)"
        ) { (arguments) throws(EvaluationError) in
            let share = try arguments.number("q")
            guard (0...1).contains(share) else {
                throw .outOfRange(
                    role: "`q` of `quantile`", rule: "between 0 and 1",
                    found: NumberText.significant(share))
            }
            return try reduce(
                arguments, nil, { Statistics.quantile($0, share) },
                { Statistics.quantile($0, share) })
        },
        Function(
            "histogram", "a record of counts, and of the edges between which they fall",
            [
                .required("x", "numbers"), .optional("bins", "how many counts; default: 10"),
                .optional("range", "the first and last edge; default: smallest and largest value"),
            ], example: "histogram([1, 2, 2, 4], bins=3)", run: histogram),
        Function(
            "cumsum", "sums of the values up to each place",
            [.required("x", "numbers"), .optional("axis", "the axis; default: the only one")],
            example: "cumsum([1, 2, 3])", run: cumulativeSum),
        Function(
            "corr", "correlation of Pearson, from -1 to 1",
            [.required("a", "numbers"), .required("b", "as many numbers")],
            example: "corr([1, 2, 3], [2, 4, 7])"
        ) { (arguments) throws(EvaluationError) in
            let (a, b) = (try arguments.flat("a"), try arguments.flat("b"))
            guard a.count == b.count else {
                throw .shapesDiffer(operation: "corr", [a.count], [b.count])
            }
            guard !a.isEmpty else { throw .emptyReduction("corr") }
            return .number(Statistics.correlation(a, b))
        },
        Function(
            "cosine", "cosine of the angle between vectors along the last axis",
            [.required("a", "a vector, or rows of vectors"), .required("b", "another, or rows")],
            example: "cosine([1, 0], [[1, 1], [0, 2]])", run: cosine),
    ]

    /// - Parameter finish: makes the result of the variance.
    private static func spread(
        _ name: String, _ summary: String, example: String,
        _ finish: @escaping @Sendable (Double) -> Double
    ) -> Function {
        Function(
            name, summary,
            [
                .required("x", "numbers"), .optional("axis", "the axis; default: all"),
                .optional("ddof", "what is subtracted from n; default: 0"),
            ], example: example
        ) { (arguments) throws(EvaluationError) in
            let less = try arguments.integer("ddof", default: 0)
            guard (0...1 << 30).contains(less) else {
                throw .outOfRange(role: "`ddof`", rule: "at least 0", found: "\(less)")
            }
            return try reduce(
                arguments, nil, { finish(Statistics.variance($0, less)) },
                { finish(Statistics.variance($0, less)) })
        }
    }

    private static func histogram(_ arguments: Arguments) throws(EvaluationError) -> Value {
        let values = try arguments.flat("x")
        let bins = try arguments.integer("bins", default: 10)
        guard (1...Limits.listCount).contains(bins) else {
            throw .outOfRange(role: "`bins`", rule: "at least 1", found: "\(bins)")
        }
        guard values.allSatisfy(\.isFinite) else {
            throw .other("`histogram` takes finite numbers, and some of these are nan or infinite")
        }
        var range = (lower: values.min() ?? 0, upper: values.max() ?? 1)
        if arguments.values["range"] != nil {
            let given = try arguments.flat("range")
            guard given.count == 2, given[0] <= given[1], given.allSatisfy(\.isFinite) else {
                throw .wrongKind(
                    role: "`range` of `histogram`", expected: "two numbers in rising order",
                    found: arguments.value("range").brief)
            }
            range = (given[0], given[1])
        }
        if range.lower == range.upper {
            // Half of one is lost beside a large number.
            let half = max(0.5, abs(range.lower) * 1e-6)
            range = (range.lower - half, range.upper + half)
        }
        guard (range.upper - range.lower).isFinite else {
            throw .other("`histogram` takes numbers that are less than 1.8e308 apart")
        }
        let edges = Statistics.evenly(from: range.lower, to: range.upper, count: bins + 1)
        let counts = Statistics.counts(of: values, between: edges)
        return .record(["counts": Value(counts), "edges": .list(edges.map(Value.number))])
    }

    private static func cumulativeSum(_ arguments: Arguments) throws(EvaluationError) -> Value {
        switch try arguments.numbers("x") {
        case .doubles(let values):
            _ = try arguments.axis([values.count], default: 0)
            var sum = 0.0
            return .list(
                values.map { value in
                    sum += value
                    return .number(sum)
                })
        case .tensor(let tensor):
            guard let axis = try arguments.axis(tensor.shape) ?? (tensor.shape.count == 1 ? 0 : nil)
            else {
                throw .missingArgument(function: "cumsum", parameter: "axis")
            }
            return .tensor(
                Reduction.alongAxis(tensor, axis, keepsAxis: true) { line in
                    var sum = 0.0
                    return line.map { value in
                        sum += Double(value)
                        return Float(sum)
                    }
                })
        }
    }

    private static func cosine(_ arguments: Arguments) throws(EvaluationError) -> Value {
        if let a = arguments.value("a").plainNumbers, let b = arguments.value("b").plainNumbers {
            guard a.count == b.count else {
                throw .shapesDiffer(operation: "cosine", [a.count], [b.count])
            }
            return .number(Statistics.cosine(a[...], b[...]))
        }
        let (a, b) = (try arguments.tensor("a"), try arguments.tensor("b"))
        let (outerA, outerB) = (Array(a.shape.dropLast()), Array(b.shape.dropLast()))
        guard let width = a.shape.last, width == b.shape.last,
            outerA == outerB || outerA.isEmpty || outerB.isEmpty
        else { throw .shapesDiffer(operation: "cosine", a.shape, b.shape) }
        let shape = outerA.isEmpty ? outerB : outerA
        let (first, second) = (a.values, b.values)
        func row(_ values: [Float], _ index: Int, of outer: [Int]) -> ArraySlice<Float> {
            let start = outer.isEmpty ? 0 : index * width
            return values[start..<start + width]
        }
        let cosines = (0..<shape.reduce(1, *)).map { index in
            Statistics.cosine(row(first, index, of: outerA), row(second, index, of: outerB))
        }
        guard !shape.isEmpty else { return .number(cosines[0]) }
        return .tensor(Tensor(cosines.map(Float.init), shape: shape))
    }
}
