import Foundation
import Tensors
import Transformers

/// Models small enough for a test, of random weights: no fixture, no oracle.
public enum TinyModels {
    /// The families of `config.json` that are read.
    public static let families = ["gpt2", "llama", "mistral", "mixtral", "qwen2", "qwen3"]

    /// Two layers of width eight, with the particular parts of the family.
    public static func configuration(
        _ family: String, width: Int = 8, vocabulary: Int = 13, context: Int = 64
    ) -> ModelConfiguration {
        let hasGroups = family != "gpt2" && family != "llama"
        return ModelConfiguration(
            modelType: family, hiddenSize: width, layers: 2, heads: 2,
            keyValueHeads: hasGroups ? 1 : 2, headSize: family == "qwen3" ? width : width / 2,
            feedForwardSize: family == "gpt2" ? 4 * width : width + 4, vocabularySize: vocabulary,
            contextLength: context, slidingWindow: family == "mistral" ? 6 : nil,
            attentionBias: ["gpt2", "qwen2"].contains(family), feedForwardBias: family == "gpt2",
            experts: family == "mixtral" ? 3 : 0, expertsPerToken: family == "mixtral" ? 2 : 0,
            tiedHead: ["gpt2", "qwen2", "qwen3"].contains(family), beginToken: 1, endTokens: [2])
    }

    /// A model with dense weights, all of them random: norms around one, biases around zero.
    public static func model(
        _ family: String = "llama", seed: UInt64 = 1, width: Int = 8, vocabulary: Int = 13,
        context: Int = 64
    ) throws -> LanguageModel {
        try model(
            configuration(family, width: width, vocabulary: vocabulary, context: context),
            seed: seed)
    }

    public static func model(
        _ configuration: ModelConfiguration, seed: UInt64
    ) throws -> LanguageModel {
        let layout = try LanguageModel(configuration, key: RandomKey(seed: 0)).parameters.layout
        var tensors: [String: Tensor] = [:]
        for entry in layout.entries {
            tensors[entry.name] = weight(entry.name, entry.shape, seed: seed)
        }
        return try LanguageModel(configuration, tensors: tensors, source: "the test")
    }

    /// Matrices of deviation 1.5 / √columns, norms around one, biases around zero; the same numbers
    /// as `weight` of Tests/Oracles/model_fixtures.py draws.
    public static func weight(_ name: String, _ shape: [Int], seed: UInt64) -> Tensor {
        let key = RandomKey(seed: seed).child(name)
        let (offset, deviation): (Double, Double) =
            if shape.count > 1 {
                (0, 1.5 / Double(shape.last ?? 1).squareRoot())
            } else if name.hasSuffix(".bias") { (0, 0.1) } else { (1, 0.2) }
        let values = (0..<shape.reduce(1, *)).map {
            Float(offset + key.normal(UInt64($0)) * deviation)
        }
        return Tensor(values, shape: shape)
    }

    /// Tokens above the first three, which have special meanings.
    public static func tokens(_ count: Int, seed: UInt64, vocabulary: Int = 13) -> [Int32] {
        let key = RandomKey(seed: seed)
        return (0..<count).map { Int32(3 + key.integer(UInt64($0), below: vocabulary - 3)) }
    }
}
