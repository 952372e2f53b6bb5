import Tensors

/// A rule that turns the gradient of a tensor into a step: its settings, the running means that it
/// keeps between steps, and its arithmetic.
///
/// To add a rule, write a file like `AdamW.swift` and list it in `all`. Training, storage, memory
/// estimates and the command language take everything else from here.
public struct OptimizerRule: Sendable {
    /// A constant of a rule.
    public struct Setting: Sendable {
        public let name: String
        public let initial: Double
        /// The allowed range in words, for a message.
        public let allowed: String
        let isAllowed: @Sendable (Double) -> Bool

        /// A share of an old value that is kept: in [0, 1).
        static func decay(_ name: String, _ initial: Double) -> Setting {
            Setting(name: name, initial: initial, allowed: "it must be in [0, 1)") {
                $0 >= 0 && $0 < 1
            }
        }

        /// A number that is 0 or above.
        static func size(_ name: String, _ initial: Double) -> Setting {
            Setting(name: name, initial: initial, allowed: "it must be 0 or more") {
                $0 >= 0 && $0.isFinite
            }
        }

        /// Off (0) or on (1).
        static func flag(_ name: String) -> Setting {
            Setting(name: name, initial: 0, allowed: "it must be 0 or 1") { $0 == 0 || $0 == 1 }
        }
    }

    /// What the step of one tensor depends on, besides the tensor, its gradient and its moments.
    public struct Step: Sendable {
        /// Steps so far, this one included.
        public let number: Int
        public let learningRate: Float
        let settings: [String: Double]

        subscript(name: String) -> Float { Float(settings[name] ?? 0) }
    }

    /// The word for it in the command language.
    public let name: String
    public let summary: String
    /// The names of the moments that it keeps for every parameter, each of the parameter's shape.
    /// They begin at zero, and are stored under these names.
    public let moments: [String]
    public let settings: [Setting]
    /// A factor of the learning rate at a step, counted from 1.
    let rateFactor: @Sendable (_ step: Int, _ settings: [String: Double]) -> Double
    /// Changes the parameter and its moments, which come in the order of their names, in place.
    let apply:
        @Sendable (
            _ parameter: inout Tensor, _ gradient: Tensor, _ moments: inout [Tensor], Step
        ) -> Void

    init(
        name: String, summary: String, moments: [String], settings: [Setting],
        rateFactor: @escaping @Sendable (Int, [String: Double]) -> Double = { _, _ in 1 },
        apply: @escaping @Sendable (inout Tensor, Tensor, inout [Tensor], Step) -> Void
    ) {
        self.name = name
        self.summary = summary
        self.moments = moments
        self.settings = settings
        self.rateFactor = rateFactor
        self.apply = apply
    }

    /// Every rule there is.
    public static let all: [OptimizerRule] = [.rmsprop, .adamw]

    /// The rule with this name.
    public static func named(_ name: String) -> OptimizerRule? { all.first { $0.name == name } }
}
