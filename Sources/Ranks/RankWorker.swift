import Alignment
import Foundation
import Layers
import LongWork
import NumberTypes
import Tensors
import TextModels
import Tokenizers
import Transformers

/// One rank: it keeps tensors by number, and computes for models made of them.
///
/// It writes no file, and knows neither principles nor workspaces. All of its state is what the
/// session has sent or named, so a rank can be started again at any time.
public final class RankWorker {
    let link: any RankLink
    /// Bytes that the rank may take in all.
    private let free: Int
    var tensors: [Int: Tensor] = [:]
    var tokenizers: [Int: Tokenizer] = [:]
    /// By the receiver: things for all ranks and things for this one come on two ways, each in its
    /// order.
    private var arriving: [Int32: ArrivingBytes] = [:]
    /// Models whose files are mapped, by folder.
    var mapped: [String: LanguageModel] = [:]
    /// The sum of the last gradients.
    var gradients: ParameterSet?
    private var lastReport = ContinuousClock.now
    /// Seconds that the present task has spent in sums over ranks.
    private var adding = 0.0

    /// - Parameter free: the bytes that were free on the host before there was a tensor, divided by
    ///   its ranks.
    public init(_ link: any RankLink, free: Int) {
        self.link = link
        self.free = free
    }

    /// For activations: what the tensors that are here, and gradients of those that train, leave.
    func memory(training trained: ParameterSet? = nil) -> MemoryPlan {
        let held = tensors.values.reduce(0) { $0 + $1.format.bytes($1.count) }
        let gradients = trained?.tensors.reduce(0) { $0 + 4 * $1.count } ?? 0
        return .left(of: free, without: held + gradients)
    }

    /// Keeps a thing that was sent, or does a task. Whatever goes wrong is sent to the session.
    public func receive(_ message: RankMessage) throws {
        do {
            switch message.kind {
            case .piece:
                let piece = try message.content(SentPiece.self)
                let pieces = try arriving[message.rank, default: ArrivingBytes()]
                    .add(piece, message.payload)
                if let pieces {
                    try keep(piece.thing, pieces)
                }
            case .task:
                let task = try message.content(RankTask.self)
                let start = ContinuousClock.now
                adding = 0
                let reply = try reply(to: task)
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                try link.send(
                    try RankMessage(
                        .reply, rank: Int32(link.rank),
                        RankAnswer(reply: reply, computing: seconds - adding, adding: adding)))
            default: break
            }
        } catch {
            try link.send(try RankMessage(.failure, rank: Int32(link.rank), "\(error)"))
        }
        StoragePool.trimShared()
    }

    private func keep(_ thing: SentPiece.Thing, _ pieces: [Data]) throws {
        switch thing {
        case .tensor(let number, let shape, let format):
            tensors[number] = try Tensor(sent: pieces, shape, format)
        case .tokenizer(let number):
            tokenizers[number] = try Tokenizer(
                json: String(decoding: Data(pieces.joined()), as: UTF8.self))
        }
    }

    private func reply(to task: RankTask) throws -> RankReply {
        // A step changes in place what nobody else needs, so it forgets by itself.
        if case .update(let step) = task.work {
            try update(step, forgetting: task.forgotten)
            return .updated
        }
        if case .layers(let layers) = task.work, case .update(let step, let norm) = layers.work {
            try updateStage(step, layers, norm: norm, forgetting: task.forgotten)
            return .updated
        }
        for number in task.forgotten { tensors[number] = nil }
        do {
            switch task.work {
            case .generate(let task): return .generated(try generate(task))
            case .score(let task): return .scored(try score(task))
            case .gradients(let task): return try gradients(task)
            case .update: throw unknown("an order of its own")
            case .layers(let task): return try reply(to: task)
            case .map(let task): return .mapped(map(task))
            }
        } catch is Canceled {
            return .canceled
        } catch ModelError.logitsNotFinite(let request) {
            return .notFinite(request: request)
        }
    }

    // MARK: Work

    private func generate(_ task: RankTask.Generate) throws -> [RankReply.Generated] {
        let model = try model(task.model)
        guard let tokenizer = tokenizers[task.tokenizer] else { throw unknown("a tokenizer") }
        let requests = task.requests
        return try model.generate(
            requests, task.sampling.settings(stopTokens: Set(task.stopTokens.numbers)),
            memory: memory(),
            stop: CompletionStops(tokenizer, task.stops).check(requests.map(\.prompt))
        ) { step in
            report(
                RankProgress(
                    finished: step.done, underway: step.underway, tokens: step.tokens))
        }.map(RankReply.Generated.init)
    }

