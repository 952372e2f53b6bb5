import Foundation
import Tensors
import Transformers

/// A small model and the values that torch and transformers compute on it.
///
/// Models of `Tests/Fixtures` are always there: their weights are drawn again from `RandomKey`.
/// Those of `../shared/reference` have stored weights and every element of every gradient.
public struct ModelOracle: Sendable {
    public let model: LanguageModel
    public let prompts: [[Int32]]
    public let responses: [[Int32]]
    public let expected: Expected

    public static let families = [
        "gpt2", "llama", "llama3", "mistral", "mixtral", "qwen2", "qwen3",
    ]

    /// The seed of the fixtures' weights.
    public static let seed: UInt64 = 20

    /// The fixture of a family.
    public init(_ family: String) throws {
        let configuration = try ModelConfiguration(
            json: Fixture.data("models/\(family)/config.json"), name: "config.json")
        try self.init(
            TinyModels.model(configuration, seed: Self.seed),
            Fixture.json("models/\(family)/expected.json", as: Expected.self))
    }

    /// Another model for the same prompts and responses.
    public func with(_ model: LanguageModel) -> ModelOracle {
        ModelOracle(model, expected)
    }

    init(_ model: LanguageModel, _ expected: Expected) {
        self.model = model
        self.expected = expected
        (prompts, responses) = (expected.prompts, expected.responses)
    }
}

extension ModelOracle {
    /// The content of `expected.json`. Log-probs are in nats; S is (C, R), row by row.
    public struct Expected: Sendable, Decodable {
        public var prompts: [[Int32]]
        public var responses: [[Int32]]
        /// Mean log-probs in nats per token.
        public var scores: [Double]
        public var loss: Double
        public var rowLoss: Double
        public var columnLoss: Double
        /// Log-probs of every token of response j after prompt i, in place i · R + j.
        public var tokenLogProbs: [[Double]]
        public var gradients: [String: Samples]
        public var rmsprop: Run
        /// Nil for models of `../shared/reference`.
        public var adamw: Run?
        /// Tokens that continue prompt 0.
        public var greedy: [Int32]
        /// Of the fixture `llama` alone.
        public var penalty: Penalty?

        enum CodingKeys: String, CodingKey {
            case prompts, responses, loss, gradients, rmsprop, adamw, greedy, penalty
            case scores = "S"
            case rowLoss = "loss_row"
            case columnLoss = "loss_column"
            case tokenLogProbs = "token_logprobs"
        }
    }

    /// Some elements of a tensor, and norm and largest absolute value of the whole.
    public struct Samples: Sendable, Decodable {
        public var norm: Double
        public var largest: Double
        /// Places in row-major order.
        public var at: [Int]
        /// The elements at these places.
        public var values: [Double]
    }

    /// Three steps of an optimizer, each from the gradient of the loss at the weights before it.
    public struct Run: Sendable, Decodable {
        public var learningRate: Double
        /// Decay of matrices; AdamW's alone.
        public var decay: Double?
        public var steps: [Step]

        enum CodingKeys: String, CodingKey {
            case learningRate = "learning_rate"
            case decay, steps
        }
    }

    /// The state after a step.
    public struct Step: Sendable, Decodable {
        public var scores: [Double]
        public var loss: Double
        /// By name, the weights minus those before the first step; nil in `../shared/reference`.
        public var moved: [String: Displacement]?

        enum CodingKeys: String, CodingKey {
            case scores = "S"
            case loss, moved
        }
    }

    public struct Displacement: Sendable, Decodable {
        public var norm: Double
        public var at: [Int]
        public var values: [Double]
    }

    /// Gradients of loss + weight · KL(model ‖ reference), where the model is the reference with
    /// its last norm's weights multiplied.
    public struct Penalty: Sendable, Decodable {
        public var lastNormTimes: Float
        public var weight: Double
        public var loss: Double
        public var divergence: Double
        /// Of all gradients together.
        public var norm: Double
        public var gradients: [String: Samples]

        enum CodingKeys: String, CodingKey {
            case lastNormTimes = "last_norm_times"
            case weight, loss, divergence, norm, gradients
        }
    }
}
