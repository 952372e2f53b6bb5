import Foundation
import Optimizers
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Models of which only a part trains.
@Suite struct TrainablePartTests {
    static let families = ["llama", "gpt2", "mixtral", "qwen3"]

    /// A small model of a family with dense random weights.
    static func model(_ family: String) throws -> LanguageModel {
        var configuration = ModelConfiguration(
            modelType: family, hiddenSize: 24, layers: 3, heads: 2, keyValueHeads: 2,
            feedForwardSize: 40, vocabularySize: 50, contextLength: 64, tiedHead: family == "gpt2")
        configuration.initializerRange = 0.3
        if family == "mixtral" { (configuration.experts, configuration.expertsPerToken) = (3, 2) }
        if family == "gpt2" {
            (configuration.attentionBias, configuration.feedForwardBias) = (true, true)
        }
        return try LanguageModel(configuration, key: RandomKey(seed: 4))
    }

    static let targets: (forest: TokenForest, targets: [Target]) = {
        var forest = TokenForest()
        let root = forest.append([3, 14, 15, 9, 26, 5] as [Int32])
        forest.append([35, 8, 9] as [Int32], parent: root)
        forest.append([7, 9] as [Int32], parent: root)
        let targets = [(5, 35), (6, 8), (7, 9), (8, 32), (5, 7), (9, 9), (10, 4)].map {
            Target(row: $0.0, token: Int32($0.1))
        }
        return (forest, targets)
    }()

    static func gradients(_ model: LanguageModel) throws -> ParameterSet {
        var gradients = ParameterSet(zeros: model.parameters.layout)
        _ = try model.backpropagate(targets.forest, targets.targets, into: &gradients) {
            $0.indices.map { Float($0 + 1) / 10 }
        }
        return gradients
    }

    @Test(arguments: families)
    func `gradients of a part are those of the whole, bit for bit`(_ family: String) throws {
        let model = try Self.model(family)
        let whole = try Self.gradients(model)
        let names = model.parameters.names
        let parts: [(String) -> Bool] = [
            { $0.contains(".1.") }, { $0.contains("norm") || $0.contains("ln_") },
            { $0 == names.last }, { $0.contains("emb") || $0.contains("wpe") },
            { $0.contains("o_proj") || $0.contains("c_proj") },
        ]
        for isTrainable in parts {
            let part = try Self.gradients(model.training(isTrainable))
            #expect(part.names == names.filter(isTrainable) && !part.names.isEmpty)
            for name in part.names {
                #expect(part[name]?.values == whole[name]?.values, "gradient of \(name)")
            }
        }
        let none = try Self.gradients(model.training { _ in false })
        #expect(none.names.isEmpty && none.norm == 0)
    }

    @Test func `a step changes the trained part alone`() throws {
        let base = try Self.model("llama")
        let model = base.training { $0.contains("layers.2.mlp") }
        var changed = model
        var (state, gradients) = (OptimizerState(), try Self.gradients(model))
        let norm = gradients.norm
        _ = try Optimizer.adamw().step(
            &changed, &gradients, norm: norm, clip: 1, &state, learningRate: 0.01)
        for (name, tensor) in zip(changed.parameters.names, changed.parameters.tensors) {
            let isTrained = name.contains("layers.2.mlp")
            #expect((tensor != base.parameters[name]) == isTrained, "\(name)")
        }
        #expect(state.moments["means"]?.names == gradients.names)
    }

    @Test func `frozen parts cost no work below the lowest block that trains`() throws {
        let model = try Self.model("llama")
        let gradients = ParameterSet(
            zeros: model.training { $0.contains("layers.2.") }.parameters.layout)
        #expect(model.lowestBlockForTest(gradients) == 2)
        let head = ParameterSet(
            zeros: model.training { $0.contains("lm_head") }.parameters.layout)
        #expect(model.lowestBlockForTest(head) == 3)
    }

    static func adapter(_ family: String) -> AdapterConfiguration {
        AdapterConfiguration(
            rank: 3, alpha: 6, scaling: family == "qwen3" ? .rankStabilized : .standard,
            targets: family == "gpt2"
                ? ["c_attn", "c_proj", "c_fc"]
                : ["q_proj", "v_proj", "o_proj"]
                    + (family == "mixtral" ? ["w1", "w2"] : ["down_proj", "gate_proj"]))
    }

    /// With B of random numbers, so that A has a gradient.
    static func adapted(_ model: LanguageModel, _ family: String) throws -> LanguageModel {
        randomized(try model.adding(adapter(family), key: RandomKey(seed: 8)))
    }

    /// The same model with random numbers in B.
    static func randomized(_ model: LanguageModel) -> LanguageModel {
        var adapted = model
        adapted.update { parameters in
            for (index, name) in parameters.names.enumerated() where name.contains("lora_B") {
                let key = RandomKey(seed: UInt64(100 + index))
                for i in 0..<parameters.tensors[index].count {
                    parameters.tensors[index][i] = 0.3 * Float(key.normal(UInt64(i)))
                }
            }
        }
        return adapted
    }

