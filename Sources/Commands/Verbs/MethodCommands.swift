import Alignment
import CommandLanguage
import Rendering
import ShippedWorld
import Tensors
import Tokenizers
import Transformers
import Values

extension CommandTable {
    static let methodCommands: [Command] = [
        Command(
            "propose", .method, "the writer lists principles with their antitheses",
            about: """
                The writer is a language model that continues a prompt about principles. Its text is \
                parsed; sentences that are malformed, twice there or without an antithesis are \
                left out and counted.
                """,
            makes: ["principles"],
            options: [
                OptionSpecification(
                    "about",
                    .either(
                        [
                            Choice("summaries", "how posts are summarized"),
                            Choice("answers", "how questions are answered"),
                        ], .text),
                    "what the principles are for; the form of `queries` unless given"),
                OptionSpecification("count", .number, "pairs wanted; 6"),
                OptionSpecification("writer", .value, "a model in place of `model`"),
                MethodKey.seed,
            ],
            example: "propose about=summaries count=3", run: propose),
        Command(
            "compose", .method, "draws constitutions for every query",
            about: """
                Each query gets C constitutions that differ. Each slot holds a principle or its \
                antithesis, and the order of the principles is drawn anew for the training prompt.
                """,
            makes: ["constitutions"],
            operands: [
                .optional("from", .value, "principles, or constitutions that were loaded")
            ],
            options: [
                OptionSpecification("count", .number, "C, constitutions a query; 2"),
                OptionSpecification("queries", .value, "in place of `queries`"),
            ] + MethodKey.compose + [MethodKey.seed],
            example: "compose count=2", run: compose),
        Command(
            "rollout", .method, "samples a response for every query and constitution",
            about: """
                Responses that are empty, unfinished, malformed or the same under two constitutions \
                leave their query out; every reason is counted and said. Queries too long for the \
                context are skipped by id, or refused with overflow=error.
                """,
            makes: ["rollouts"],
            operands: [.optional("queries", .value, "in place of `queries`")],
            options: MethodKey.sampling + [
                OptionSpecification("samples", .number, "responses a constitution; 1"),
                OptionSpecification("constitutions", .value, "in place of `constitutions`"),
                MethodKey.overflow, MethodKey.unfinished, MethodKey.model, MethodKey.seed,
            ],
            example: "rollout queries[0:2] temperature=0.7", run: rollout),
        Command(
            "score", .method, "S: the log-prob of every response under every constitution",
            about: """
                S[i, j] is the mean log-prob, in nats a token, of response j under constitution i. \
                The end-of-sequence token is not scored unless score_end=true.
                """,
            makes: ["logprobs"],
            operands: [.optional("rollouts", .value, "in place of `rollouts`")],
            options: MethodKey.score + [
                OptionSpecification("per_token", .flag, "keep the log-prob of every token"),
                MethodKey.overflow, MethodKey.model,
            ],
            example: "score", run: score),
        Command(
            "contrast", .method, "the loss, its accuracies and what it says about information",
            about: """
                Rows ask which response a constitution produced, columns which constitution produced \
                a response. The bounds are on mutual information, in nats, and cannot exceed log C.
                """,
            makes: ["loss"],
            operands: [.optional("logprobs", .value, "in place of `logprobs`; a matrix is fine")],
            example: "contrast", run: contrast),
        Command(
            "backward", .method, "gradients of the mean loss, one tensor a parameter",
            makes: ["gradients"],
            operands: [.optional("rollouts", .value, "in place of `rollouts`")],
            options: MethodKey.score + [
                OptionSpecification("beta", .number, "weight of the penalty to the base; 0"),
                OptionSpecification("memory", .word, "bytes activations may take, as 600MB"),
                MethodKey.model, MethodKey.base,
            ],
            example: "backward", run: backward),
        Command(
            "update", .method, "one optimizer step",
            about: """
                Changes `model` by `gradients`, and keeps what the optimizer remembers as \
                `optimizer`. With beta= the gradients are formed again with the penalty.
                """,
            makes: ["model", "optimizer"],
            operands: [.optional("gradients", .value, "in place of `gradients`")],
            options: MethodKey.update + [
                OptionSpecification("beta", .number, "weight of the penalty to the base"),
                MethodKey.preset, MethodKey.model, MethodKey.base,
            ],
            example: "update optimizer=rmsprop learning_rate=1e-5", run: update),
    ]

