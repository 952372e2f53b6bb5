import Alignment
import CommandLanguage
import Rendering
import ShippedWorld
import Tensors
import Tokenizers
import Transformers
import Values
import Worlds

extension CommandTable {
    static let trainingCommands: [Command] = [
        Command(
            "train", .method, "the loop over score, contrast, backward and update",
            forms: [
                Command.Form(
                    nil, "trains `model` on `rollouts`", makes: ["model", "log"],
                    operands: [.optional("rollouts", .value, "in place of `rollouts`")],
                    options: MethodKey.training + MethodKey.update + MethodKey.score + [
                        MethodKey.preset, MethodKey.overflow, MethodKey.model, MethodKey.base,
                        MethodKey.seed,
                    ],
                    example: "train steps=1 accumulate=2", run: train),
                Command.Form(
                    "tokenizer", "learns a byte-level tokenizer from text", makes: ["tokenizer"],
                    operands: [
                        .optional(
                            "path", .path, "a JSON Lines file; the shipped world unless given")
                    ],
                    options: [
                        OptionSpecification("vocabulary", .number, "tokens in all; 1024"),
                        OptionSpecification("field", .word, "which field of a line; text"),
                        OptionSpecification("documents", .number, "documents of the world; 20,000"),
                        OptionSpecification(
                            "minimum_frequency", .number,
                            "pairs that occur less often stay apart; 0"),
                        OptionSpecification("seed", .number, "which documents; 0"),
                    ],
                    example: "train tokenizer vocabulary=300 documents=50", run: trainTokenizer),
            ]),
        Command(
            "iterate", .method, "whole iterations: compose, roll out, train, and again",
            about: """
                Iteration t samples with the model of iteration t-1 on new queries and trains from \
                the base again, or from the previous model. Queries come from `on`, else from the \
                shipped world for its own model, else from `queries`. Ctrl-C stops after the step \
                at hand; the last whole iteration is kept.
                """,
            makes: ["model", "log"],
            operands: [.optional("iterations", .number, "how many; 3")],
            options: [
                MethodKey.preset,
                OptionSpecification(
                    "from",
                    .words([
                        Choice("base", "train from the base again"),
                        Choice("previous", "go on with the last model"),
                    ]), "where each iteration starts"),
                OptionSpecification("queries", .number, "new queries each iteration"),
                OptionSpecification("on", .value, "queries to deal out in order"),
                OptionSpecification("principles", .value, "in place of `principles`"),
                OptionSpecification("count", .number, "C, constitutions a query; 2"),
                OptionSpecification("samples", .number, "responses a constitution; 1"),
            ] + MethodKey.compose + MethodKey.sampling + MethodKey.training + MethodKey.update
                + MethodKey.score + [MethodKey.overflow, MethodKey.base, MethodKey.seed],
            example: "iterate 1 queries=8 steps=1 accumulate=4", run: iterate),
        Command(
            "judge", .method, "which of two models follows constitutions better?",
            about: """
                Both models answer the same queries under the same constitutions. measured: a \
                program counts the principles that are followed; likelihood: the frozen base says \
                which response has the larger log p(y|c) - log p(y|not c).
                """,
            makes: ["verdicts"],
            operands: [.optional("queries", .value, "in place of `queries`")],
            options: [
                OptionSpecification(
                    "judge",
                    .words([
                        Choice("measured", "the shipped world's programs (default)"),
                        Choice("likelihood", "the base model"),
                    ]), "who judges"),
                OptionSpecification("against", .value, "the other model; `base`"),
                OptionSpecification("principles", .value, "in place of `principles`"),
                OptionSpecification(
                    "constitutions", .value, "composed ones, in place of principles"),
            ] + MethodKey.compose + MethodKey.sampling + [
                MethodKey.preset, MethodKey.overflow, MethodKey.model, MethodKey.base,
                MethodKey.seed,
            ],
            example: "judge queries[0:2]", run: judge),
    ]

    // MARK: train

