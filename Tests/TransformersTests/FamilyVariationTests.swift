import Foundation
import Tensors
import Testing

@testable import Transformers

/// What configurations can say beyond the reference models: their weights under other configurations.
/// Oracle: Tests/Oracles/families.py, transformers 4.57.6, torch 2.13.0, float64.
@Suite(.enabled(if: Reference.shared != nil, "../shared/reference is not here"))
struct FamilyVariationTests {
    struct Variation: Sendable, CustomTestStringConvertible {
        var family: String
        var changes: String
        var scores: [Float]
        var greedy: [Int32]
        var testDescription: String { "\(family) \(changes)" }
    }

    static let variations = [
        Variation(
            family: "llama", changes: #"{"rope_scaling": {"rope_type": "linear", "factor": 4.0}}"#,
            scores: [
                -7.4738169, -7.9566941, -6.7901889, -8.7106843, -7.2167535, -6.8391994,
                -6.6442036, -7.4813115, -6.8290258,
            ], greedy: [67, 211, 302, 297, 85, 79, 124, 173, 204, 2, 200, 304]),
        Variation(
            family: "llama", changes: #"{"attention_bias": true, "mlp_bias": true}"#,
            scores: [
                -6.6966586, -7.3327824, -7.3048689, -6.8337696, -7.0136028, -6.4834407,
                -7.4865917, -6.7854222, -7.9825132,
            ], greedy: [288, 45, 211, 30, 201, 242, 201, 118, 250, 102, 42, 52]),
        Variation(
            family: "mistral", changes: #"{"sliding_window": null}"#,
            scores: [
                -7.6179059, -8.0815474, -7.3025632, -7.1685122, -7.7304696, -7.965627,
                -7.6852805, -6.9064567, -6.0860086,
            ], greedy: [240, 246, 246, 246, 160, 246, 311, 311, 311, 311, 311, 311]),
        Variation(
            family: "mistral", changes: #"{"sliding_window": 1}"#,
            scores: [
                -6.205386, -8.1996959, -6.8417479, -6.5927757, -8.1247998, -6.6613901,
                -6.5362933, -8.3210437, -7.3138223,
            ], greedy: [260, 216, 206, 172, 184, 168, 80, 108, 15, 276, 258, 163]),
        Variation(
            family: "mixtral", changes: #"{"sliding_window": 9, "num_experts_per_tok": 1}"#,
            scores: [
                -6.707477, -6.527913, -7.240355, -6.5598219, -6.0858101, -7.0541723,
                -6.9694015, -6.4745044, -7.4543157,
            ], greedy: [43, 142, 99, 304, 63, 82, 171, 63, 295, 43, 163, 163]),
        Variation(
            family: "mixtral", changes: #"{"num_experts_per_tok": 3}"#,
            scores: [
                -6.722854, -6.9058741, -6.2300784, -7.6068789, -7.072874, -6.8886452,
                -6.2641997, -6.2565456, -6.3826123,
            ], greedy: [316, 161, 173, 173, 173, 173, 173, 173, 205, 203, 170, 88]),
        Variation(
            family: "qwen2",
            changes: """
                {"use_sliding_window": true, "sliding_window": 7, "max_window_layers": 1, \
                "layer_types": null}
                """,
            scores: [
                -6.7288088, -6.863549, -6.4107082, -6.5107818, -6.8666989, -6.6086099,
                -6.8691435, -7.2070435, -7.5008395,
            ], greedy: [46, 101, 190, 204, 295, 41, 18, 110, 55, 1, 231, 175]),
        Variation(
            family: "qwen3",
            changes: """
                {"use_sliding_window": true, "sliding_window": 5, \
                "layer_types": ["sliding_attention", "full_attention"]}
                """,
            scores: [
                -9.1343233, -6.9108043, -6.8732081, -7.7201002, -6.4281491, -7.5492127,
                -8.5453741, -7.0437031, -7.3804068,
            ], greedy: [200, 232, 302, 149, 225, 90, 240, 222, 155, 156, 55, 73]),
        Variation(
            family: "qwen3", changes: #"{"attention_bias": true}"#,
            scores: [
                -7.5396534, -6.5888412, -7.3962607, -7.3323489, -6.9245494, -7.4321401,
                -6.17256, -6.8389626, -6.9849273,
            ], greedy: [128, 193, 38, 281, 25, 2, 302, 2, 295, 53, 53, 53]),
        Variation(
            family: "gpt2",
            changes: #"{"tie_word_embeddings": false, "layer_norm_epsilon": 0.1}"#,
            scores: [
                -8.0046498, -6.9145657, -7.99126, -7.8875639, -6.4383459, -6.1251577,
                -7.7651912, -6.3604741, -6.8574425,
            ], greedy: [0, 203, 256, 94, 30, 203, 55, 85, 318, 203, 207, 166]),
    ]