    @Test(arguments: families)
    func `an adapter changes nothing until it is trained, and merges`(_ family: String) throws {
        let model = try Self.model(family)
        let (forest, targets) = Self.targets
        let plain = try model.logProbs(forest, targets)
        let fresh = try model.adding(Self.adapter(family), key: RandomKey(seed: 8))
        #expect(relativeError(try fresh.logProbs(forest, targets), plain) < 1e-6)
        let adapted = try Self.adapted(model, family)
        let scores = try adapted.logProbs(forest, targets)
        #expect(relativeError(scores, plain) > 1e-2)
        let merged = try adapted.mergingAdapter()
        #expect(merged.parameters.names == model.parameters.names)
        #expect(relativeError(try merged.logProbs(forest, targets), scores) < 1e-4)
        #expect(throws: ModelError.self) { try adapted.mergingAdapter(available: 1000) }
    }

    @Test(arguments: families)
    func `an adapter's gradients are those of the loss`(_ family: String) throws {
        let model = try Self.adapted(try Self.model(family), family)
        let (forest, targets) = Self.targets
        let gradients = try Self.gradients(model)
        #expect(!gradients.names.isEmpty && gradients.names.allSatisfy { $0.contains(".lora_") })
        func loss(_ model: LanguageModel) throws -> Double {
            try model.logProbs(forest, targets).enumerated().reduce(0) {
                $0 + Double($1.element) * Double($1.offset + 1) / 10
            }
        }
        for (name, gradient) in zip(gradients.names, gradients.tensors) {
            let norm = gradient.squaredNorm.squareRoot()
            guard norm > 1e-3 else { continue }
            func moved(_ length: Double) throws -> Double {
                var weights = model.parameters
                weights[name]?.add(gradient, scaledBy: Float(length / norm))
                return try loss(model.with(weights))
            }
            // A step along the gradient changes the loss by its norm.
            let difference = (try moved(2e-3) - moved(-2e-3)) / 4e-3
            #expect(abs(difference / norm - 1) < 0.03, "\(name): \(difference / norm)")
        }
    }

    @Test func `an adapter that fits nothing is refused`() throws {
        let model = try Self.model("llama")
        #expect(throws: ModelError.self) {
            try model.adding(
                AdapterConfiguration(rank: 2, alpha: 2, targets: ["proj"]),
                key: RandomKey(seed: 1))
        }
        #expect(throws: ModelError.self) {
            try model.adding(
                AdapterConfiguration(rank: 0, alpha: 2, targets: ["q_proj"]),
                key: RandomKey(seed: 1))
        }
    }
}

/// Agreement with peft 0.21.2, transformers 4.57 and torch 2.13 in float64; provenance in
/// ../shared/reference.
@Suite(.needsShared("reference/lora", "reference/models"))
struct AdapterReferenceTests {
    struct Case {
        let name, model: String
        let adapter: AdapterConfiguration
    }

    static let cases = [
        Case(
            name: "llama-all", model: "llama",
            adapter: AdapterConfiguration(
                rank: 4, alpha: 8,
                targets: [
                    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                ])),
        Case(
            name: "gpt2-conv1d", model: "gpt2",
            adapter: AdapterConfiguration(
                rank: 3, alpha: 12, targets: ["c_attn", "c_proj", "c_fc"])),
        Case(
            name: "mixtral-attention", model: "mixtral",
            adapter: AdapterConfiguration(
                rank: 2, alpha: 4, targets: ["q_proj", "k_proj", "v_proj", "o_proj"])),
        Case(
            name: "qwen2-qv-rslora", model: "qwen2",
            adapter: AdapterConfiguration(
                rank: 6, alpha: 16, scaling: .rankStabilized, targets: ["q_proj", "v_proj"])),
    ]

    @Test(arguments: cases.indices)
    func scoresGradientsAndStepsAgree(_ index: Int) throws {
        let example = Self.cases[index]
        let oracle = try ModelOracle(shared: example.model)
        let directory = SharedReference.path("reference/lora/\(example.name)")
        let expected = try SafeTensors(path: directory + "/expected.safetensors")
        var model = try AdapterDirectory.load(directory, onto: oracle.model).model
        #expect(model.configuration.adapter == example.adapter)
        let grid = oracle.grid(isShared: true)
        func scores(_ model: LanguageModel) throws -> [Float] {
            try oracle.contrast(model, grid).scores.map(Float.init)
        }
        #expect(relativeError(try scores(model), try #require(expected.tensor("S")).values) < 1e-4)
        #expect(
            relativeError(
                try scores(model.mergingAdapter()),
                try #require(expected.tensor("merged.S")).values) < 1e-4)
        var state = OptimizerState()
        for step in 1...3 {
            var gradients = ParameterSet(zeros: model.parameters.layout)
            _ = try model.backpropagate(grid.forest, grid.targets, into: &gradients) {
                oracle.contrast($0, grid.pairs).coefficients
            }
            if step == 1 {
                for (name, gradient) in zip(gradients.names, gradients.tensors) {
                    let wanted = try #require(
                        expected.tensor("gradient.base_model.model.\(name)"), "\(name)")
                    let error = relativeError(gradient.values, wanted.values)
                    #expect(error < 1e-3, "gradient of \(name) off by \(error)")
                }
            }
            try model.update {
                try Optimizer.rmsprop().step(&$0, gradients, &state, learningRate: 1e-2)
            }
            let wanted = try #require(expected.tensor("after_step_\(step).S"))
            #expect(relativeError(try scores(model), wanted.values) < 2e-2, "S, step \(step)")
        }
    }
}

extension LanguageModel {
    fileprivate func lowestBlockForTest(_ gradients: ParameterSet) -> Int {
        (try? Families.family(configuration))?.lowestBlock(gradients) ?? -1
    }
}
