import Alignment
import CommandLanguage
import Optimizers
import Rendering
import TextModels

/// The settings of the method, grouped by the value that holds them.
enum MethodSettings {
    static let sampling: [SettingOption<Sampling>] = [
        .number("temperature", \.temperature, "0 is greedy, 1 the model's own"),
        .number(
            "top_p", \.topP, in: Double.leastNonzeroMagnitude...1, rule: "above 0 and at most 1",
            "keep the most likely tokens up to this probability"),
        .integer(
            "top_k", \.topK, in: 0...1 << 31,
            "keep this many of the most likely tokens; 0 keeps all"),
        .number(
            "min_p", \.minP, in: 0...1,
            "keep tokens with at least this share of the largest probability"),
        .integer("max_tokens", \.maxTokens, in: 1...1 << 20, "longest response, in tokens"),
    ]

    static let score: [SettingOption<ScoreSettings>] = [
        .word(
            "normalize", \.normalize,
            [Choice("mean", "nats a token"), Choice("sum", "nats a response")],
            "the score from token log-probs"),
        .flag("score_end", \.scoresEnd, "score the end-of-sequence token too"),
    ]

    static let objectives = [
        Choice("contrast", "SAMI's loss, the mean of rows and columns"),
        Choice("rows", "which response was sampled under a constitution"),
        Choice("columns", "which constitution a response was sampled under"),
        Choice("likelihood", "each response under its own constitution"),
    ]

    /// Of verbs that learn from comparisons.
    static let objective: [SettingOption<TrainSettings>] = [
        .word("objective", \.objective, objectives, "what a step makes smaller")
    ]

    static let compose: [SettingOption<Composer>] = [
        .integer(
            "principles_each", \.principles, in: 1...62,
            "principles in a constitution; without it, all that fit the query"),
        .flag("shuffle", \.shuffle, "whether the order of the principles is random"),
        .word(
            "polarity", \.polarity,
            [
                Choice("opposites", "a random draw and its exact opposite"),
                Choice("positive", "all principles first, antitheses in the others"),
                Choice("distinct", "different draws"),
            ], "the slots with antitheses"),
    ]

    static let update: [SettingOption<Update>] = [
        optimizer,
        .number("learning_rate", \.learningRate, "size of a step"),
        .number("clip", \.clip, "largest gradient norm; 0 turns clipping off"),
        ramp,
        decay,
    ]

    private static let optimizer = SettingOption<Update>(
        key: "optimizer", kind: .words(OptimizerRule.all.map { Choice($0.name, $0.summary) }),
        summary: "the optimizer",
        apply: { invocation, update in
            guard let name = try invocation.text("optimizer") else { return }
            guard let rule = OptimizerRule.named(name) else {
                throw invocation.outOfRange("optimizer", OptimizerRule.all.map(\.name), name)
            }
            update.optimizer = Optimizer(rule, update.optimizer.settings)
        }, shown: { $0.optimizer.rule.name })

    // A rule without such a setting shows no default for it.
    private static let ramp = SettingOption<Update>(
        key: "ramp", kind: .flag, summary: "correct the size of RMSprop's first steps",
        apply: { invocation, update in
            if let value = try invocation.flag("ramp") { update.optimizer["ramp"] = value ? 1 : 0 }
        }, shown: { $0.optimizer["ramp"].map { "\($0 == 1)" } })

    private static let decay = SettingOption<Update>(
        key: "decay", kind: .number, summary: "AdamW's weight decay",
        apply: { invocation, update in
            if let value = try invocation.number("decay", atLeast: 0) {
                update.optimizer["decay"] = value
            }
        }, shown: { $0.optimizer["decay"].map { NumberText.significant($0, digits: 4) } })

    /// Of `train`; `update` and `score` hold the rest.
    static let training: [SettingOption<TrainSettings>] = [
        .integer("accumulate", \.accumulate, in: 1...1 << 20, "queries a step"),
        epochs,
        .integer("steps", \.steps, in: 1...1 << 31, "steps, in place of epochs"),
        .word(
            "schedule", \.schedule,
            [
                Choice("constant", "the same rate throughout"),
                Choice("linear", "falls to zero linearly"),
                Choice("cosine", "falls to zero along a cosine"),
            ], "the decay of the learning rate"),
        .integer("warmup", \.warmup, in: 0...1 << 31, "steps in which the learning rate rises"),
        .number("beta", \.beta, "weight of the KL penalty"),
    ]

