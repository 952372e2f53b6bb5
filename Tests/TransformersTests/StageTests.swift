import LongWork
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// A model that is divided by layers computes the values of the whole model.
@Suite struct StageTests {
    /// Twelve layers; a vocabulary of forty.
    private static func model(
        _ family: String = "llama", layers: Int = 12, adapted: Bool = false, seed: UInt64 = 3
    ) throws -> LanguageModel {
        var configuration = TinyModels.configuration(family, width: 16, vocabulary: 40)
        configuration.layers = layers
        let model = try TinyModels.model(configuration, seed: seed)
        guard adapted else { return model }
        let adapter = AdapterConfiguration(rank: 2, alpha: 4, targets: ["q_proj", "down_proj"])
        var result = try model.adding(adapter, key: RandomKey(seed: 8))
        // A pair begins with B = 0, of which A has no gradient.
        for name in result.parameters.names where name.hasSuffix("lora_B.weight") {
            result.update { parameters in
                guard let shape = parameters[name]?.shape else { return }
                parameters[name] = TinyModels.weight(name, shape, seed: 5)
            }
        }
        return result
    }

    /// The weights that a stage needs, and placeholders for the others.
    private static func partial(
        _ model: LanguageModel, _ number: Int, of count: Int
    ) throws -> StagedModel {
        let stage = try LayerStage.division(of: model.configuration, into: count)[number]
        let own = Set(try stage.places(model.configuration))
        var part = model
        part.update { parameters in
            for (index, name) in parameters.names.enumerated() where !own.contains(index) {
                parameters[name] = Tensor(absent: model.parameters.tensors[index].shape)
            }
        }
        return try StagedModel(part, stage: number, of: count)
    }

    private static func packs(_ count: Int) -> [StagedPack] {
        (0..<count).map { number in
            var forest = TokenForest()
            let seed = UInt64(100 * number)
            let tokens = { TinyModels.tokens($0, seed: seed + $1, vocabulary: 40) }
            let first = forest.append(tokens(7 + number, 1))
            forest.append(tokens(4, 2), parent: first)
            forest.append(tokens(3, 3), parent: first)
            forest.append(tokens(5, 4))
            let key = RandomKey(seed: seed)
            let targets = forest.tokens.indices.filter { $0 % 3 == 1 }.map {
                Target(row: $0, token: Int32(key.integer(UInt64($0), below: 40)))
            }
            return StagedPack(forest, targets, penaltyWeight: 0.1)
        }
    }

    @Test(arguments: TinyModels.families)
    func `a division has every tensor once, but for a tied head`(family: String) throws {
        let configuration = try Self.model(family).configuration
        let entries = try configuration.parameterLayout().entries
        for count in [1, 2, 3, 4, 12, 40] {
            let stages = try LayerStage.division(of: configuration, into: count)
            #expect(stages.count == min(count, 12))
            #expect(stages.flatMap(\.blocks) == Array(0..<12))
            #expect(stages.allSatisfy { !$0.blocks.isEmpty })
            let places = try stages.flatMap { try $0.places(configuration) }
            let isTied = configuration.tiedHead && stages.count > 1
            #expect(Set(places).count == entries.count)
            #expect(places.count == entries.count + (isTied ? 1 : 0))
        }
    }

    @Test func `seventy billion parameters fit eight machines of 24 GB`() throws {
        let configuration = try #require(ModelConfiguration.published["llama3-70b"])
        let entries = try configuration.parameterLayout().entries
        let bytes = try LayerStage.division(of: configuration, into: 8).map { stage in
            try stage.places(configuration).reduce(0) {
                $0 + 2 * entries[$1].shape.reduce(1, *)
            }
        }
        #expect(bytes.reduce(0, +) == 141_107_412_992)
        #expect(bytes.allSatisfy { $0 < 19_000_000_000 })
    }

    /// With adapters of rank 16, blocks computed twice, AdamW.
    @Test func `training adapters of seventy billion parameters fits them too`() throws {
        var configuration = try #require(ModelConfiguration.published["llama3-70b"])
        try configuration.add(
            AdapterConfiguration(
                rank: 16, alpha: 32, targets: Set(try configuration.projections().map(\.kind))))
        let work = MemoryEstimate.Work.training(
            constitutions: 2, responses: 2, prompt: 512, response: 128, moments: 2,
            keepsActivations: false)
        let stages = try LayerStage.division(of: configuration, into: 8)
        let estimates = try stages.map {
            try MemoryEstimate(configuration, .bfloat16, work, stage: $0)
        }
        #expect(estimates.allSatisfy { $0.fits(24_000_000_000) })
        #expect(!estimates.allSatisfy { $0.fits(23_000_000_000) })
        #expect(estimates.reduce(0) { $0 + $1.weights } == 141_107_412_992)
        let whole = try MemoryEstimate(configuration, .bfloat16, work)
        for part in [\MemoryEstimate.gradients, \.moments, \.trainedWeights] {
            let sum = estimates.reduce(0) { $0 + $1[keyPath: part] }
            #expect(abs(sum - whole[keyPath: part]) < 16)
        }
        #expect(try MemoryEstimate.session(configuration, moments: 2).fits(3_500_000_000))
    }

    @Test(arguments: TinyModels.families)
    func `log-probs are the same bits`(family: String) throws {
        let model = try Self.model(family)
        let packs = Self.packs(5)
        let whole = try packs.map { try model.logProbs($0.forest, $0.targets) }
        let found = try StageThreads(4).run { number, link in
            let stage = try Self.partial(model, number, of: 4)
            return try packs.map { try stage.logProbs($0.forest, $0.targets, link) }
        }
        #expect(found.last == whole)
        #expect(found.dropLast().allSatisfy { $0.allSatisfy { $0 == nil } })
    }

