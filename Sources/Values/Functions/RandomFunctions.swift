import CommandLanguage
import Rendering
import Synchronization
import Tensors

/// The random numbers of the expressions of one statement. They are a function of the session's
/// seed, the number of the statement, and the place of the call in its evaluation, so that a replay
/// draws the same.
package final class ExpressionRandomness: Sendable {
    private let key: RandomKey
    private let calls = Mutex<UInt64>(0)

    /// - Parameter key: of the statement.
    package init(key: RandomKey) { self.key = key.child("expression") }

    /// Whether the statement has drawn a number.
    package var isUsed: Bool { calls.withLock { $0 > 0 } }

    /// The key of the next call.
    func next() -> RandomKey {
        calls.withLock { count in
            count += 1
            return key.child(count)
        }
    }

    /// The random numbers of the statement on this thread.
    @TaskLocal package static var current = ExpressionRandomness(key: RandomKey(seed: 0))
}

extension Function {
    static let random: [Function] = [
        drawn(
            "normal", "a tensor of normally distributed random numbers", ["mean": 0, "std": 1],
            example: "normal(2, 3, seed=1)"
        ) { key, index, options in options[0] + options[1] * key.normal(index) },
        drawn(
            "uniform", "a tensor of random numbers between low and high", ["low": 0, "high": 1],
            example: "uniform(2, 3, seed=1)"
        ) { key, index, options in options[0] + (options[1] - options[0]) * key.uniform(index) },
    ]

    /// - Parameter options: names and defaults, in the order in which `draw` gets their values.
    private static func drawn(
        _ name: String, _ summary: String, _ options: KeyValuePairs<String, Double>,
        example: String,
        _ draw: @escaping @Sendable (RandomKey, UInt64, [Double]) -> Double
    ) -> Function {
        let options = options.map { (name: $0.key, value: $0.value) }
        let named = options.map { option in
            Parameter.optional(
                option.name, "default: \(NumberText.significant(option.value))")
        }
        return Function(
            name, summary,
            [.required("shape", "its sides")] + named + [
                .optional("seed", "a whole number; default: the session's and the statement's")
            ], example: example, isOpen: true
        ) { (arguments) throws(EvaluationError) in
            let known = ["shape"] + options.map(\.name) + ["seed"]
            if let key = arguments.values.keys.first(where: { !known.contains($0) }) {
                throw .unknownParameter(
                    function: name, key: key, parameters: known, nearest: nearest(key, in: known))
            }
            let shape = try arguments.sides()
            var values: [Double] = []
            for option in options {
                values.append(
                    arguments.values[option.name] == nil
                        ? option.value : try arguments.number(option.name))
            }
            let key: RandomKey
            if arguments.values["seed"] != nil {
                let seed = try arguments.integer("seed")
                guard seed >= 0 else {
                    throw .outOfRange(role: "`seed`", rule: "at least 0", found: "\(seed)")
                }
                key = RandomKey(seed: UInt64(seed)).child("expression")
            } else {
                key = ExpressionRandomness.current.next()
            }
            var tensor = Tensor(uninitialized: shape)
            tensor.withUnsafeMutableBufferPointer { target in
                for index in target.indices {
                    target[index] = Float(draw(key, UInt64(index), values))
                }
            }
            return .tensor(tensor)
        }
    }
}

extension Arguments {
    /// The shape that a function with any number of values is given: `zeros(2, 3)`, `zeros([2, 3])`
    /// or `shape=[2, 3]`.
    func sides() throws(EvaluationError) -> [Int] {
        let given = rest + (values["shape"].map { [$0] } ?? [])
        guard !given.isEmpty else {
            throw .missingArgument(function: function, parameter: "shape")
        }
        let shape = try shape(given)
        if let side = shape.first(where: { $0 < 0 }) {
            throw .outOfRange(role: "a dimension of a shape", rule: "at least 0", found: "\(side)")
        }
        try Limits.check(shape)
        return shape
    }
}
