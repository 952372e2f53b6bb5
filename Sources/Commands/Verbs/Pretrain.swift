import CommandLanguage
import JSON
import LongWork
import Optimizers
import Rendering
import ShippedWorld
import Tokenizers
import Transformers
import Values
import Worlds

extension CommandTable {
    static let pretrainCommand = Command(
        "pretrain", .models, "trains a model on the shipped world's documents or on text",
        about: """
            Documents of the shipped world open with a line on their author, most of them. Below \
            each prompt stand several responses; prompts count less than responses, and the places \
            where style is decided count more. Ctrl-C keeps the model of the last step.
            """,
        makes: ["model", "log"],
        operands: [
            .optional("path", .path, "a JSON Lines file; default: the shipped world")
        ],
        options: [
            OptionSpecification("steps", .number, "how many; default: 1000"),
            OptionSpecification("batch", .number, "approximate tokens a step; default: 4096"),
            OptionSpecification(
                "learning_rate", .number, "the highest learning rate; default: 0.003"),
            OptionSpecification(
                "warmup", .number, "steps in which the learning rate rises; default: 60"),
            OptionSpecification(
                "hold", .number, "share of the run before the learning rate falls; default: 0.5"),
            OptionSpecification(
                "floor", .number, "factor of the learning rate at the end; default: 0.03"),
            OptionSpecification("clip", .number, "largest gradient norm; default: 1"),
            OptionSpecification("decay", .number, "weight decay; default: 0.05"),
            OptionSpecification("field", .word, "the field of a file's lines; default: text"),
            OptionSpecification(
                "marked", .number, "share of documents that name their author; default: 0.8"),
            OptionSpecification(
                "careful_marked", .number, "share of careful authors among those; default: 0.6"),
            OptionSpecification(
                "careful", .number, "share of careful authors among the rest; default: 0.3"),
            OptionSpecification("writer", .number, "share of lists of principles; default: 0.05"),
            OptionSpecification(
                "summaries", .number, "share of posts among the queries; default: 0.65"),
            OptionSpecification(
                "principle_counts", .value,
                "frequencies of constitutions with 1, 2, 3, … principles; [0.25, 0.4, 0.2, 0.15]"),
            OptionSpecification("responses", .number, "responses below each prompt; default: 3"),
            OptionSpecification(
                "prompt_weight", .number, "weight of a prompt's tokens; default: 0.1"),
            OptionSpecification(
                "decision_weight", .number, "weight of the first tokens of a sentence; default: 4"),
            OptionSpecification("first", .number, "the first document's number; default: 0"),
            MethodKey.model, MethodKey.seed,
        ],
        example: "pretrain steps=1 batch=256",
        run: pretrain)

