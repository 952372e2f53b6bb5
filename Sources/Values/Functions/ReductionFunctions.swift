import CommandLanguage
import Foundation
import Tensors

extension Function {
    /// Functions that reduce many numbers to few.
    static let reductions: [Function] = [
        reduction(
            "sum", "sum", example: "sum([1, 2, 3])", ofNothing: 0, Reduction.sum,
            { Statistics.pairwiseSum($0[...]) }),
        reduction(
            "mean", "arithmetic mean", example: "mean([1, 2, 3])", Reduction.mean, Statistics.mean),
        reduction(
            "norm", "square root of the sum of squares", example: "norm([3, 4])", ofNothing: 0,
            Reduction.norm, Reduction.norm),
        reduction(
            "logsumexp", "logarithm of the sum of exponentials", example: "logsumexp([0, 0])",
            Reduction.logSumExp, Reduction.logSumExp),
        extreme(
            "min", "smallest value", example: "min([3, 1, 2])", Reduction.least, Reduction.least),
        extreme(
            "max", "largest value", example: "max([3, 1, 2])", Reduction.largest,
            Reduction.largest),
        // The first of equal values, as in all functions here.
        reduction(
            "argmin", "position of the smallest value", example: "argmin([3, 1, 2])",
            { Reduction.place(in: $0, <) }, { Reduction.place(in: $0, <) }),
        reduction(
            "argmax", "position of the largest value", example: "argmax([3, 1, 2])",
            { Reduction.place(in: $0, >) }, { Reduction.place(in: $0, >) }),
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

    /// A function that makes one number of many: `floats` of tensors, `doubles` of lists of plain
    /// numbers.
    static func reduction(
        _ name: String, _ summary: String, example: String, ofNothing: Double? = nil,
        _ floats: @escaping @Sendable ([Float]) -> Double,
        _ doubles: @escaping @Sendable ([Double]) -> Double
    ) -> Function {
        Function(name, summary, parameters, example: example) {
            (arguments) throws(EvaluationError) in
            try reduce(arguments, ofNothing, floats, doubles)
        }
    }

    /// `min` and `max` also take several numbers: `max(a, b)`.
    private static func extreme(
        _ name: String, _ summary: String, example: String,
        _ floats: @escaping @Sendable ([Float]) -> Double,
        _ doubles: @escaping @Sendable ([Double]) -> Double
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
                return .number(doubles(numbers))
            }
            if let only = arguments.rest.first { arguments.values["x"] = only }
            guard arguments.values["x"] != nil else {
                throw .missingArgument(function: name, parameter: "x")
            }
            return try reduce(arguments, nil, floats, doubles)
        }
    }

    static func reduce(
        _ arguments: Arguments, _ ofNothing: Double?, _ floats: ([Float]) -> Double,
        _ doubles: ([Double]) -> Double
    ) throws(EvaluationError) -> Value {
        let tensor: Tensor
        switch try arguments.numbers("x") {
        case .doubles(let values):
            _ = try arguments.axis([values.count])
            if !values.isEmpty { return .number(doubles(values)) }
            tensor = Tensor(zeros: [0])
        case .tensor(let given): tensor = given
        }
        guard let axis = try arguments.axis(tensor.shape) else {
            guard tensor.count > 0 else {
                guard let ofNothing else { throw .emptyReduction(arguments.function) }
                return .number(ofNothing)
            }
            return .number(floats(tensor.values))
        }
        guard tensor.shape[axis] > 0 || ofNothing != nil else {
            throw .emptyReduction(arguments.function)
        }
        let result = Reduction.alongAxis(tensor, axis, keepsAxis: false) { line in
            [Float(line.isEmpty ? ofNothing ?? .nan : floats(line))]
        }
        return result.shape.isEmpty ? .number(Double(result.values[0])) : .tensor(result)
    }
}
