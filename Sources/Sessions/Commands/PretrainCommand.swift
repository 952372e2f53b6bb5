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

/// Documents as training texts: of the shipped world, or of a file.
private enum Corpus {
    case world(WorldCorpus)
    case texts([String], Tokenizer, context: Int, end: Int32?)

    init(
        _ invocation: Invocation, _ tokenizer: Tokenizer, _ configuration: ModelConfiguration
    ) throws {
        let end = configuration.endTokens.first ?? tokenizer.eos
        let worldKeys = [
            "marked", "careful", "careful_marked", "writer", "summaries", "principle_counts",
            "responses", "prompt_weight", "decision_weight",
        ]
        if invocation.has("path") {
            if let key = worldKeys.first(where: invocation.has) {
                throw invocation.fail(
                    "`\(key)` belongs to the shipped world, not to a file", at: key)
            }
            let file = try invocation.jsonLines("path")
            let texts = try CommandTable.fieldTexts(
                try invocation.text("field") ?? "text", file, invocation)
            guard !texts.isEmpty else {
                throw invocation.fail("\(file.shown) holds no text to learn from", at: "path")
            }
            self = .texts(texts, tokenizer, context: configuration.contextLength, end: end)
            return
        }
        var options = DocumentOptions()
        func share(_ role: String, _ field: WritableKeyPath<DocumentOptions, Double>) throws {
            if let value = try invocation.number(role, in: 0...1, rule: "between 0 and 1") {
                options[keyPath: field] = value
            }
        }
        try share("marked", \.marked)
        try share("careful", \.carefulUnmarked)
        try share("careful_marked", \.carefulMarked)
        try share("writer", \.writer)
        try share("summaries", \.summaries)
        if let counts = try invocation.numbers("principle_counts") {
            guard counts.count <= World.everyday.dimensions.count, counts.allSatisfy({ $0 >= 0 }),
                counts.contains(where: { $0 > 0 })
            else {
                throw invocation.fail(
                    "`principle_counts` is a list of up to \(World.everyday.dimensions.count) frequencies, "
                        + "of constitutions of 1, 2, 3, … principles",
                    suggestion: "pretrain principle_counts=[1, 2, 1]", at: "principle_counts")
            }
            options.principleCounts = counts
        }
        let seed = try invocation.integer("seed", atLeast: 0, atMost: 1 << 53).map { UInt64($0) }
        var corpus = WorldCorpus(
            world: .everyday, seed: seed ?? invocation.session.seed, options: options,
            begin: configuration.beginToken ?? tokenizer.bos, end: end
        ) { tokenizer.encode($0, special: false) }
        if let count = try invocation.integer("responses", atLeast: 1, atMost: 64) {
            corpus.responses = count
        }
        if let value = try invocation.number("prompt_weight", atLeast: 0) {
            corpus.weights.prompt = Float(value)
        }
        if let value = try invocation.number("decision_weight", atLeast: 0) {
            corpus.weights.decision = Float(value)
        }
        self = .world(corpus)
    }

    /// Document number `index` of an endless stream; a file's texts come round again.
    func text(_ index: Int) -> TrainingText {
        switch self {
        case .world(let corpus): return corpus.text(index)
        case .texts(let texts, let tokenizer, let context, let end):
            let tokens = tokenizer.encode(texts[index % texts.count]) + [end].compactMap(\.self)
            return TrainingText(tokens: Array(tokens.prefix(context)))
        }
    }
}