    /// Takes the steps that the command describes, from the loaded model or from a saved state.
    private static func pretrain(_ invocation: Invocation) throws -> CommandResult {
        let object = try invocation.model()
        let tokenizer = try invocation.tokenizer(of: object)
        guard tokenizer.idLimit <= object.model.configuration.vocabularySize else {
            throw invocation.error(
                "the tokenizer has ids up to \(tokenizer.idLimit - 1), and the model knows "
                    + "\(NumberText.grouped(object.model.configuration.vocabularySize)) tokens",
                suggestion: "new model vocabulary=\(tokenizer.idLimit)")
        }
        let settings = try pretrainingSettings(invocation)
        let corpus = try Corpus(invocation, tokenizer, object.model.configuration)

        var run: Pretraining
        var rows: [Record] = []
        // The smoothed loss of the log. It includes every step, although the log shows only some of
        // them.
        var mean = 0.0
        if let stored = invocation.resumed {
            (run, rows) = try PretrainingStorage.restored(stored, object.model)
            mean = stored["mean"]?.numberValue ?? 0
        } else {
            run = Pretraining(model: object.model)
            run.nextDocument = try invocation.integer("first", atLeast: 0, atMost: 1 << 40) ?? 0
        }
        let follower = invocation.follower()
        for row in rows {
            guard let loss = row["mean_loss"]?.asNumber else { continue }
            follower.losses.append(loss, step: row["step"]?.asInteger)
        }
        defer { follower.finish() }
        // A log of some hundred rows shows the course of any run.
        let stride = max(1, settings.steps / 200)
        let before = run.tokens
        var (done, tokens) = (run.step, 0)
        func report(_ share: Double) -> Continuation {
            follower.follow(
                WorkProgress(
                    .pretrain, done: done, of: settings.steps, underway: share, unit: .steps,
                    tokens: tokens))
        }
        var clock = CheckpointClock(every: 60)
        try run.run(
            settings, memory: invocation.session.settings.memoryPlan, document: corpus.text,
            watch: report,
            step: { step, run in
                mean = mean == 0 ? step.loss : 0.95 * mean + 0.05 * step.loss
                let row: Record = [
                    "step": Value(step.step), "loss": .number(step.loss),
                    "mean_loss": .number(mean), "grad_norm": .number(step.gradientNorm),
                    "learning_rate": .number(step.learningRate), "tokens": Value(step.tokens),
                ]
                invocation.report(step: row)
                if step.step % stride == 0 || step.step == 1 || step.step == step.steps {
                    rows.append(row)
                }
                (done, tokens) = (step.step, step.tokens - before)
                follower.losses.append(mean, step: step.step)
                let answer = report(0)
                if step.step < step.steps {
                    try clock.writeIfDue {
                        try invocation.keepCheckpoint(
                            "pretraining", "step \(step.step) of \(step.steps)"
                        ) { try PretrainingStorage.stored(run, rows, mean) }
                    }
                }
                return answer
            })
        guard run.step > 0 else {
            throw StoppedEarly(
                error: invocation.located(
                    EvaluationError.interrupted(
                        "stopped before the first step; nothing has changed")),
                work: .beginning)
        }
        var result = CommandResult()
        let log = LogObject(title: "pretrain", rows: rows)
        var trained = object.with(
            run.model,
            origin: "\(object.origin), pretrained for \(NumberText.count(run.step, "step"))")
        if object.tokenizer?.json != tokenizer.json { trained.directory = nil }
        trained.tokenizer = tokenizer
        result.bindings = [("model", .object(trained)), ("log", .object(log))]
        if invocation.target == nil, !invocation.has("model") {
            result.bindings.append(("base", .object(trained)))
        }
        result.displays = [log.display(invocation.appearance).withoutJSON]
        if run.step < settings.steps {
            let name = invocation.target?.name ?? "model"
            result.notes = [
                "stopped after step \(run.step) of \(settings.steps); `\(name)` is the model of that "
                    + "step"
            ]
            result.stopped = StoppedWork(
                progress: "step \(run.step) of \(settings.steps)", kind: "pretraining",
                state: try PretrainingStorage.stored(run, rows, mean))
        }
        return result
    }

    private static func pretrainingSettings(
        _ invocation: Invocation
    ) throws -> PretrainingSettings {
        let steps = try invocation.integer("steps", atLeast: 1) ?? 1000
        var settings = PretrainingSettings(
            steps: steps,
            batchTokens: try invocation.integer("batch", atLeast: 1, atMost: 1 << 24)
                ?? 4096,
            learningRate: try invocation.number("learning_rate", atLeast: 0) ?? 3e-3)
        settings.schedule = LearningRateSchedule(
            .linear, warmup: try invocation.integer("warmup", atLeast: 0) ?? min(60, steps / 4),
            steps: steps,
            hold: try invocation.number("hold", in: 0...1, rule: "between 0 and 1") ?? 0.5,
            floor: try invocation.number("floor", in: 0...1, rule: "between 0 and 1") ?? 0.03)
        if let clip = try invocation.number("clip", atLeast: 0) { settings.clip = clip }
        if let decay = try invocation.number("decay", atLeast: 0) {
            settings.optimizer["decay"] = decay
        }
        return settings
    }
}

/// Documents as training texts, from the shipped world or from a file.
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
                throw invocation.error(
                    "`\(key)` belongs to the shipped world, not to a file", at: key)
            }
            let file = try invocation.records("path")
            let texts = try CommandTable.fieldTexts(
                try invocation.text("field") ?? "text", file, invocation)
            guard !texts.isEmpty else {
                throw invocation.error("\(file.shown) holds no text to learn from", at: "path")
            }
            self = .texts(texts, tokenizer, context: configuration.longestSequence, end: end)
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
                throw invocation.error(
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

    /// Document number `index` of an endless stream. The texts of a file repeat.
    func text(_ index: Int) -> TrainingText {
        switch self {
        case .world(let corpus): return corpus.text(index)
        case .texts(let texts, let tokenizer, let context, let end):
            let tokens =
                tokenizer.encode(beginning: texts[index % texts.count]) + [end].compactMap(\.self)
            return TrainingText(tokens: Array(tokens.prefix(context)))
        }
    }
}
