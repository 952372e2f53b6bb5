import Alignment
import CommandLanguage
import Tensors
import Tokenizers
import Transformers
import Workspaces
import Worlds

extension CommandTable {
    static func iterate(_ invocation: Invocation) throws -> CommandResult {
        try runIterations(invocation, from: nil)
    }

    /// Runs the plan that the command describes from a state, or from the base.
    static func runIterations(
        _ invocation: Invocation, from stored: StoredValue?
    ) throws -> CommandResult {
        let base = try invocation.noun(ModelNoun.self, "base")
        let tokenizer = try invocation.tokenizer(of: base)
        var plan = try invocation.plan(for: base)
        if let value = try invocation.integer("iterations", atLeast: 1, atMost: 1000) {
            plan.iterations = value
        }
        if let value = try invocation.word("from", IterationPlan.Start.self) { plan.from = value }
        if let value = try invocation.integer("count", atLeast: 2, atMost: Composer.largestCount) {
            plan.compose.count = value
        }
        try invocation.apply(to: &plan.compose)
        try invocation.apply(to: &plan.rollout)
        try invocation.apply(to: &plan.train)
        if invocation.has("epochs") || invocation.has("steps") { plan.epochs = [] }
        let sources = try sources(invocation, role: "principles")
        if case .pairs(let pairs)? = sources.first, let wanted = plan.compose.principles,
            !invocation.has("principles_each")
        {
            plan.compose.principles = min(wanted, pairs.count)
        }
        let deal = try QueryDeal(invocation, base, sources, &plan)

        let iteration = Iteration(
            plan, prompts: base.prompts, sources: sources, isMalformed: WorldMeasure.isMalformed,
            memory: invocation.session.settings.memoryPlan)
        let start =
            try stored.map { try IterationStorage.restored($0, base: base.model) }
            ?? IterationState(base: base.model)
        let follower = invocation.follower("iterate")
        defer { follower.finish() }
        var keeper = CheckpointKeeper(invocation)
        let result: (state: IterationState, isStopped: Bool)
        do {
            result = try iteration.run(
                base: base.model, tokenizer: tokenizer, from: start,
                key: try invocation.randomKey(), queries: deal.queries, progress: follower.follow
            ) { event, state in
                try keeper.note(event, state)
                return invocation.isInterrupted ? .stop : .more
            }
        } catch AlignmentError.weightsNotFinite(let tensor, let count, let rate) {
            throw invocation.complaint(
                AlignmentError.weightsNotFinite(tensor: tensor, count: count, learningRate: rate),
                at: "learning_rate")
        }
        return try finish(result.state, result.isStopped, plan, base, invocation)
    }

    private static func finish(
        _ state: IterationState, _ isStopped: Bool, _ plan: IterationPlan, _ base: ModelNoun,
        _ invocation: Invocation
    ) throws -> CommandResult {
        var rows: [Record] = []
        var remarks: [String] = []
        for record in state.log {
            rows += record.steps.map { LogNoun.row($0, iteration: record.iteration) }
            var remark =
                "iteration \(record.iteration): \(record.kept) of \(record.asked) queries kept"
            let counts = RolloutRejection.allCases.compactMap { reason -> String? in
                let count = record.rejected.count { $0.reason == reason }
                return count == 0 ? nil : "\(count) \(reason.words)"
            }
            if !counts.isEmpty { remark += " (" + counts.joined(separator: ", ") + ")" }
            if let last = record.steps.last {
                remark += ", loss \(NumberText.fixed(last.contrast.loss, decimals: 4)) at the end"
            }
            remarks.append(remark)
        }
        rows += state.steps.map { LogNoun.row($0, iteration: state.iteration) }
        var notes: [String] = []
        var weights = state.policy
        var done = "after \(NumberText.count(state.log.count, "iteration"))"
        if isStopped {
            if state.log.isEmpty {
                guard let model = state.model, !state.steps.isEmpty else {
                    throw invocation.complaint(
                        Complaint.interrupted("stopped before the first step; nothing has changed"))
                }
                weights = model
                done = "after step \(state.steps.count) of iteration 1"
                notes.append("stopped in iteration 1; `model` is what it was after its last step")
            } else {
                notes.append(
                    "stopped in iteration \(state.iteration) of \(plan.iterations); `model` is "
                        + "that of iteration \(state.iteration - 1)")
            }
        }
        let log = LogNoun(title: "iterate", rows: rows, remarks: remarks)
        var result = CommandResult()
        result.bindings = [
            ("model", .noun(base.with(weights, origin: "\(base.origin), \(done)"))),
            ("log", .noun(log)),
        ]
        var text = StyledText("model changed: ", .heading)
        text.append(done)
        for remark in remarks { text.line(remark) }
        result.text = text
        result.notes = notes
        return result
    }
}

/// Gives each iteration queries that no iteration has seen.
private struct QueryDeal {
    private var own: [Alignment.Query]?
    private let count: Int
    private let seed: UInt64
    /// Two posts for each question, as in the world's documents, where the principles fit both.
    private let kinds: [QueryKind]

