import Alignment
import CommandLanguage
import Tensors
import Tokenizers
import Transformers
import Workspaces
import Worlds

extension CommandTable {
    /// Runs the plan that the command describes, from the base or from where it stopped.
    static func iterate(_ invocation: Invocation) throws -> CommandResult {
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
            try invocation.resumed.map { try IterationStorage.restored($0, base: base.model) }
            ?? IterationState(base: base.model)
        let follower = invocation.follower("iterate")
        defer { follower.finish() }
        var keeper = CheckpointKeeper(invocation, plan.iterations)
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
                    let complaint = invocation.complaint(
                        Complaint.interrupted("stopped before the first step; nothing has changed"))
                    throw StoppedEarly(
                        complaint: complaint,
                        work: state.rollouts == nil ? .beginning : try stopped(state, plan))
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
        if isStopped { result.stopped = try stopped(state, plan) }
        return result
    }

    private static func stopped(
        _ state: IterationState, _ plan: IterationPlan
    ) throws -> StoppedWork {
        StoppedWork(
            progress: state.progress(of: plan.iterations), kind: "iteration",
            state: try IterationStorage.stored(state))
    }
}

extension IterationState {
    /// How far it is, in words.
    fileprivate func progress(of iterations: Int) -> String {
        "iteration \(min(iteration, iterations)) of \(iterations)"
            + (iteration > iterations ? ", done" : "")
            + (steps.isEmpty ? "" : ", step \(steps.count) of \(steps[0].steps)")
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
    private let iterations: Int
    private var clock = CheckpointClock()

    init(_ invocation: Invocation, _ iterations: Int) {
        self.invocation = invocation
        self.iterations = iterations
    }

    mutating func note(_ event: IterationEvent, _ state: IterationState) throws {
        switch event {
        case .finished: break
        case .rolledOut, .trained: guard clock.isDue() else { return }
        }
        try invocation.keepCheckpoint("iteration", state.progress(of: iterations)) {
            try IterationStorage.stored(state)
        }
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
            record["train"] = try TrainingStorage.stored(train)
        }
        return .record(record)
    }

    static func restored(_ value: StoredValue, base: LanguageModel) throws -> IterationState {
        guard let iteration = value["iteration"]?.integerValue, iteration >= 1,
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
            state.train = try TrainingStorage.restoredState(train, base)
        }
        return state
    }
}
