import Alignment
import Foundation
import LongWork
import NumberTypes
import Tensors
import TextModels
import Transformers

/// A model too large for one machine: each rank computes some of its layers, and receives the
/// weights of these alone.
extension RankCrew {
    /// Number of stages of a model: one for each rank, or for each layer if there are fewer.
    private func stages(_ model: LanguageModel) -> Int {
        min(ranks.count, max(1, model.configuration.layers))
    }

    func logProbsByLayers(
        of forests: [ScoredForest], _ model: LanguageModel,
        progress: (CrewProgress) -> Continuation
    ) throws -> [[Float]] {
        let work = LayerTask.Work.score(
            .init(
                model: try sentByLayers([model]) { progress(CrewProgress()) }[0],
                forests: forests.map(SentForest.init)))
        return try runLayers(
            work, stages(model), progress: { progress(CrewProgress([$0])) },
            result: {
                guard case .scored(let found) = $0, found.count == forests.count,
                    zip(found, forests).allSatisfy({ $0.numbers.count == $1.targets.count })
                else { throw RankError.badMessage("another reply than log-probs") }
                return found.map(\.numbers)
            })
    }

    func generateByLayers(
        _ requests: [GenerationRequest], _ sampling: Sampling, stopTokens: Set<Int32>,
        stops: CompletionStops, _ model: LanguageModel,
        progress: (CrewProgress) -> Continuation
    ) throws -> [Generation] {
        let sent = try sentByLayers([model]) { progress(CrewProgress()) }[0]
        let work = RankTask.Generate(
            model: sent, prompts: requests.map { PackedNumbers($0.prompt) },
            keys: PackedNumbers(requests.map(\.key.number)), sampling: sampling,
            stopTokens: PackedNumbers(stopTokens.sorted()),
            tokenizer: try number(of: stops.tokenizer) { progress(CrewProgress()) },
            stops: stops.strings)
        let budget = try generationBudget(model)
        return try runLayers(
            .generate(work, budget: budget), stages(model),
            progress: { progress(CrewProgress([$0])) },
            result: {
                guard let found = try $0.generations(requests.indices) else {
                    throw RankError.badMessage("another reply than responses")
                }
                return found
            })
    }

    /// Bytes for keys and values, the same in all stages: how many responses are written together
    /// depends on it.
    private func generationBudget(_ model: LanguageModel) throws -> Int {
        let least = ranks.map(\.memory).min() ?? 0
        let plan = try LayerStage.division(of: model.configuration, into: ranks.count)
        let weights =
            try plan.map { stage in
                try stage.places(model.configuration).reduce(0) {
                    let tensor = model.parameters.tensors[$1]
                    return $0 + tensor.format.bytes(tensor.count)
                }
            }.max() ?? 0
        return MemoryPlan.left(of: least, without: weights).budget
    }

    func gradientsByLayers(
        _ backward: Backward, of batches: [ContrastBatch], model: LanguageModel,
        reference: LanguageModel?, progress: (CrewProgress) -> Continuation
    ) throws -> Gradients {
        if let reference, stages(reference) != stages(model) {
            throw RankError.otherDivision(
                layers: reference.configuration.layers, stages: stages(model))
        }
        let sent = try sentByLayers([model] + (reference.map { [$0] } ?? [])) {
            progress(CrewProgress())
        }
        let work = LayerTask.Work.gradients(
            .init(
                model: sent[0], reference: sent.count > 1 ? sent[1] : nil,
                objective: backward.objective, score: backward.score, beta: backward.beta,
                packRows: backward.packRows, extent: StepExtent(batches),
                batches: batches.map(SentBatch.init), sendsSum: true))
        var sum = Gradients(model, divergence: reference == nil ? nil : 0)
        var received = Set<Int>()
        let expected = sum.parameters.tensors.count
        let sums = try runLayers(
            work, stages(model),
            parts: { message in
                try sum.parameters.receive(Int(message.after), message.payload)
                received.insert(Int(message.after))
            }, progress: { progress(CrewProgress([$0])) },
            result: { last in
                let sums = try GradientSums(last)
                guard received.count == expected else {
                    throw RankError.badMessage("\(received.count) tensors of gradients")
                }
                return sums
            })
        sums.add(to: &sum)
        sum.queries = batches.count
        lastNorm = sum.parameters.norm
        return sum
    }

