import CommandLanguage
import Foundation
import Tensors

extension Function {
    /// Functions of each number by itself.
    static let elementwise: [Function] = [
        each("abs", "magnitude", example: "abs(-2)") { $0.magnitude },
        each("exp", "e to the power of x", example: "exp(0)") { exp($0) },
        each("log", "natural logarithm", example: "log(1)") { log($0) },
        each("sqrt", "square root", example: "sqrt(2)") { $0.squareRoot() },
        each("tanh", "hyperbolic tangent", example: "tanh(0.5)") { tanh($0) },
        each("sigmoid", "1 / (1 + exp(-x))", example: "sigmoid(0)") { 1 / (1 + exp(-$0)) },
        each("floor", "largest whole number that is not above", example: "floor(2.7)") {
            $0.rounded(.down)
        },
        each("ceil", "smallest whole number that is not below", example: "ceil(2.1)") {
            $0.rounded(.up)
        },
        test("isfinite", "whether it is a number, and not nan or inf", example: "isfinite(1)") {
            $0.isFinite
        },
        test("isnan", "whether it is nan, the result of 0 times inf", example: "isnan(nan)") {
            $0.isNaN
        },
        test("isinf", "whether it is inf or -inf", example: "isinf(inf)") { $0.isInfinite },
        Function(
            "round", "nearest number with a number of decimals",
            [.required("x", "a number or a tensor"), .optional("decimals", "default: 0")],
            example: "round(3.14159, 2)"
        ) { (arguments) throws(EvaluationError) in
            let decimals = try arguments.integer("decimals", default: 0)
            guard (-300...300).contains(decimals) else {
                throw .outOfRange(
                    role: "`decimals`", rule: "between -300 and 300", found: "\(decimals)")
            }
            let scale = pow(10, Double(decimals))
            return try map(arguments) { x in
                let rounded = (x * scale).rounded(.toNearestOrEven) / scale
                return rounded.isFinite ? rounded : x
            }
        },
        Function(
            "softmax", "exponentials that sum to one along an axis", arrayAndAxis,
            example: "softmax([1, 2, 3])"
        ) { (arguments) throws(EvaluationError) in
            try lines(arguments) { line in
                let total = Reduction.logSumExp(line)
                return line.map { Float(exp(Double($0) - total)) }
            }
        },
        Function(
            "log_softmax", "logarithm of the softmax along an axis", arrayAndAxis,
            example: "log_softmax([1, 2, 3])"
        ) { (arguments) throws(EvaluationError) in
            try lines(arguments) { line in
                let total = Reduction.logSumExp(line)
                return line.map { Float(Double($0) - total) }
            }
        },
    ]

    static let arrayAndAxis: [Parameter] = [
        .required("x", "numbers"), .optional("axis", "the axis; default: the last"),
    ]

    private static func each(
        _ name: String, _ summary: String, example: String,
        _ body: @escaping @Sendable (Double) -> Double
    ) -> Function {
        Function(name, summary, [.required("x", "a number or a tensor")], example: example) {
            (arguments) throws(EvaluationError) in try map(arguments, body)
        }
    }

    /// True or false of a number; 1 or 0 for each value of a tensor, as comparisons give.
    private static func test(
        _ name: String, _ summary: String, example: String,
        _ body: @escaping @Sendable (Double) -> Bool
    ) -> Function {
        Function(name, summary, [.required("x", "a number or a tensor")], example: example) {
            (arguments) throws(EvaluationError) in
            if case .number(let number) = arguments.value("x") { return .bool(body(number)) }
            return try map(arguments) { body($0) ? 1 : 0 }
        }
    }

    /// A single number keeps its double precision.
    private static func map(
        _ arguments: Arguments, _ body: (Double) -> Double
    ) throws(EvaluationError) -> Value {
        if case .number(let number) = arguments.value("x") { return .number(body(number)) }
        let tensor = try arguments.tensor("x")
        return .tensor(Broadcasting.map(tensor) { Float(body(Double($0))) })
    }

    private static func lines(
        _ arguments: Arguments, _ body: ([Float]) -> [Float]
    ) throws(EvaluationError) -> Value {
        let tensor = try arguments.tensor("x")
        guard !tensor.shape.isEmpty else {
            throw .wrongKind(
                role: "`x` of `\(arguments.function)`", expected: "a list of numbers or a tensor",
                found: "a number")
        }
        let axis = try arguments.axis(tensor.shape, default: -1) ?? 0
        return .tensor(Reduction.alongAxis(tensor, axis, keepsAxis: true, body))
    }
}