    /// Epochs that are asked for replace the steps of a preset.
    private static let epochs: SettingOption<TrainSettings> = {
        let number = SettingOption<TrainSettings>.number(
            "epochs", \.epochs, "passes over the queries; may be a fraction")
        return SettingOption(
            key: number.key, kind: number.kind, summary: number.summary,
            apply: { invocation, settings in
                try number.apply(invocation, &settings)
                if invocation.has("epochs") { settings.steps = nil }
            }, shown: { $0.steps == nil ? number.shown($0) : nil })
    }()
}

extension MethodKey {
    /// The plans that verbs with `preset=` start from.
    private static let plans: [(name: String, plan: IterationPlan)] =
        IterationPlan.Preset.allCases.reversed().map { ($0.rawValue, IterationPlan($0)) }

    /// The options of settings that come from a preset, with the default of each preset.
    private static func options<Target>(
        _ settings: [SettingOption<Target>], _ part: (IterationPlan) -> Target
    ) -> [OptionSpecification] {
        [OptionSpecification](settings, defaults: plans.map { ($0.name, part($0.plan)) })
    }

    static let sampling = options(MethodSettings.sampling) { $0.rollout.sampling }
    static let planScore = options(MethodSettings.score) { $0.train.score }
    static let compose = options(MethodSettings.compose) { $0.compose }
    /// Of `iterate`. `train` alone passes once over its queries, whatever the preset.
    static let training = options(MethodSettings.training + MethodSettings.objective) { $0.train }
    static let trainingAlone = options(MethodSettings.training + MethodSettings.objective) { plan in
        var settings = plan.train
        settings.steps = nil
        return settings
    }
    static let update = options(MethodSettings.update) { $0.train.update }

    /// `judge` compares the models under one constitution, so there are no opposites.
    static let judgeCompose = options(MethodSettings.compose) { plan in
        var composer = plan.compose
        composer.polarity = composer.polarity == .positive ? .positive : .distinct
        return composer
    }

    /// Of verbs that have no preset.
    static let score = [OptionSpecification](
        MethodSettings.score, defaults: [("", ScoreSettings())])
    static let composeAlone = [OptionSpecification](
        MethodSettings.compose, defaults: [("", Composer())])
    static let finetuning =
        [OptionSpecification](MethodSettings.training, defaults: [("", TrainSettings.finetuning)])
        + [OptionSpecification](
            MethodSettings.update, defaults: [("", TrainSettings.finetuning.update)])
        + [OptionSpecification](
            MethodSettings.score, defaults: [("", TrainSettings.finetuning.score)])
    static func sampling(from sampling: Sampling) -> [OptionSpecification] {
        [OptionSpecification](MethodSettings.sampling, defaults: [("", sampling)])
    }
}

extension Invocation {
    func apply(to settings: inout RolloutSettings) throws {
        try apply(MethodSettings.sampling, to: &settings.sampling)
        if let value = try integer("samples", atLeast: 1, atMost: Composer.largestCount) {
            settings.samples = value
        }
        if let value = try word("overflow", RolloutSettings.OverflowRule.self) {
            settings.overflow = value
        }
        if let value = try text("unfinished") { settings.requiresEnd = value != "keep" }
    }

    func apply(to settings: inout ScoreSettings) throws {
        try apply(MethodSettings.score, to: &settings)
    }

    func apply(to composer: inout Composer) throws {
        try apply(MethodSettings.compose, to: &composer)
    }

    func apply(to update: inout Update) throws { try apply(MethodSettings.update, to: &update) }

    func apply(to settings: inout TrainSettings) throws {
        try apply(to: &settings.update)
        try apply(to: &settings.score)
        try apply(MethodSettings.training, to: &settings)
        try apply(MethodSettings.objective, to: &settings)
    }
}
