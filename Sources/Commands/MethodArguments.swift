import Alignment
import CommandLanguage
import LongWork
import Tensors
import TextModels
import Tokenizers
import Transformers

/// Keys that several verbs share, described once.
enum MethodKey {
    static let model = OptionSpecification("model", .value, "in place of `model`")
    static let base = OptionSpecification("base", .value, "in place of `base`")
    static let seed = OptionSpecification("seed", .number, "in place of the session's seed")
    static let overflow = OptionSpecification(
        "overflow",
        .words([
            Choice("skip", "exclude queries that do not fit the context, with a note (default)"),
            Choice("error", "stop"),
        ]), "what to do with queries that do not fit")

    static let unfinished = OptionSpecification(
        "unfinished",
        .words([
            Choice("reject", "exclude its query, and count it (default)"),
            Choice("keep", "use it unchanged"),
        ]), "what to do with a response that max_tokens cut off")

    static let sampling: [OptionSpecification] = [
        OptionSpecification("temperature", .number, "0 is greedy, 1 the model's own"),
        OptionSpecification("top_p", .number, "keep the most likely tokens up to this probability"),
        OptionSpecification(
            "top_k", .number, "keep this many of the most likely tokens; 0 keeps all"),
        OptionSpecification(
            "min_p", .number, "keep tokens with at least this share of the largest probability"),
        OptionSpecification("max_tokens", .number, "longest response, in tokens"),
    ]

    static let score: [OptionSpecification] = [
        OptionSpecification(
            "normalize",
            .words([
                Choice("mean", "nats a token (default)"), Choice("sum", "nats a response"),
            ]), "the score from token log-probs"),
        OptionSpecification("score_end", .flag, "score the end-of-sequence token too"),
    ]

    static let compose: [OptionSpecification] = [
        OptionSpecification("principles_each", .number, "principles in a constitution"),
        OptionSpecification(
            "shuffle", .flag, "whether the order of the principles is random; true"),
        OptionSpecification(
            "polarity",
            .words([
                Choice("opposites", "a random draw and its exact opposite"),
                Choice("positive", "all principles first, antitheses in the others"),
                Choice("distinct", "different draws"),
            ]), "the slots with antitheses"),
    ]

    static let training: [OptionSpecification] = [
        OptionSpecification("accumulate", .number, "queries a step"),
        OptionSpecification("epochs", .number, "passes over the queries; may be a fraction"),
        OptionSpecification("steps", .number, "steps, in place of epochs"),
        OptionSpecification(
            "schedule",
            .words([
                Choice("constant", "the same rate throughout"),
                Choice("linear", "falls to zero linearly"),
                Choice("cosine", "falls to zero along a cosine"),
            ]), "the decay of the learning rate"),
        OptionSpecification("warmup", .number, "steps in which the learning rate rises"),
        OptionSpecification("beta", .number, "weight of the KL penalty"),
    ]

    static let update: [OptionSpecification] = [
        OptionSpecification(
            "optimizer",
            .words([
                Choice("rmsprop", "the paper's"), Choice("adamw", "steadier on small models"),
            ]), "the optimizer"),
        OptionSpecification("learning_rate", .number, "size of a step"),
        OptionSpecification("clip", .number, "largest gradient norm; 0 turns clipping off"),
        OptionSpecification("ramp", .flag, "correct the size of RMSprop's first steps"),
        OptionSpecification("decay", .number, "AdamW's weight decay"),
    ]

    static let preset = OptionSpecification(
        "preset",
        .words([
            Choice("tiny", "for the shipped model"), Choice("paper", "the paper's settings"),
        ]), "named settings; default: tiny for models under 50 million parameters")
}

extension Invocation {
    // MARK: Models

    /// The model of a verb: the key `model`, or else the workspace's `model`.
    func model() throws -> ModelObject { try object(ModelObject.self, "model") }

    func tokenizer(of object: ModelObject) throws -> Tokenizer {
        if let tokenizer = object.tokenizer { return tokenizer }
        if let own = try objectIfBound(TokenizerObject.self, "tokenizer") { return own.tokenizer }
        throw error(
            "`\(call.title)` needs a tokenizer, and this model came without one",
            suggestion: "load tokenizer PATH")
    }

    /// A model with its tokenizer, or with the workspace's tokenizer if it has none.
    func textModel(_ object: ModelObject) throws -> TextModel {
        object.textModel(try tokenizer(of: object))
    }