    private static func train(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
        var settings = try invocation.plan(for: model).train
        if !invocation.has("steps") { settings.steps = nil }
        try invocation.apply(to: &settings)
        let reference =
            settings.beta > 0 ? try invocation.object(ModelObject.self, "base").model : nil
        let (batches, note) = try batches(rollouts, model, settings.score, invocation)
        let kept = Set(batches.map(\.id))
        let groups = rollouts.groups.filter { kept.contains($0.id) }
        let follower = invocation.follower()
        defer { follower.finish() }
        let earlier = try invocation.resumed.map {
            try TrainingStorage.restored($0, model.model)
        }
        var records = earlier?.log ?? []
        var clock = CheckpointClock()
        let result: TrainResult
        do {
            result = try Trainer(settings, memory: invocation.session.settings.memoryPlan).train(
                earlier?.model ?? model.model, on: groups,
                tokenizer: try trainingTokenizer(model, groups, invocation),
                reference: reference, from: earlier?.state, key: try invocation.randomKey(),
                progress: follower.follow, cancel: invocation.cancel
            ) { record, weights, state in
                records.append(record)
                if record.step < record.steps, clock.isDue() {
                    try invocation.keepCheckpoint(
                        "training", "step \(record.step) of \(record.steps)"
                    ) { try TrainingStorage.stored(weights, state, records) }
                }
                return invocation.cancel()
            }
        } catch AlignmentError.weightsNotFinite(let tensor, let count, let rate) {
            throw invocation.located(
                AlignmentError.weightsNotFinite(tensor: tensor, count: count, learningRate: rate),
                at: "learning_rate")
        }
        guard let last = records.last else {
            throw StoppedEarly(
                error: invocation.located(
                    EvaluationError.interrupted(
                        "stopped before the first step; nothing has changed")),
                work: .beginning)
        }
        var notes = [note].compactMap(\.self)
        if result.isStopped {
            notes.append("stopped after step \(records.count); `model` is what it was then")
        }
        let log = LogObject(title: "train", rows: records.map { LogObject.row($0) })
        var outcome = CommandResult()
        if result.isStopped {
            outcome.stopped = StoppedWork(
                progress: "step \(last.step) of \(last.steps)", kind: "training",
                state: try TrainingStorage.stored(result.model, result.state, records))
        }
        outcome.bindings = [
            ("model", .object(model.with(result.model, origin: "\(model.origin), trained"))),
            ("log", .object(log)),
        ]
        outcome.text = log.rendered(invocation.appearance)
        outcome.notes = notes
        return outcome
    }

    private static func trainingTokenizer(
        _ model: ModelObject, _ groups: [RolloutGroup], _ invocation: Invocation
    ) throws -> Tokenizer? {
        let needsText = groups.contains { group in
            group.prompts.contains { if case .text = $0 { true } else { false } }
        }
        return needsText ? try invocation.tokenizer(of: model) : model.tokenizer
    }

    private static func trainTokenizer(_ invocation: Invocation) throws -> CommandResult {
        let size = try invocation.integer("vocabulary", atLeast: 1, atMost: 1 << 24) ?? 1024
        let least = try invocation.integer("minimum_frequency", atLeast: 0) ?? 0
        var meter = invocation.meter("train tokenizer")
        defer { meter.finish() }
        let texts: any Sequence<String>
        let origin: String
        if invocation.has("path") {
            let field = try invocation.text("field") ?? "text"
            let file = try invocation.jsonLines("path")
            texts = try fieldTexts(field, file, invocation)
            origin = "learned from \(file.shown)"
        } else {
            let count =
                try invocation.integer("documents", atLeast: 1, atMost: 100_000_000) ?? 20_000
            let seed = UInt64(try invocation.integer("seed", atLeast: 0, atMost: 1 << 53) ?? 0)
            texts = (0..<count).lazy.map { World.everyday.document(seed: seed, index: $0).text }
            origin = "learned from \(NumberText.grouped(count)) documents of the shipped world"
        }
        func learn(_ texts: some Sequence<String>) throws -> Tokenizer {
            try BytePairTrainer(vocabularySize: size, minimumFrequency: least).train(texts) {
                step in
                meter.update(step.tokensMade, of: size, unit: "tokens")
                return !invocation.isInterrupted
            }
        }
        let tokenizer = try learn(texts)
        var notes: [String] = []
        if tokenizer.vocabularySize < size {
            notes.append("the texts have pairs for \(tokenizer.vocabularySize) tokens only")
        }
        return CommandResult(
            "tokenizer", TokenizerObject(tokenizer: tokenizer, origin: origin), notes: notes)
    }

    /// One text field of every line.
    static func fieldTexts(
        _ field: String, _ file: JSONLines, _ invocation: Invocation
    ) throws -> [String] {
        var texts: [String] = []
        do throws(EvaluationError) {
            for line in file.lines {
                guard let text = try file.text(field, line) else {
                    let near = nearest(field, in: line.record.keys).map {
                        "; did you mean `\($0)`?"
                    }
                    throw file.bad(line, "the field `\(field)` is missing\(near ?? "")")
                }
                texts.append(text)
            }
            if let first = file.lines.first, texts.allSatisfy(\.isEmpty) {
                throw file.bad(first, "`\(field)` is empty, here and in every line after it")
            }
        } catch {
            throw invocation.located(error, at: "path")
        }
        return texts
    }

    // MARK: judge