    func prepareStepByLayers(
        _ model: LanguageModel, _ state: OptimizerState, _ goesOn: () -> Continuation
    ) throws -> CrewStep {
        let sent = try sentByLayers([model], goesOn)[0]
        let owners = try owners(model)
        var moments: [String: [Int]] = [:]
        var given: [(tensor: Tensor, number: Int, owners: [Int])] = []
        for (name, set) in state.moments {
            moments[name] = zip(set.tensors, sent.trained).map { tensor, place in
                given.append((tensor, lent(tensor), owners[place]))
                return given[given.count - 1].number
            }
        }
        try give(given, goesOn)
        return CrewStep(weights: sent.tensors, moments: moments, steps: state.steps)
    }

    func takeByLayers(
        _ step: CrewStep, _ update: Update, factor: Double, _ model: LanguageModel,
        _ state: OptimizerState
    ) throws {
        let owners = try owners(model)
        let before = SentModel(model, tensors: step.weights)
        func changed(_ set: ParameterSet) -> [Int] {
            zip(numbers(ofComputed: set.tensors), before.trained).map { number, place in
                note(number, heldBy: owners[place])
                return number
            }
        }
        let work = RankTask.Update(
            model: before, update: update, factor: factor, steps: step.steps,
            moments: step.moments, changed: changed(model.parameters.trainable),
            changedMoments: state.moments.mapValues(changed))
        try runLayers(
            .update(work, norm: lastNorm), stages(model), progress: { _ in .more },
            result: {
                guard case .updated = $0 else {
                    throw RankError.badMessage("another reply than that of a step")
                }
            })
    }

    /// Sends the same work to all stages.
    ///
    /// - Parameters:
    ///   - progress: that of the last stage, which ends last.
    ///   - result: of the reply of the last stage.
    private func runLayers<Result>(
        _ work: LayerTask.Work, _ stages: Int, parts: (RankMessage) throws -> Void = { _ in },
        progress: (RankProgress) -> Continuation, result: (RankReply) throws -> Result
    ) throws -> Result {
        flight += 1
        let task = LayerTask(flight: flight, stages: stages, work: work)
        let tasks = Dictionary(
            uniqueKeysWithValues: (1...stages).map { ($0, RankTask.Work.layers(task)) })
        return try run(
            tasks, parts: parts, progress: { progress($0[stages] ?? RankProgress()) },
            result: { replies in
                guard replies.count == stages, let last = replies[stages] else { throw Canceled() }
                let isCanceled = replies.values.contains {
                    if case .canceled = $0 { true } else { false }
                }
                // Responses that were interrupted are as far as they were.
                if isCanceled {
                    guard case .generated = last else { throw Canceled() }
                }
                return try result(last)
            })
    }

    // MARK: Tensors

    /// The ranks that need each tensor of a model, in layout order.
    private func owners(_ model: LanguageModel) throws -> [[Int]] {
        var owners = [[Int]](repeating: [], count: model.parameters.tensors.count)
        for stage in try LayerStage.division(of: model.configuration, into: ranks.count) {
            for place in try stage.places(model.configuration) {
                owners[place].append(stage.number + 1)
            }
        }
        return owners
    }

    /// Models by the numbers of their tensors. Each rank receives those of its own stage that it
    /// lacks, or maps them from the model's files.
    private func sentByLayers(
        _ models: [LanguageModel], _ goesOn: () -> Continuation
    ) throws -> [SentModel] {
        try models.map { model in
            let owners = try owners(model)
            let tensors = model.parameters.tensors
            let numbers = tensors.map { lent($0) }
            if let folder = model.folder {
                let names = model.parameters.names
                let isMapped = tensors.map(\.isBorrowed)
                var asked: [Int: [MappedTensors.Entry]] = [:]
                for (place, number) in numbers.enumerated() where isMapped[place] {
                    for rank in owners[place] where !has(number, rank) {
                        asked[rank, default: []].append(
                            .init(
                                number: number, name: names[place], shape: tensors[place].shape,
                                format: tensors[place].format.name,
                                sample: tensors[place].sample()))
                    }
                }
                try map(asked, folder)
            }
            try give(tensors.indices.map { (tensors[$0], numbers[$0], owners[$0]) }, goesOn)
            return SentModel(model, tensors: numbers)
        }
    }

    /// Asks ranks to take tensors from files. One that does not find them receives them.
    private func map(_ asked: [Int: [MappedTensors.Entry]], _ folder: String) throws {
        guard !asked.isEmpty else { return }
        try run(
            asked.mapValues { .map(MappedTensors(folder: folder, entries: $0)) },
            progress: { _ in .more },
            result: { replies in
                for (rank, reply) in replies {
                    guard case .mapped(let numbers) = reply,
                        Set(numbers).isSubset(of: (asked[rank] ?? []).map(\.number))
                    else { throw RankError.badMessage("another reply than numbers of tensors") }
                    for number in numbers { note(number, heldBy: [rank]) }
                }
            })
    }
}