    private func score(_ task: RankTask.Score) throws -> [PackedNumbers<Float>] {
        let model = try model(task.model)
        var tokens = 0
        return try task.forests.enumerated().map { index, sent in
            let scored = sent.scored
            let logProbs = try model.logProbs(scored.forest, scored.targets) { share in
                report(
                    RankProgress(
                        finished: index, underway: share,
                        tokens: tokens + Int(share * Double(scored.forest.tokens.count))))
            }
            tokens += scored.forest.tokens.count
            return PackedNumbers(logProbs)
        }
    }

    private func gradients(_ task: RankTask.Gradients) throws -> RankReply {
        gradients = nil
        var own: Gradients?
        var problem: (any Error)?
        do {
            own = try ownGradients(task)
        } catch {
            problem = error
        }
        // All ranks add, or none: one alone would wait for the others.
        let start = ContinuousClock.now
        defer { adding = (ContinuousClock.now - start) / .seconds(1) }
        guard link.agree(own != nil), var own else {
            throw problem ?? Canceled()
        }
        let buckets = GradientBuckets(own.parameters.tensors.map(\.count))
        try buckets.forEach(&own.parameters) { number, bucket in
            _ = report(RankProgress(underway: 1, tokens: own.tokens))
            link.sum(&bucket)
            guard task.sendsSum else { return }
            try link.send(
                RankMessage(
                    .part, rank: Int32(link.rank), payload: bucket.withUnsafeBytes { Data($0) },
                    after: UInt32(number)))
        }
        gradients = own.parameters
        return .gradients(
            loss: own.loss, contrasts: own.contrasts, divergence: own.divergence,
            tokens: own.tokens)
    }

    private func ownGradients(_ task: RankTask.Gradients) throws -> Gradients {
        let model = try model(task.model)
        let reference = try task.reference.map { try self.model($0) }
        var backward = Backward(
            objective: task.objective, score: task.score, beta: task.beta,
            memory: memory(training: model.parameters.trainable))
        backward.packRows = task.packRows
        let batches = try task.batches.map { try $0.batch() }
        do {
            return try backward.gradients(of: batches, in: task.extent, model, reference) { step in
                report(RankProgress(underway: step.fraction, tokens: step.tokens))
            }
        } catch AlignmentError.stopped {
            throw Canceled()
        }
    }

    private func update(_ task: RankTask.Update, forgetting forgotten: [Int]) throws {
        guard var sum = gradients else { throw unknown("gradients") }
        gradients = nil
        var model = try model(task.model)
        var state = OptimizerState(steps: task.steps)
        for (name, numbers) in task.moments {
            guard
                let set = ParameterSet(
                    trained: try numbers.map { try tensor($0) }, of: model.parameters.layout)
            else { throw unknown("moments of the model's shapes") }
            state.moments[name] = set
        }
        for number in forgotten { tensors[number] = nil }
        _ = try task.update.step(&model, &state, &sum, factor: task.factor) { _ in
            _ = report(RankProgress())
            return .more
        }
        for (number, tensor) in zip(task.changed, model.parameters.trainable.tensors) {
            tensors[number] = tensor
        }
        for (name, numbers) in task.changedMoments {
            for (number, tensor) in zip(numbers, state.moments[name]?.tensors ?? []) {
                tensors[number] = tensor
            }
        }
    }

    // MARK: Models

    /// - Parameter places: of the tensors that are needed, if some are not.
    func model(_ sent: SentModel, places: Set<Int>? = nil) throws -> LanguageModel {
        let configuration = try sent.modelConfiguration()
        let entries = try configuration.parameterLayout().entries
        guard entries.count == sent.tensors.count else { throw unknown("a model's tensors") }
        let named = try zip(entries, sent.tensors).enumerated().map { place, pair in
            let (entry, number) = pair
            let isNeeded = places?.contains(place) ?? true
            return (entry.name, isNeeded ? try tensor(number) : Tensor(absent: entry.shape))
        }
        let trained = Set(sent.trained.filter(entries.indices.contains).map { entries[$0].name })
        var model = try LanguageModel(
            configuration, tensors: Dictionary(named) { $1 }, source: "the session")
        if trained.count < entries.count { model = model.training(trained.contains) }
        if sent.isBFloat16 {
            guard let arithmetic = Arithmetic.bfloat16 else {
                throw RankError.noBFloat16
            }
            model.update { $0.arithmetic = arithmetic }
        }
        return model
    }

    func tensor(_ number: Int) throws -> Tensor {
        guard let tensor = tensors[number] else { throw unknown("tensor \(number)") }
        return tensor
    }

    func unknown(_ thing: String) -> RankError {
        .badMessage("a task that needs \(thing), which was not sent")
    }

    /// Ten reports a second are enough for a display.
    func report(_ progress: RankProgress) -> Continuation {
        link.watch {
            let now = ContinuousClock.now
            guard now - lastReport > .milliseconds(100) else { return nil }
            lastReport = now
            return try? RankMessage(.progress, rank: Int32(link.rank), progress)
        }
    }
}