    @Test func `packs without room in a stage are refused`() throws {
        let model = try Self.model()
        let packs = Self.packs(2)
        let refused = try StageThreads(2).run { number, link in
            let stage = try Self.partial(model, number, of: 2)
            var sum = ParameterSet(zeros: stage.model.parameters.layout)
            do {
                _ = try stage.backpropagate(
                    packs, into: &sum, memory: MemoryPlan(budget: 1 << 14), link,
                    { $1.map { _ in 1 } })
            } catch ModelError.doesNotFit(let needed, let available) {
                return needed > available
            }
            return false
        }
        #expect(refused == [true, true])
    }

    struct Training: Sendable {
        var family = "llama"
        var isAdapted = false
        var hasPenalty = false
        var packs = 5
        var trained: String?
        var budget = 1 << 30
    }

    @Test(arguments: [
        Training(), Training(family: "gpt2"), Training(family: "qwen2", hasPenalty: true),
        Training(family: "mixtral"), Training(isAdapted: true),
        Training(isAdapted: true, hasPenalty: true), Training(hasPenalty: true),
        Training(family: "mistral", packs: 1), Training(packs: 2, budget: 1 << 17),
        Training(trained: "layers.7."), Training(trained: "model.norm"),
        Training(family: "gpt2", trained: "wte"),
    ])
    func `gradients are those of the whole model`(_ training: Training) throws {
        var model = try Self.model(training.family, adapted: training.isAdapted)
        if let trained = training.trained { model = model.training { $0.contains(trained) } }
        let reference =
            training.hasPenalty
            ? try Self.model(training.family, adapted: training.isAdapted, seed: 4) : nil
        let packs = Self.packs(training.packs)
        let coefficients: @Sendable (Int, [Float]) -> [Float] = { pack, logProbs in
            logProbs.enumerated().map { Float(pack + 1) / Float($0 + 2) + 0.1 * $1 }
        }
        var whole = ParameterSet(zeros: model.parameters.layout)
        let results = try packs.enumerated().map { number, pack in
            try model.backpropagate(
                pack.forest, pack.targets,
                penalty: reference.map { Penalty(reference: $0, weight: pack.penaltyWeight) },
                into: &whole, memory: MemoryPlan(budget: 1 << 30)
            ) { coefficients(number, $0) }
        }
        let copies = (model, reference)
        let found = try StageThreads(4).run { number, link in
            let stage = try Self.partial(copies.0, number, of: 4)
            let other = try copies.1.map { try Self.partial($0, number, of: 4) }
            var sum = ParameterSet(zeros: stage.model.parameters.layout)
            let results = try stage.backpropagate(
                packs, reference: other, into: &sum, memory: MemoryPlan(budget: training.budget),
                link, { coefficients($0, $1) })
            return (results, sum)
        }
        #expect(found[3].0.map(\.logProbs) == results.map(\.logProbs))
        #expect(found[3].0.map(\.divergence) == results.map(\.divergence))
        var left = Set(whole.names)
        for (_, sum) in found {
            for (name, tensor) in sum.byName {
                left.remove(name)
                let wanted = try #require(whole[name])
                // Only a head that is the embedding's own matrix is summed in another order.
                let tolerance: Float =
                    ["model.embed_tokens.weight", "transformer.wte.weight"]
                        .contains(name) ? 1e-6 * Float(wanted.squaredNorm.squareRoot()) : 0
                let worst = zip(tensor.values, wanted.values).map { abs($0 - $1) }.max() ?? .nan
                #expect(worst <= tolerance, "\(name)")
            }
        }
        #expect(left.isEmpty)
    }

    @Test(arguments: [1, 4])
    func `generation draws the same tokens`(groups: Int) throws {
        let model = try Self.model()
        let requests = (0..<9).map {
            GenerationRequest(
                prompt: TinyModels.tokens(4 + $0 % 5, seed: UInt64($0), vocabulary: 40),
                key: RandomKey(seed: UInt64($0)))
        }
        var settings = SamplerSettings(temperature: 1.2, maxTokens: 12)
        settings.stopTokens = [5, 6]
        let stop: @Sendable (Int, [Int32]) -> Bool = { number, tokens in
            number == 2 && tokens.count == 3
        }
        let memory = MemoryPlan(budget: 1 << 30)
        let whole = try model.generate(requests, settings, memory: memory, stop: stop)
        let asked = settings
        let found = try StageThreads(4).run { number, link in
            try Self.partial(model, number, of: 4).generate(
                requests, asked, memory: memory, groups: groups, link, stop: stop)
        }
        for stage in found {
            #expect(stage.map(\.tokens) == whole.map(\.tokens))
            #expect(stage.map(\.finish) == whole.map(\.finish))
            for (one, other) in zip(stage, whole) {
                // Groups have fewer rows, so last bits differ.
                #expect(
                    zip(one.logProbs, other.logProbs).allSatisfy {
                        abs($0 - $1) <= (groups == 1 ? 0 : 1e-3)
                    })
            }
        }
    }

    @Test func `a stop in one stage ends all of them`() throws {
        let model = try Self.model()
        let packs = Self.packs(6)
        let threads = StageThreads(4)
        #expect(throws: Canceled.self) {
            _ = try threads.run { number, link in
                let stage = try Self.partial(model, number, of: 4)
                var sum = ParameterSet(zeros: stage.model.parameters.layout)
                var asked = 0
                return try stage.backpropagate(
                    packs, into: &sum, memory: MemoryPlan(budget: 1 << 30), link,
                    watch: { _ in
                        asked += 1
                        return number == 2 && asked > 9 ? .stop : .more
                    }
                ) { $1 }.count
            }
        }
    }
}
