import Alignment
import CommandLanguage
import Foundation
import Tensors
import Tokenizers
import Transformers
import Worlds

extension CommandTable {
    static func pretrain(_ invocation: Invocation) throws -> CommandResult {
        let noun = try invocation.model()
        let tokenizer = try invocation.tokenizer(of: noun)
        guard tokenizer.idLimit <= noun.model.configuration.vocabularySize else {
            throw invocation.fail(
                "the tokenizer has ids up to \(tokenizer.idLimit - 1), and the model knows "
                    + "\(NumberText.grouped(noun.model.configuration.vocabularySize)) tokens",
                suggestion: "new model vocabulary=\(tokenizer.idLimit)")
        }
        let steps = try invocation.integer("steps", atLeast: 1) ?? 1000
        var settings = PretrainingSettings(
            steps: steps,
            batchTokens: try invocation.integer("batch", atLeast: 1, atMost: 1 << 24) ?? 4096,
            learningRate: try invocation.number("learning_rate", atLeast: 0) ?? 3e-3)
        settings.schedule = LearningRateSchedule(
            .linear, warmup: try invocation.integer("warmup", atLeast: 0) ?? min(60, steps / 4),
            steps: steps,
            hold: try invocation.number("hold", in: 0...1, rule: "between 0 and 1") ?? 0.5,
            floor: try invocation.number("floor", in: 0...1, rule: "between 0 and 1") ?? 0.03)
        if let clip = try invocation.number("clip", atLeast: 0) { settings.clip = clip }
        if let decay = try invocation.number("decay", atLeast: 0) {
            settings.optimizer = .adamw(beta1: 0.9, beta2: 0.98, decay: Float(decay))
        }
        let corpus = try Corpus(invocation, tokenizer, noun.model.configuration)

        var run = Pretraining(model: noun.model)
        run.nextDocument = try invocation.integer("first", atLeast: 0, atMost: 1 << 40) ?? 0
        var meter = invocation.meter()
        defer { meter.finish() }
        var rows: [Record] = []
        // A log of some hundred rows shows the course of any run.
        let stride = max(1, steps / 200)
        var mean = 0.0
        try run.run(settings, document: corpus.text) { step, _ in
            mean = mean == 0 ? step.loss : 0.95 * mean + 0.05 * step.loss
            if step.step % stride == 0 || step.step == 1 || step.step == step.steps {
                rows.append([
                    "step": Value(step.step), "loss": .number(step.loss),
                    "mean_loss": .number(mean), "grad_norm": .number(step.gradientNorm),
                    "rate": .number(step.learningRate), "tokens": Value(step.tokens),
                ])
            }
            meter.update(
                step.step, of: step.steps, unit: "steps", tokens: step.tokens,
                detail: "loss \(NumberText.fixed(mean, decimals: 3))")
            return invocation.isInterrupted ? .stop : .more
        }
        var result = CommandResult()
        let log = LogNoun(title: "pretrain", rows: rows)
        var trained = noun.with(
            run.model, origin: "pretrained for \(NumberText.count(run.step, "step"))")
        trained.tokenizer = tokenizer
        result.bindings = [("model", .noun(trained)), ("log", .noun(log))]
        if invocation.target == nil, invocation.written("model") == nil {
            result.bindings.append(("base", .noun(trained)))
        }
        result.text = log.drawn(invocation.appearance)
        if run.step < steps {
            result.notes = [
                "stopped after step \(run.step) of \(steps); `model` is what it was then"
            ]
        }
        return result
    }
}

/// Documents as tokens with weights: of the shipped world, or of a file.
private struct Corpus {
    private var texts: [String]?
    private let tokenizer: Tokenizer
    private let context: Int
    private let end: Int32?
    private let seed: UInt64
    private var options = DocumentOptions()
    private var promptWeight: Float = 0.1
    private var firstWeight: Float = 5

    init(
        _ invocation: Invocation, _ tokenizer: Tokenizer, _ configuration: ModelConfiguration
    ) throws {
        self.tokenizer = tokenizer
        context = configuration.contextLength
        end = configuration.endTokens.first ?? tokenizer.eos
        let worldKeys = [
            "marked", "careful", "careful_marked", "writer", "prompt_weight", "first_weight",
        ]
        seed =
            try invocation.integer("seed", atLeast: 0, atMost: 1 << 53).map { UInt64($0) }
            ?? invocation.session.seed
        if invocation.has("path") {
            if let key = worldKeys.first(where: invocation.has) {
                throw invocation.fail(
                    "`\(key)` belongs to the shipped world, not to a file", at: key)
            }
            let file = try invocation.jsonLines("path")
            texts = try CommandTable.fieldTexts(
                try invocation.text("field") ?? "text", file, invocation)
            return
        }
        func share(_ role: String) throws -> Double? {
            try invocation.number(role, in: 0...1, rule: "between 0 and 1")
        }
        if let value = try share("marked") { options.marked = value }
        if let value = try share("careful") { options.carefulUnmarked = value }
        if let value = try share("careful_marked") { options.carefulMarked = value }
        if let value = try share("writer") { options.writer = value }
        if let value = try invocation.number("prompt_weight", atLeast: 0) {
            promptWeight = Float(value)
        }
        if let value = try invocation.number("first_weight", atLeast: 0) {
            firstWeight = Float(value)
        }
    }

    /// Document number `index` of an endless stream; a file's texts come round again.
    func text(_ index: Int) -> TrainingText {
        if let texts {
            let tokens = tokenizer.encode(texts[index % texts.count]) + [end].compactMap(\.self)
            return TrainingText(tokens: Array(tokens.prefix(context)))
        }
        let document = World.everyday.document(seed: seed, index: index, options: options)
        var tokens: [Int32] = []
        var weights: [Float] = []
        // Encoding piece by piece gives the tokens of the whole, and keeps what each piece is.
        for (number, piece) in document.pieces.enumerated() {
            let part = tokenizer.encode(piece.text, special: number == 0)
            tokens += part
            let isContent = piece.role == .response || piece.role == .writer
            weights += [Float](repeating: isContent ? 1 : promptWeight, count: part.count)
            if isContent, !part.isEmpty { weights[weights.count - part.count] = firstWeight }
        }
        if let end {
            tokens.append(end)
            weights.append(firstWeight)
        }
        return TrainingText(
            tokens: Array(tokens.prefix(context)), weights: Array(weights.prefix(context)))
    }
}
