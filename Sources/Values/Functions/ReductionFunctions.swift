import CommandLanguage
import Foundation
import Tensors

extension Function {
    /// Functions that reduce many numbers to few.
    static let reductions: [Function] = [
        reduction("sum", "sum", example: "sum([1, 2, 3])", ofNothing: 0, Reduction.sum),
        reduction("mean", "arithmetic mean", example: "mean([1, 2, 3])", Reduction.mean),
        reduction("std", "standard deviation, dividing by n", example: "std([1, 2, 3])") { values in
            let mean = Reduction.mean(values)
            let squares = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            return (squares / Double(values.count)).squareRoot()
        },
        reduction(
            "norm", "square root of the sum of squares", example: "norm([3, 4])", ofNothing: 0
        ) { values in values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() },
        reduction(
            "logsumexp", "logarithm of the sum of exponentials", example: "logsumexp([0, 0])",
            Reduction.logSumExp),
        extreme("min", "smallest value", example: "min([3, 1, 2])") { Double($0.min() ?? .nan) },
        extreme("max", "largest value", example: "max([3, 1, 2])") { Double($0.max() ?? .nan) },
        reduction("argmin", "position of the smallest value", example: "argmin([3, 1, 2])") {
            values in
            // The first of equal values, as in all functions here.
            Double(values.indices.reduce(0) { values[$1] < values[$0] ? $1 : $0 })
        },
        reduction("argmax", "position of the largest value", example: "argmax([3, 1, 2])") {
            values in
            Double(values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 })
        },
        Function(
            "all", "whether every value is true or not zero", [.required("x", "values")],
            example: "all([true, true])"
        ) { (arguments) throws(EvaluationError) in
            .bool(try arguments.tensor("x").values.allSatisfy { $0 != 0 })
        },
        Function(
            "any", "whether some value is true or not zero", [.required("x", "values")],
            example: "any([false, true])"
        ) { (arguments) throws(EvaluationError) in
            .bool(try arguments.tensor("x").values.contains { $0 != 0 })
        },
    ]

    private static let parameters: [Parameter] = [
        .required("x", "numbers"), .optional("axis", "the axis; default: all"),
    ]

    private static func reduction(
        _ name: String, _ summary: String, example: String, ofNothing: Double? = nil,
        _ body: @escaping @Sendable ([Float]) -> Double
    ) -> Function {
        Function(name, summary, parameters, example: example) {
            (arguments) throws(EvaluationError) in
            try reduce(arguments, ofNothing, body)
        }
    }

    /// `min` and `max` also take several numbers: `max(a, b)`.
    private static func extreme(
        _ name: String, _ summary: String, example: String,
        _ body: @escaping @Sendable ([Float]) -> Double
    ) -> Function {
        Function(name, summary, parameters, example: example, isOpen: true) {
            (arguments) throws(EvaluationError) in
            var arguments = arguments
            let unknown = arguments.values.keys.first { $0 != "x" && $0 != "axis" }
            if let unknown {
                throw .unknownParameter(
                    function: name, key: unknown, parameters: ["x", "axis"], nearest: nil)
            }
            if arguments.rest.count > 1 {
                let numbers = arguments.rest.compactMap(\.asNumber)
                guard numbers.count == arguments.rest.count else {
                    let wrong = arguments.rest.first { $0.asNumber == nil } ?? .null
                    throw .wrongKind(
                        role: "each value of `\(name)`", expected: "a number", found: wrong.aKind)
                }
                let least = name == "min"
                return Value((least ? numbers.min() : numbers.max()) ?? .nan)
            }
            if let only = arguments.rest.first { arguments.values["x"] = only }
            guard arguments.values["x"] != nil else {
                throw .missingArgument(function: name, parameter: "x")
            }
            return try reduce(arguments, nil, body)
        }
    }

    private static func reduce(
        _ arguments: Arguments, _ ofNothing: Double?, _ body: ([Float]) -> Double
    ) throws(EvaluationError) -> Value {
        let tensor = try arguments.tensor("x")
        guard let axis = try arguments.axis(tensor.shape) else {
            guard tensor.count > 0 else {
                guard let ofNothing else { throw .emptyReduction(arguments.function) }
                return .number(ofNothing)
            }
            return .number(body(tensor.values))
        }
        guard tensor.shape[axis] > 0 || ofNothing != nil else {
            throw .emptyReduction(arguments.function)
        }
        let result = Reduction.alongAxis(tensor, axis, keepsAxis: false) { line in
            [Float(line.isEmpty ? ofNothing ?? .nan : body(line))]
        }
        return result.shape.isEmpty ? .number(Double(result.values[0])) : .tensor(result)
    }
}