    private static func propose(_ invocation: Invocation) throws -> CommandResult {
        let writer: ModelObject
        if invocation.has("writer") {
            writer = try invocation.object(ModelObject.self, "writer")
        } else {
            writer = try invocation.model()
        }
        let tokenizer = try invocation.tokenizer(of: writer)
        let prompts = writer.prompts
        var about = try invocation.text("about")
        if about == nil, let queries = try invocation.objectIfBound(QueriesObject.self, "queries") {
            about = queries.queries.first.map { prompts.words($0.form).responses }
        }
        var proposer = Proposer()
        if let count = try invocation.integer("count", atLeast: 1, atMost: 1000) {
            proposer.count = count
            proposer.limit = max(proposer.limit, 8 * count)
        }
        let follower = invocation.follower()
        defer { follower.finish() }
        var author = ModelWriter(
            model: writer.model, tokenizer: tokenizer,
            memory: invocation.session.settings.memoryPlan)
        author.dress = writer.chat
        let proposal = try proposer.propose(
            about: about ?? prompts.post.responses, prompts: prompts, writer: author,
            meaning: WorldMeasure.meaning,
            key: try invocation.randomKey(), progress: follower.follow, cancel: invocation.cancel)
        var notes: [String] = []
        if !proposal.counts.isEmpty {
            notes.append(
                "left out: "
                    + proposal.counts.map { "\($0.count) \($0.reason.words)" }.joined(
                        separator: ", "))
        }
        guard !proposal.pairs.isEmpty else {
            if proposal.isStopped {
                throw invocation.located(EvaluationError.interrupted("stopped"))
            }
            throw invocation.error(
                "the writer gave no usable principle in "
                    + NumberText.count(proposal.samples, "text")
                    + (notes.first.map { "; \($0)" } ?? ""))
        }
        if proposal.isStopped {
            notes.append("stopped early: `principles` holds what was accepted by then")
        } else if proposal.pairs.count < proposer.count {
            notes.append(
                "\(proposal.pairs.count) of \(proposer.count) pairs came out of "
                    + NumberText.count(proposal.samples, "text"))
        }
        return CommandResult("principles", PrinciplesObject(pairs: proposal.pairs), notes: notes)
    }

    /// What constitutions are made of: the operand, else principles, else loaded constitutions.
    static func sources(
        _ invocation: Invocation, role: String = "from"
    ) throws -> [ConstitutionSource] {
        if let argument = invocation.argument(role) {
            let value = try invocation.value(argument)
            if let loaded = value.object(ConstitutionsObject.self),
                case .sources(let sources) = loaded.content
            {
                return sources
            }
            return [.pairs(try invocation.object(PrinciplesObject.self, role).pairs)]
        }
        if let principles = try invocation.objectIfBound(PrinciplesObject.self, "principles") {
            return [.pairs(principles.pairs)]
        }
        if let loaded = try invocation.objectIfBound(ConstitutionsObject.self, "constitutions"),
            case .sources(let sources) = loaded.content
        {
            return sources
        }
        return [.pairs(try invocation.object(PrinciplesObject.self, "principles").pairs)]
    }

    private static func compose(_ invocation: Invocation) throws -> CommandResult {
        let queries = try invocation.object(QueriesObject.self, "queries")
        let sources = try sources(invocation)
        var composer = Composer()
        if let count = try invocation.integer("count", atLeast: 1, atMost: Composer.largestCount) {
            composer.count = count
        }
        try invocation.apply(to: &composer)
        let groups = try composer.compose(
            queries.queries, from: sources, key: try invocation.randomKey())
        return CommandResult("constitutions", ConstitutionsObject(content: .groups(groups)))
    }

    private static func rollout(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let tokenizer = try invocation.tokenizer(of: model)
        let queries = try invocation.object(QueriesObject.self, "queries").queries
        let key = try invocation.randomKey()
        let groups = try constitutionGroups(for: queries, key.child("compose"), invocation)
        var settings = try invocation.plan(for: model).rollout
        try invocation.apply(to: &settings)
        let follower = invocation.follower()
        defer { follower.finish() }
        var state = try invocation.resumed.map(SamplingStorage.restored)
        var clock = CheckpointClock()
        let rollouts = try RolloutSampler(
            settings, prompts: model.prompts, isMalformed: WorldMeasure.isMalformed
        ).sample(
            queries, groups, model: model.model, tokenizer: tokenizer, key: key,
            memory: invocation.session.settings.memoryPlan, from: state,
            progress: follower.follow, cancel: invocation.cancel,
            observe: { portion in
                state = portion
                guard clock.isDue() else { return }
                try invocation.keepCheckpoint(
                    "sampling", "query \(portion.next) of \(groups.count)"
                ) { try SamplingStorage.stored(portion) }
            })
        let stopped =
            try rollouts.isStopped
            ? StoppedWork(
                progress: "query \(state?.next ?? 0) of \(groups.count)", kind: "sampling",
                state: SamplingStorage.stored(
                    state ?? RolloutState(rollouts: Rollouts(groups: [], settings: settings))))
            : nil
        if rollouts.groups.isEmpty, let stopped {
            throw StoppedEarly(
                error: invocation.located(
                    EvaluationError.interrupted(
                        "stopped before a query was done; nothing has changed")),
                work: stopped)
        }
        let object = RolloutsObject(rollouts: rollouts)
        var notes = try notes(on: object, invocation)
        if rollouts.isStopped {
            notes.append(
                "stopped after \(rollouts.groups.count) of \(groups.count) queries, which are kept")
        }
        var result = CommandResult("rollouts", object, notes: notes)
        result.stopped = stopped
        return result
    }