    init(
        _ invocation: Invocation, _ base: ModelNoun, _ sources: [ConstitutionSource],
        _ plan: inout IterationPlan
    ) throws {
        kinds = QueryDeal.kinds(fitting: sources)
        let asked = try invocation.integer("queries", atLeast: 1, atMost: 1_000_000)
        // The key `queries` is a number here, so the noun is asked of the workspace directly.
        if invocation.has("on") {
            own = try invocation.noun(QueriesNoun.self, "on").queries
        } else if base.prompts != .tiny {
            guard let noun = try invocation.session.value(of: "queries")?.noun(QueriesNoun.self)
            else {
                throw invocation.complaint(
                    Complaint.missingNoun("queries", verb: "iterate", maker: "load queries PATH"))
            }
            own = noun.queries
        }
        if let own {
            let fair = own.count / plan.iterations
            guard fair > 0 else {
                throw invocation.fail(
                    "\(NumberText.count(own.count, "query", "queries")) cannot be dealt out to "
                        + NumberText.count(plan.iterations, "iteration"))
            }
            plan.queries = asked ?? min(plan.queries, fair)
            guard plan.queries * plan.iterations <= own.count else {
                throw invocation.fail(
                    "\(plan.iterations) iterations of \(plan.queries) queries need "
                        + "\(plan.iterations * plan.queries), and there are \(own.count)",
                    suggestion: "queries=\(fair)", at: "queries")
            }
        } else if let asked {
            plan.queries = asked
        }
        count = plan.queries
        // Another session seed meets other queries of the endless supply.
        seed = invocation.session.seed
    }

    func queries(_ iteration: Int) -> [Alignment.Query] {
        let first = (iteration - 1) * count
        if let own { return Array(own.dropFirst(first).prefix(count)) }
        // 1,000,000 on, so that they are not the ones that `load queries` starts with.
        return (first..<first + count).map { index in
            Alignment.Query(
                World.everyday.query(
                    kind: kinds[index % kinds.count], split: .train, index: 1_000_000 + index,
                    seed: seed))
        }
    }

    private static func kinds(fitting sources: [ConstitutionSource]) -> [QueryKind] {
        var forms: Set<QueryForm> = []
        for case .pairs(let pairs) in sources {
            for pair in pairs { forms.formUnion(pair.form.map { [$0] } ?? QueryForm.allCases) }
        }
        let kinds = [QueryKind.summary, .summary, .answer].filter {
            forms.contains($0 == .answer ? .question : .post)
        }
        return kinds.isEmpty ? [.summary, .summary, .answer] : kinds
    }
}

/// Writes checkpoints of a run of iterations, so that a killed process loses little.
private struct CheckpointKeeper {
    private let invocation: Invocation
    private var last = ContinuousClock.now

    init(_ invocation: Invocation) { self.invocation = invocation }

    mutating func note(_ event: IterationEvent, _ state: IterationState) throws {
        switch event {
        case .finished: break
        case .rolledOut, .trained:
            // Writing weights takes a moment; half a minute of work is what a kill may cost.
            guard (ContinuousClock.now - last).seconds > 30 else { return }
        }
        last = ContinuousClock.now
        try invocation.keepCheckpoint("iteration") { try IterationStorage.stored(state) }
    }
}

/// The state of a run of iterations in a workspace.
enum IterationStorage {
    static func stored(_ state: IterationState) throws -> StoredValue {
        var record = StoredRecord([
            ("iteration", .number(Double(state.iteration))),
            ("steps", try CodableStorage.stored(state.steps)),
            ("log", try CodableStorage.stored(state.log)),
            ("policy", try state.policy.parameters.stored()),
            ("model", try state.model?.parameters.stored() ?? .null),
            ("rollouts", try state.rollouts.map { try CodableStorage.stored($0) } ?? .null),
        ])
        if let train = state.train {
            record["train"] = .record(
                StoredRecord([
                    ("step", .number(Double(train.step))),
                    ("optimizer_steps", .number(Double(train.optimizer.steps))),
                    ("means", try train.optimizer.means?.stored() ?? .null),
                    ("squares", try train.optimizer.squares?.stored() ?? .null),
                ]))
        }
        return .record(record)
    }

    static func restored(_ value: StoredValue, base: LanguageModel) throws -> IterationState {
        guard let iteration = value["iteration"]?.integerValue,
            let policy = try base.with(stored: value["policy"]), let steps = value["steps"],
            let log = value["log"]
        else { throw StorageError(kind: "checkpoint", problem: "a part of it is missing") }
        var state = IterationState(base: policy)
        state.iteration = iteration
        state.model = try base.with(stored: value["model"])
        state.steps = try CodableStorage.restored(
            [TrainRecord].self, from: steps, kind: "checkpoint")
        state.log = try CodableStorage.restored(
            [IterationRecord].self, from: log, kind: "checkpoint")
        if let rollouts = value["rollouts"], rollouts != .null {
            state.rollouts = try CodableStorage.restored(
                Rollouts.self, from: rollouts, kind: "checkpoint")
        }
        if let train = value["train"] {
            var optimizer = OptimizerState()
            optimizer.steps = train["optimizer_steps"]?.integerValue ?? 0
            optimizer.means = try base.with(stored: train["means"])?.parameters
            optimizer.squares = try base.with(stored: train["squares"])?.parameters
            state.train = TrainState(
                step: train["step"]?.integerValue ?? 0, optimizer: optimizer)
        }
        return state
    }
}
