import LongWork
import Optimizers
import Tensors

/// A text to learn from: its tokens, and the weight of predicting each of them.
///
/// Several texts may continue one beginning, as responses continue a question; the beginning is
/// then computed once.
public struct TrainingText: Sendable {
    public var tokens: [Int32]
    /// The weight of predicting token i. The first weight of a root is ignored, because no token
    /// precedes it.
    public var weights: [Float]
    /// The texts that continue this one after its last token.
    public var continuations: [TrainingText]

    public init(tokens: [Int32], weights: [Float], continuations: [TrainingText] = []) {
        self.tokens = tokens
        self.weights = weights
        self.continuations = continuations
    }

    public init(tokens: [Int32]) {
        self.init(tokens: tokens, weights: [Float](repeating: 1, count: tokens.count))
    }
}

/// Settings of a pretraining run.
public struct PretrainingSettings: Sendable, Equatable {
    public var steps: Int
    /// Approximate number of tokens in the batch of each step: documents are added until this
    /// number is reached.
    public var batchTokens: Int
    public var learningRate: Double
    public var schedule: LearningRateSchedule
    public var optimizer: Optimizer
    /// A longer gradient is scaled down to this norm; zero turns clipping off.
    public var clip: Double

    public init(
        steps: Int, batchTokens: Int = 4096, learningRate: Double = 3e-3,
        schedule: LearningRateSchedule? = nil,
        optimizer: Optimizer = .adamw(beta1: 0.9, beta2: 0.98, decay: 0.05), clip: Double = 1
    ) {
        self.steps = steps
        self.batchTokens = batchTokens
        self.learningRate = learningRate
        self.schedule =
            schedule
            ?? LearningRateSchedule(.linear, warmup: 60, steps: steps, hold: 0.5, floor: 0.03)
        self.optimizer = optimizer
        self.clip = clip
    }
}

/// The log entry of one pretraining step.
public struct PretrainingRecord: Sendable {
    public var step: Int
    public var steps: Int
    /// Weighted mean of −log p over the batch, in nats.
    public var loss: Double
    public var learningRate: Double
    public var gradientNorm: Double
    /// Tokens seen since the run began, including earlier parts of the run.
    public var tokens: Int
}

/// A pretraining run that can stop after any step and continue later: it holds the whole state that
/// the next step depends on.
public struct Pretraining: Sendable {
    public var model: LanguageModel
    public var optimizerState = OptimizerState()
    public var step = 0
    public var tokens = 0
    /// The number of the next document to take.
    public var nextDocument = 0

    public init(model: LanguageModel) { self.model = model }

    /// Takes steps until `settings.steps` are done or a closure answers `.stop`.
    /// - Parameters:
    ///   - document: returns document number i of an endless, repeatable stream.
    ///   - watch: asked before every block, with the finished share of the step. A stop within a
    ///     step discards the step.
    ///   - step: called after every step with the present state of the run.
    /// - Throws: `ModelError.nonFinite` if a loss or a gradient is not finite. The model is then
    ///   that of the step before.
    public mutating func run(
        _ settings: PretrainingSettings, memory: MemoryPlan = .automatic,
        document: (Int) throws -> TrainingText,
        watch: Watch = { _ in .more },
        step report: (PretrainingRecord, Pretraining) throws -> Continuation
    ) throws {
        var gradients = ParameterSet(zeros: model.parameters.layout)
        while step < settings.steps {
            let batch = try nextBatch(settings, document)
            gradients.clear()
            let logProbs: [Float]
            do {
                logProbs = try model.backpropagate(
                    batch.forest, batch.targets, coefficients: batch.coefficients,
                    into: &gradients, memory: memory, watch: watch)
            } catch is Canceled {
                nextDocument = batch.firstDocument
                return
            }
            let loss = zip(logProbs, batch.coefficients).reduce(0.0) {
                $0 + Double($1.0) * Double($1.1)
            }
            let norm = gradients.norm
            guard loss.isFinite, norm.isFinite else {
                throw ModelError.nonFinite(what: "The loss of step \(step + 1)")
            }
            // Nothing asks for a stop here: a step is short, and half of one could not be undone.
            let done = try settings.optimizer.step(
                &model, &gradients, norm: norm, clip: settings.clip, &optimizerState,
                learningRate: settings.learningRate * settings.schedule.factor(step))
            step += 1
            tokens += batch.forest.tokens.count
            let record = PretrainingRecord(
                step: step, steps: settings.steps, loss: loss, learningRate: done.learningRate,
                gradientNorm: norm, tokens: tokens)
            if try report(record, self) == .stop { return }
        }
    }

    private mutating func nextBatch(
        _ settings: PretrainingSettings, _ document: (Int) throws -> TrainingText
    ) throws -> TrainingBatch {
        var batch = TrainingBatch(firstDocument: nextDocument)
        repeat {
            batch.append(try document(nextDocument), after: nil)
            nextDocument += 1
        } while batch.forest.tokens.count < settings.batchTokens
        batch.normalize()
        return batch
    }
}

/// Texts as a forest, with the targets and the weight of each in the mean.
private struct TrainingBatch {
    /// The number of the first document in it.
    let firstDocument: Int
    var forest = TokenForest()
    var targets: [Target] = []
    /// ∂loss/∂log-prob of each target.
    var coefficients: [Float] = []

    mutating func append(_ text: TrainingText, after parent: Int?) {
        // If nothing follows the last token, it predicts nothing and takes no row.
        let kept = text.continuations.isEmpty ? text.tokens.dropLast() : text.tokens[...]
        var row = parent.flatMap { forest.lastRow(of: $0) }
        let segment = forest.append(kept, parent: parent)
        let first = forest.segments[segment].range.lowerBound
        for (i, (token, weight)) in zip(text.tokens, text.weights).enumerated() {
            if let row, weight > 0 {
                targets.append(Target(row: row, token: token))
                coefficients.append(-weight)
            }
            row = first + i
        }
        for continuation in text.continuations { append(continuation, after: segment) }
    }

    mutating func normalize() {
        let total = -coefficients.reduce(0, +)
        if total > 0 { for i in coefficients.indices { coefficients[i] /= total } }
    }
}