    /// The reference model of a family, its configuration changed and what is missing added.
    static func model(_ family: String, changes: String) throws -> (Reference, LanguageModel) {
        let reference = try Reference(family)
        var members = try #require(
            try JSON.read([UInt8](reference.model.configuration.json)).members)
        for change in try #require(try JSON.read(Array(changes.utf8)).members) {
            members.removeAll { $0.key == change.key }
            members.append(change)
        }
        let configuration = try ModelConfiguration(
            json: Data(JSON.object(members).pretty.utf8), name: "config.json")
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in zip(
            reference.model.parameters.names, reference.model.parameters.tensors)
        {
            tensors[name] = tensor
        }
        for entry in try Families.family(configuration).layout.entries
        where tensors[entry.name] == nil {
            if entry.name.hasSuffix(".bias") {
                let count = entry.shape.reduce(1, *)
                tensors[entry.name] = Tensor(
                    (0..<count).map { 0.05 * Float($0 % 7 - 3) }, shape: entry.shape)
            } else {
                let table = try #require(tensors["transformer.wte.weight"])
                tensors[entry.name] = Tensor(table.values.map { -$0 }, shape: table.shape)
            }
        }
        return (
            reference, try LanguageModel(configuration, tensors: tensors, source: "the test")
        )
    }

    @Test(arguments: variations, [true, false])
    func scoresAgree(_ variation: Variation, shared: Bool) throws {
        let (reference, model) = try Self.model(variation.family, changes: variation.changes)
        let (forest, targets, pairs) = reference.forest(shared: shared)
        let (scores, _, _) = reference.contrast(try model.logProbs(forest, targets), pairs)
        #expect(relativeError(scores.map(Float.init), variation.scores) < 1e-4)
    }

    @Test(arguments: variations)
    func cachedGenerationAgrees(_ variation: Variation) throws {
        let (reference, model) = try Self.model(variation.family, changes: variation.changes)
        // The other prompts, which share nothing with the first, are generated beside it.
        let found = try model.generate(
            reference.prompts.map { GenerationRequest(prompt: $0, key: RandomKey(seed: 1)) },
            SamplerSettings(temperature: 0, maxTokens: variation.greedy.count))
        #expect(found[0].tokens == variation.greedy)
    }

    /// Directional derivatives: what the gradient promises along itself is what the loss does.
    /// With one expert a token, every small step moves some token to another expert.
    @Test(arguments: variations.filter { !$0.changes.contains("tok\": 1") })
    func gradientsAreThoseOfTheLoss(_ variation: Variation) throws {
        let (reference, model) = try Self.model(variation.family, changes: variation.changes)
        let (forest, targets, pairs) = reference.forest(shared: true)
        func loss(_ model: LanguageModel) throws -> Double {
            reference.contrast(try model.logProbs(forest, targets), pairs).loss
        }
        var gradients = ParameterSet(zeros: model.parameters.layout)
        _ = try model.backpropagate(forest, targets, into: &gradients) {
            reference.contrast($0, pairs).coefficients
        }
        for (index, name) in gradients.names.enumerated() {
            let gradient = gradients.tensors[index]
            let norm = gradient.squaredNorm.squareRoot()
            // Nothing is at stake where nothing changes; a router's choices jump.
            guard norm > 1e-3, !name.contains("moe.gate") else { continue }
            let step = 1e-2 / norm
            func moved(_ sign: Double) throws -> Double {
                var weights = model.parameters
                weights.tensors[index].add(gradient, scaledBy: Float(sign * step / norm))
                return try loss(model.with(weights))
            }
            let difference = try moved(0.1) - moved(-0.1)
            let promised = 0.2 * step * norm
            #expect(
                abs(difference - promised) < 0.05 * promised, "\(name): \(difference / promised)")
        }
    }

    /// A pass that is longer than the original context turns by the length of its longest sequence.
    @Test func dynamicScalingFollowsTheLongestSequence() throws {
        let (reference, model) = try Self.model(
            "llama",
            changes: """
                {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}, \
                "max_position_embeddings": 24}
                """)
        let wanted: [Float] = [
            -6.814979, -7.5209034, -6.9251817, -7.1254223, -7.1087452, -6.187453, -7.4375828,
            -6.9721903, -7.8031793,
        ]
        #expect(model.configuration.longestSequence == 48)
        for (i, prompt) in reference.prompts.enumerated() {
            for (j, response) in reference.responses.enumerated() {
                var forest = TokenForest()
                let root = forest.append(prompt)
                // Its last token predicts nothing, but is as much of the sequence.
                forest.append(response, parent: root)
                let found = try model.logProbs(
                    forest,
                    response.enumerated().map {
                        Target(row: prompt.count - 1 + $0.offset, token: $0.element)
                    })
                let mean = found.reduce(0, +) / Float(found.count)
                #expect(abs(mean / wanted[3 * i + j] - 1) < 1e-4, "pair \(i), \(j)")
            }
        }
    }
}