    /// What was rejected, which must not be everything.
    static func notes(on object: RolloutsObject, _ invocation: Invocation) throws -> [String] {
        let notes = [object.rejectionNote].compactMap(\.self)
        guard object.rollouts.groups.isEmpty else { return notes }
        let sample = object.rollouts.rejected.first { $0.constitution != nil }
        throw invocation.error(
            "no query is left to score" + (notes.first.map { ": \($0)" } ?? ""),
            suggestion: sample.map { "one response was " + Value.text($0.text).summary })
    }

    /// The constitutions of these queries, which may be a part of those that were composed for.
    static func constitutionGroups(
        for queries: [Query], _ key: RandomKey, _ invocation: Invocation
    ) throws -> [ConstitutionGroup] {
        let object = try invocation.object(ConstitutionsObject.self, "constitutions")
        switch object.content {
        case .sources(let sources):
            return try Composer().compose(queries, from: sources, key: key)
        case .groups(let groups):
            // A query's place in the list that was composed for is found by its id.
            let all = try invocation.session.value(of: "queries")?.object(QueriesObject.self)?
                .queries
            let byQuery = Dictionary(groups.map { ($0.query, $0) }, uniquingKeysWith: { a, _ in a })
            var found: [ConstitutionGroup] = []
            for (index, query) in queries.enumerated() {
                let place: Int
                if let all, all != queries {
                    guard let position = all.firstIndex(of: query) else {
                        throw invocation.error(
                            "query \(query.id) is not among those that constitutions were composed for",
                            suggestion: "compose queries=…")
                    }
                    place = position
                } else {
                    place = index
                }
                guard var group = byQuery[place] else {
                    throw invocation.error(
                        "query \(query.id) has no constitutions", suggestion: "make them: compose")
                }
                group.query = index
                found.append(group)
            }
            return found
        }
    }

    private static func score(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
        var settings = ScoreSettings()
        try invocation.apply(to: &settings)
        let (batches, note) = try batches(rollouts, model, settings, invocation)
        let follower = invocation.follower()
        defer { follower.finish() }
        let scores = try Scorer(settings).score(
            batches, model: model.model, perToken: try invocation.flag("per_token") ?? false,
            progress: follower.follow, cancel: invocation.cancel)
        return CommandResult(
            "logprobs", LogprobsObject(scores: scores, settings: settings),
            notes: [note].compactMap(\.self))
    }

    /// The rollouts as token ids, and a sentence on those that do not fit the context.
    static func batches(
        _ rollouts: Rollouts, _ model: ModelObject, _ settings: ScoreSettings,
        _ invocation: Invocation
    ) throws -> (batches: [ContrastBatch], note: String?) {
        guard !rollouts.groups.isEmpty else { throw AlignmentError.noRollouts }
        let needsText = rollouts.groups.contains { group in
            group.prompts.contains { if case .text = $0 { true } else { false } }
        }
        let tokenizer = needsText ? try invocation.tokenizer(of: model) : model.tokenizer
        let skips = try invocation.word("overflow", RolloutSettings.OverflowRule.self) != .error
        var batches: [ContrastBatch] = []
        var tooLong: [String] = []
        for group in rollouts.groups {
            do {
                batches.append(
                    try ContrastBatch(
                        group, tokenizer: tokenizer, configuration: model.model.configuration,
                        scoresEnd: settings.scoresEnd))
            } catch AlignmentError.tooLong where skips && rollouts.groups.count > 1 {
                tooLong.append(group.id)
            }
        }
        let joints = batches.compactMap { batch in batch.blurredJoint.map { (batch.id, $0) } }
        let blurred = joints.first.map { id, joint in
            "in \(NumberText.count(joints.count, "query", "queries")) a token reaches over the joint of "
                + "prompt and response and is scored with the response: in \(id), between "
                + Value.text(joint.prompt).summary + " and " + Value.text(joint.response).summary
        }
        guard !tooLong.isEmpty else { return (batches, blurred) }
        let ids = tooLong.prefix(5).joined(separator: ", ") + (tooLong.count > 5 ? ", …" : "")
        let sentence =
            "\(NumberText.count(tooLong.count, "query", "queries")) too long for the context of "
            + "\(NumberText.grouped(model.model.configuration.longestSequence)) tokens (\(ids))"
        guard !batches.isEmpty else { throw invocation.error("no query is left: \(sentence)") }
        return (batches, "left out: \(sentence)" + (blurred.map { "; " + $0 } ?? ""))
    }