    private static func judge(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let otherRole = invocation.has("against") ? "against" : "base"
        let other = try invocation.object(ModelObject.self, otherRole)
        let tokenizer = try invocation.tokenizer(of: model)
        let queries = try invocation.object(QueriesObject.self, "queries").queries
        let plan = try invocation.plan(for: model)
        let key = try invocation.randomKey()

        let groups: [ConstitutionGroup]
        if invocation.has("constitutions") {
            let object = try invocation.object(ConstitutionsObject.self, "constitutions")
            groups =
                try object.groups
                ?? Composer(count: 1, polarity: .positive).compose(
                    queries, from: try sources(invocation, role: "constitutions"),
                    key: key.child("compose"))
        } else {
            var composer = Composer(
                count: 1, principles: plan.compose.principles,
                polarity: plan.compose.polarity == .positive ? .positive : .distinct)
            try invocation.apply(to: &composer)
            let sources = try sources(invocation, role: "principles")
            // Asking for two principles where there is one would stop a judge that can do its work.
            if case .pairs(let pairs)? = sources.first, let wanted = composer.principles,
                !invocation.has("principles_each")
            {
                composer.principles = min(wanted, pairs.count)
            }
            groups = try composer.compose(queries, from: sources, key: key.child("compose"))
        }
        var settings = plan.rollout
        try invocation.apply(to: &settings)
        let follower = invocation.follower()
        defer { follower.finish() }
        let (pairs, skipped) = try sampledPairs(
            PairSampler(settings, prompts: model.prompts), queries, groups, model.model,
            other.model,
            tokenizer, key.child("pairs"), follower, invocation)
        var notes: [String] = []
        let skippedCounts = [(reason: RolloutRejection.overflow, count: skipped.count)]
        if let note = RolloutsObject.note(skipped, skippedCounts) { notes.append(note) }
        guard !pairs.isEmpty else {
            throw invocation.error("no query is left to judge: \(notes.joined(separator: "; "))")
        }
        let judge: any Judge
        if try invocation.text("judge") == "likelihood" {
            let base = try invocation.object(ModelObject.self, "base")
            judge = LikelihoodJudge(
                model: base.model, tokenizer: try invocation.tokenizer(of: base),
                prompts: base.prompts)
        } else {
            judge = MeasuredJudge(WorldMeasure())
        }
        let verdicts = try judge.judge(
            pairs, progress: follower.follow, cancel: invocation.cancel)
        if !verdicts.unknownPrinciples.isEmpty {
            let shown = verdicts.unknownPrinciples.prefix(3).map { "\"\($0)\"" }
            notes.append(
                "not known to the \(verdicts.judge) judge and left out: "
                    + shown.joined(separator: ", ")
                    + (verdicts.unknownPrinciples.count > 3 ? ", …" : ""))
        }
        for (reason, count) in verdicts.leftOut {
            notes.append("\(NumberText.count(count, "comparison")) left out: \(reason.words)")
        }
        guard verdicts.count > 0 else {
            throw invocation.error(
                "nothing could be judged: " + notes.joined(separator: "; "),
                suggestion: judge is MeasuredJudge ? "judge=likelihood asks the base model" : nil)
        }
        if verdicts.isStopped {
            notes.append(
                "stopped after \(verdicts.comparisons.count) of \(pairs.count) comparisons, "
                    + "which are kept")
        }
        var result = CommandResult(
            "verdicts",
            VerdictsObject(
                verdicts: verdicts, first: invocation.written("model") ?? "model",
                second: invocation.written(otherRole) ?? otherRole),
            notes: notes)
        if verdicts.isStopped {
            result.stopped = StoppedWork(
                progress: "comparison \(verdicts.comparisons.count) of \(pairs.count)",
                kind: "judging", state: try SamplingStorage.stored(pairs))
        }
        return result
    }

    /// What a judge compares, sampled from the start or from where it was stopped.
    private static func sampledPairs(
        _ sampler: PairSampler, _ queries: [Alignment.Query], _ groups: [ConstitutionGroup],
        _ first: LanguageModel, _ second: LanguageModel, _ tokenizer: Tokenizer, _ key: RandomKey,
        _ follower: ProgressFollower, _ invocation: Invocation
    ) throws -> (pairs: [ResponsePair], skipped: [Rollouts.Rejected]) {
        let total = groups.reduce(0) { $0 + $1.constitutions.count }
        var sampled = try invocation.resumed.map(SamplingStorage.restoredPairs) ?? []
        var clock = CheckpointClock()
        do {
            return try sampler.pairs(
                queries, groups, first: first, second: second, tokenizer: tokenizer, key: key,
                memory: invocation.session.settings.memoryPlan, from: sampled,
                progress: follower.follow, cancel: invocation.cancel,
                observe: { pairs in
                    sampled = pairs
                    guard clock.isDue() else { return }
                    try invocation.keepCheckpoint("judging", "\(pairs.count) of \(total) pairs") {
                        try SamplingStorage.stored(pairs)
                    }
                })
        } catch let error as AlignmentError {
            guard case .stopped = error else { throw error }
            throw StoppedEarly(
                error: invocation.located(error),
                work: StoppedWork(
                    progress: "\(sampled.count) of \(total) pairs", kind: "judging",
                    state: try SamplingStorage.stored(sampled)))
        }
    }
}

extension LeftOut {
    /// For a sentence that says why.
    var words: String {
        switch self {
        case .unknownPrinciples: "no principle that the judge knows"
        case .noAntithesis: "a constitution without antithesis"
        case .overflow: "too long for the context"
        case .empty: "an empty response"
        }
    }
}