    /// The key of this command's random numbers: its own unless `seed=` is given.
    func randomKey() throws -> RandomKey {
        guard let seed = try integer("seed", atLeast: 0, atMost: 1 << 53) else { return key }
        return RandomKey(seed: UInt64(seed))
    }

    /// The preset that the user named, or else the one for the model's size.
    func plan(for model: ModelObject) throws -> IterationPlan {
        let preset = try word("preset", IterationPlan.Preset.self)
        return IterationPlan(preset ?? (model.model.parameterCount < 50_000_000 ? .tiny : .paper))
    }

    // MARK: Settings

    func apply(to settings: inout RolloutSettings) throws {
        if let value = try number("temperature", atLeast: 0) {
            settings.sampling.temperature = value
        }
        if let value = try number("top_p", in: 0...1, rule: "between 0 and 1") {
            settings.sampling.topP = value
        }
        if let value = try integer("top_k", atLeast: 0) { settings.sampling.topK = value }
        if let value = try number("min_p", in: 0...1, rule: "between 0 and 1") {
            settings.sampling.minP = value
        }
        if let value = try integer("max_tokens", atLeast: 1, atMost: 1 << 20) {
            settings.sampling.maxTokens = value
        }
        if let value = try integer("samples", atLeast: 1, atMost: Composer.largestCount) {
            settings.samples = value
        }
        if let value = try word("overflow", RolloutSettings.OverflowRule.self) {
            settings.overflow = value
        }
        if let value = try text("unfinished") { settings.requiresEnd = value != "keep" }
    }

    func apply(to settings: inout ScoreSettings) throws {
        if let value = try word("normalize", ScoreSettings.Normalization.self) {
            settings.normalize = value
        }
        if let value = try flag("score_end") { settings.scoresEnd = value }
    }

    func apply(to composer: inout Composer) throws {
        if let value = try integer("principles_each", atLeast: 1, atMost: 62) {
            composer.principles = value
        }
        if let value = try flag("shuffle") { composer.shuffle = value }
        if let value = try word("polarity", PolarityRule.self) { composer.polarity = value }
    }

    func apply(to update: inout Update) throws {
        if let rule = try word("optimizer", OptimizerSettings.Rule.self) {
            update.optimizer.rule = rule
        }
        if let value = try number("learning_rate", atLeast: 0) { update.learningRate = value }
        if let value = try number("clip", atLeast: 0) { update.clip = value }
        if let value = try flag("ramp") { update.optimizer.ramp = value }
        if let value = try number("decay", atLeast: 0) { update.optimizer.decay = value }
    }

    func apply(to settings: inout TrainSettings) throws {
        try apply(to: &settings.update)
        try apply(to: &settings.score)
        if let value = try integer("accumulate", atLeast: 1, atMost: 1 << 20) {
            settings.accumulate = value
        }
        if let value = try number("epochs", atLeast: 0) {
            settings.epochs = value
            settings.steps = nil
        }
        if let value = try integer("steps", atLeast: 1) { settings.steps = value }
        if let value = try word("schedule", TrainSettings.Schedule.self) {
            settings.schedule = value
        }
        if let value = try integer("warmup", atLeast: 0) { settings.warmup = value }
        if let value = try number("beta", atLeast: 0) { settings.beta = value }
    }

    // MARK: Progress

    /// A closure for long work: shows the progress and stops the work on the user's request.
    func follower(_ task: String? = nil) -> ProgressFollower {
        ProgressFollower(invocation: self, task: task)
    }
}

/// Turns progress of the method into the session's progress, and a request to stop into `.stop`.
final class ProgressFollower {
    private let invocation: Invocation
    private var meter: ProgressMeter?
    private var phase: WorkProgress.Phase?
    private var pace: Pace
    private let start = ContinuousClock.now
    private let task: String?

    init(invocation: Invocation, task: String?) {
        self.invocation = invocation
        self.task = task
        pace = Pace(startingAt: 0)
    }

    func follow(_ progress: WorkProgress) -> Continuation {
        if phase != progress.phase {
            meter?.finish()
            phase = progress.phase
            let name = progress.phase.rawValue
            meter = invocation.meter(task.map { "\($0): \(name)" } ?? name)
        }
        pace.update(progress, at: (ContinuousClock.now - start).seconds)
        meter?.update(progress, pace)
        return invocation.cancel()
    }

    func finish() {
        meter?.finish()
        meter = nil
    }
}