    private static func contrast(_ invocation: Invocation) throws -> CommandResult {
        let scores = try invocation.object(LogprobsObject.self, "logprobs").scores
        do {
            let contrasts = try scores.map { try Contrast($0.scores, query: $0.id) }
            return CommandResult("loss", LossObject(ids: scores.map(\.id), contrasts: contrasts))
        } catch {
            throw invocation.located(error, at: "logprobs")
        }
    }

    private static func backward(_ invocation: Invocation) throws -> CommandResult {
        let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
        var score = ScoreSettings()
        try invocation.apply(to: &score)
        let (object, note) = try gradients(
            rollouts, score: score, beta: try invocation.number("beta", atLeast: 0) ?? 0, invocation
        )
        return CommandResult("gradients", object, notes: [note].compactMap(\.self))
    }

    private static func gradients(
        _ rollouts: Rollouts, score: ScoreSettings, beta: Double, _ invocation: Invocation
    ) throws -> (GradientsObject, note: String?) {
        let model = try invocation.model()
        var memory = invocation.session.settings.memoryPlan
        if let text = try invocation.text("memory") {
            guard let bytes = Settings.bytes(text), bytes > 0 else {
                throw invocation.located(
                    EvaluationError.outOfRange(
                        role: "`memory`", rule: "a size such as 600MB",
                        found: Value.text(text).summary),
                    at: "memory")
            }
            memory = MemoryPlan(budget: bytes)
        }
        let reference = beta > 0 ? try invocation.object(ModelObject.self, "base").model : nil
        let (batches, note) = try batches(rollouts, model, score, invocation)
        let follower = invocation.follower()
        defer { follower.finish() }
        let gradients = try Backward(score: score, beta: beta, memory: memory).gradients(
            of: batches, model: model.model, reference: reference, progress: follower.follow,
            cancel: invocation.cancel)
        let object = GradientsObject(
            parameters: gradients.parameters, configuration: model.model.configuration,
            norm: gradients.norm, loss: ContrastSummary(gradients.contrasts).loss,
            queries: gradients.contrasts.count, divergence: gradients.divergence, beta: beta,
            score: score)
        return (object, note)
    }

    private static func update(_ invocation: Invocation) throws -> CommandResult {
        var model = try invocation.model()
        var gradients = try invocation.object(GradientsObject.self, "gradients")
        if let beta = try invocation.number("beta", atLeast: 0), beta != gradients.beta {
            let rollouts = try invocation.object(RolloutsObject.self, "rollouts").rollouts
            gradients = try self.gradients(
                rollouts, score: gradients.score, beta: beta, invocation
            ).0
        }
        var update = try invocation.plan(for: model).train.update
        try invocation.apply(to: &update)
        var state = OptimizerState()
        // The key `optimizer` names a rule, so the object is asked of the workspace directly.
        if let kept = try invocation.session.value(of: "optimizer")?.object(OptimizerObject.self),
            kept.rule == update.optimizer.rule, kept.configuration == model.model.configuration
        {
            state = kept.state
        }
        var weights = model.model
        let report: Update.Report
        do {
            report = try update.apply(
                gradients.parameters, to: &weights, state: &state, cancel: invocation.cancel)
        } catch AlignmentError.weightsNotFinite(let tensor, let count, let rate) {
            throw invocation.located(
                AlignmentError.weightsNotFinite(tensor: tensor, count: count, learningRate: rate),
                at: "learning_rate")
        }
        model = model.with(weights, origin: "\(model.origin), trained")
        let optimizer = OptimizerObject(
            state: state, rule: update.optimizer.rule, configuration: weights.configuration)
        var text = StyledText("model changed: ", .heading)
        text.append(
            "\(update.optimizer.rule.rawValue) step \(state.steps), learning rate "
                + "\(NumberText.significant(report.learningRate, digits: 3)), gradient norm "
                + NumberText.significant(report.gradientNorm, digits: 4)
                + (report.clipFactor < 1
                    ? ", clipped by \(NumberText.significant(report.clipFactor, digits: 3))" : ""))
        var result = CommandResult()
        result.bindings = [("model", .object(model)), ("optimizer", .object(optimizer))]
        result.text = text
        return result
    }
}

extension PrincipleParser.Rejection {
    /// For a sentence that counts them.
    var words: String {
        switch self {
        case .noPairs: "without a pair"
        case .unpaired: "without an antithesis"
        case .unfinished: "unfinished"
        case .malformed: "malformed"
        case .opposesItself: "the same as their antithesis"
        case .duplicate: "twice"
        }
    }
}
