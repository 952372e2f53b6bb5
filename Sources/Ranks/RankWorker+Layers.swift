import Alignment
import Foundation
import LongWork
import NumberTypes
import Optimizers
import Tensors
import TextModels
import Transformers

/// The work of a rank that has some layers of a model.
extension RankWorker {
    func reply(to task: LayerTask) throws -> RankReply {
        guard let mail = link.mail else { throw unknown("another rank") }
        let link = StageRanks(mail, flight: task.flight)
        switch task.work {
        case .generate(let work, let budget):
            return .generated(try generate(work, MemoryPlan(budget: budget), task, link))
        case .score(let work): return .scored(try score(work, task, link))
        case .gradients(let work): return try gradients(work, task, link)
        case .update: throw unknown("an order of its own")
        }
    }

    /// The rank's stage of a model.
    private func staged(_ sent: SentModel, _ task: LayerTask) throws -> StagedModel {
        let model = try model(sent, places: try places(sent, task))
        return try StagedModel(model, stage: link.rank - 1, of: task.stages)
    }

    private func places(_ sent: SentModel, _ task: LayerTask) throws -> Set<Int> {
        let configuration = try sent.modelConfiguration()
        let stages = try LayerStage.division(of: configuration, into: task.stages)
        guard stages.indices.contains(link.rank - 1) else { throw unknown("a stage") }
        return Set(try stages[link.rank - 1].places(configuration))
    }

    // MARK: Work

    private func score(
        _ work: RankTask.Score, _ task: LayerTask, _ link: StageRanks
    ) throws -> [PackedNumbers<Float>] {
        let model = try staged(work.model, task)
        var tokens = 0
        return try work.forests.enumerated().map { index, sent in
            let scored = sent.scored
            let rows = scored.forest.tokens.count
            let logProbs = try model.logProbs(scored.forest, scored.targets, link) { share in
                report(
                    RankProgress(
                        finished: index, underway: share,
                        tokens: tokens + Int(share * Double(rows))))
            }
            tokens += rows
            return PackedNumbers(logProbs ?? [])
        }
    }

    private func generate(
        _ work: RankTask.Generate, _ memory: MemoryPlan, _ task: LayerTask, _ link: StageRanks
    ) throws -> [RankReply.Generated] {
        let model = try staged(work.model, task)
        guard let tokenizer = tokenizers[work.tokenizer] else { throw unknown("a tokenizer") }
        let requests = work.requests
        return try model.generate(
            requests, work.sampling.settings(stopTokens: Set(work.stopTokens.numbers)),
            memory: memory, link,
            stop: CompletionStops(tokenizer, work.stops).check(requests.map(\.prompt))
        ) { step in
            report(
                RankProgress(
                    finished: step.done, underway: step.underway, tokens: step.tokens))
        }.map(RankReply.Generated.init)
    }

    private func gradients(
        _ work: RankTask.Gradients, _ task: LayerTask, _ link: StageRanks
    ) throws -> RankReply {
        gradients = nil
        let model = try staged(work.model, task)
        let reference = try work.reference.map { try staged($0, task) }
        var backward = Backward(
            objective: work.objective, score: work.score, beta: work.beta,
            memory: memory(training: model.model.parameters.trainable))
        backward.packRows = work.packRows
        let own = try backward.gradients(
            of: try work.batches.map { try $0.batch() }, model, reference, link
        ) { report(RankProgress(underway: $0.underway / Double($0.total), tokens: $0.tokens)) }
        let numbers = try ownTrained(work.model, task)
        // A head that is the embedding's own matrix is sent by the first stage.
        let sent = Set(own.parameters.names)
        let names = try trainedNames(work.model)
        for (number, tensor) in zip(numbers, own.parameters.tensors) {
            let isSecond = !model.stage.isFirst && model.isInFirst(names[number])
            guard sent.contains(names[number]), !isSecond else { continue }
            try self.link.send(
                RankMessage(
                    .part, rank: Int32(self.link.rank),
                    payload: tensor.withUnsafeBytes { Data($0) }, after: UInt32(number)))
        }
        gradients = own.parameters
        return .gradients(
            loss: own.loss, contrasts: own.contrasts, divergence: own.divergence,
            tokens: own.tokens)
    }

    func updateStage(
        _ work: RankTask.Update, _ task: LayerTask, norm: Double, forgetting forgotten: [Int]
    ) throws {
        guard var sum = gradients else { throw unknown("gradients") }
        gradients = nil
        let own = try ownTrained(work.model, task)
        var staged = try staged(work.model, task)
        var state = OptimizerState(steps: work.steps)
        for (name, numbers) in work.moments {
            let tensors = try own.map { number in
                guard numbers.indices.contains(number) else { throw unknown("a moment") }
                return try tensor(numbers[number])
            }
            guard let set = ParameterSet(trained: tensors, of: staged.model.parameters.layout)
            else { throw unknown("moments of the model's shapes") }
            state.moments[name] = set
        }
        for number in forgotten { tensors[number] = nil }
        let update = work.update
        _ = try staged.update { model throws(Canceled) in
            try update.optimizer.step(
                &model, &sum, norm: norm, clip: update.clip, &state,
                learningRate: update.learningRate * work.factor
            ) { _ in
                _ = report(RankProgress())
                return .more
            }
        }
        func keep(_ changed: [Int], _ values: [Tensor]) throws {
            for (number, tensor) in zip(own, values) {
                guard changed.indices.contains(number) else { throw unknown("a number") }
                tensors[changed[number]] = tensor
            }
        }
        try keep(work.changed, staged.model.parameters.trainable.tensors)
        for (name, numbers) in work.changedMoments {
            try keep(numbers, state.moments[name]?.tensors ?? [])
        }
    }

    /// For each tensor that the stage trains its number among all that train.
    private func ownTrained(_ sent: SentModel, _ task: LayerTask) throws -> [Int] {
        let places = try places(sent, task)
        return sent.trained.enumerated().filter { places.contains($1) }.map(\.offset)
    }

    private func trainedNames(_ sent: SentModel) throws -> [String] {
        let configuration = try sent.modelConfiguration()
        let entries = try configuration.parameterLayout().entries
        return sent.trained.map { entries.indices.contains($0) ? entries[$0].name : "" }
    }

    // MARK: Files

    /// Takes tensors from the files of a model on this host.
    ///
    /// - Returns: the numbers of those that were found.
    func map(_ task: MappedTensors) -> [Int] {
        guard let model = mapped[task.folder] ?? (try? ModelDirectory.load(task.folder)) else {
            return []
        }
        mapped[task.folder] = model
        let tensors = model.parameters.byName
        return task.entries.compactMap { entry in
            guard let tensor = tensors[entry.name], tensor.shape == entry.shape,
                tensor.format.name == entry.format, tensor.sample() == entry.sample
            else { return nil }
            self.tensors[entry.number] = tensor
            return entry.number
        }
    }
}

/// The stages of a model on the ranks: stage 0 is rank 1.
private final class StageRanks: StageLink {
    private let mail: any TensorMail
    private let flight: Int

    init(_ mail: any TensorMail, flight: Int) {
        self.mail = mail
        self.flight = flight
    }

    func send(_ tensor: Tensor, to stage: Int) throws(Canceled) {
        try mail.send(tensor, to: stage + 1, flight: flight)
    }

    func receive(_ shape: [Int], from stage: Int) throws(Canceled) -> Tensor {
        try mail.receive(shape, from: stage + 1, flight: flight)
    }
}
