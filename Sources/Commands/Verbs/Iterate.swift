import Alignment
import CommandLanguage
import LongWork
import Rendering
import ShippedWorld
import TextModels
import Transformers
import Values

extension CommandTable {
    static let iterateCommand = Command(
        "iterate", .method, "iterations of compose, roll out and train",
        about: """
            Iteration t samples with the model of iteration t-1 on new queries and trains from \
            the base again, or from the previous model. Queries come from `on`, else from the \
            shipped world for its own model, else from `queries`. If `model` has adapters, \
            adapters like them train in place of the weights. Ctrl-C stops after the present \
            step: `model` is then the one of the last complete iteration, or of the last step if \
            no iteration is complete.
            """,
        makes: ["model", "log"],
        operands: [.optional("iterations", .number, "how many; default: 3, 2 for adapters")],
        options: [
            MethodKey.preset,
            OptionSpecification(
                "from",
                .words([
                    Choice("base", "train from the base again"),
                    Choice("previous", "continue with the last model"),
                ]), "the start of each iteration"),
            OptionSpecification(
                "queries", .number,
                "new queries each iteration; default: 400 for tiny, 72 for adapters, 2,000 for paper; "
                    + "fewer of a list"
            ),
            OptionSpecification("on", .object("queries"), "queries to use in order"),
            OptionSpecification(
                "adapters", .flag, "train adapters like those of `model`; default: if it has any"),
            OptionSpecification("principles", .object("principles"), "in place of `principles`"),
            OptionSpecification("count", .number, "C, constitutions a query; default: 2"),
            OptionSpecification("samples", .number, "responses a constitution; default: 1"),
        ] + MethodKey.compose + MethodKey.sampling + MethodKey.training + MethodKey.update
            + MethodKey.planScore + [
                MethodKey.overflow, MethodKey.unfinished, MethodKey.base, MethodKey.seed,
            ],
        example: "iterate 1 queries=8 steps=1 accumulate=4", run: iterate)

    /// Runs the plan that the command describes, from the base or from a saved state.
    private static func iterate(_ invocation: Invocation) throws -> CommandResult {
        let base = try invocation.object(ModelObject.self, "base")
        let text = try invocation.textModel(base)
        let adapter = try invocation.adapter(of: base)
        var plan = try invocation.plan(for: base, trainsAdapters: adapter != nil)
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
        plan.adapter = adapter
        let supply = try invocation.supply(base, sources, &plan)
        let key = try invocation.randomKey()
        let first = try plan.start(base.model, key: key)

        let iteration = Iteration(
            plan, sources: sources, isMalformed: base.isMalformed,
            memory: invocation.session.settings.memoryPlan)
        let start =
            try invocation.resumed.map { try IterationStorage.restored($0, base: first) }
            ?? IterationState(base: first)
        let records = start.log.flatMap(\.steps) + start.steps
        let follower = invocation.follower("iterate", losses: records.map(\.loss))
        defer { follower.finish() }
        func number(_ state: IterationState) -> WorkProgress.Step {
            WorkProgress.Step(min(state.iteration, plan.iterations), of: plan.iterations)
        }
        follower.iteration = number(start)
        var keeper = CheckpointKeeper(invocation, plan.iterations)
        let result: (state: IterationState, isStopped: Bool)
        do {
            result = try iteration.run(
                base: text, from: start, key: key,
                queries: supply.queries, progress: follower.follow
            ) { event, state in
                if case .trained(let record) = event {
                    follower.losses.append(record.loss)
                    invocation.report(
                        step: LogObject.row(record, iteration: state.iteration))
                }
                follower.iteration = number(state)
                try keeper.note(event, state)
                return invocation.cancel()
            }
        } catch AlignmentError.weightsNotFinite(let tensor, let count, let rate) {
            throw invocation.located(
                AlignmentError.weightsNotFinite(tensor: tensor, count: count, learningRate: rate),
                at: "learning_rate")
        }
        return try finish(result.state, result.isStopped, plan, base, invocation)
    }

    private static func finish(
        _ state: IterationState, _ isStopped: Bool, _ plan: IterationPlan, _ base: ModelObject,
        _ invocation: Invocation
    ) throws -> CommandResult {
        var rows: [Record] = []
        var remarks: [String] = []
        for record in state.log {
            rows += record.steps.map { LogObject.row($0, iteration: record.iteration) }
            var remark =
                "iteration \(record.iteration): \(record.kept) of \(record.rolledOut) queries kept"
            let counts = RolloutRejection.allCases.compactMap { reason -> String? in
                let count = record.rejected.count { $0.reason == reason }
                return count == 0 ? nil : "\(count) \(reason.words)"
            }
            if !counts.isEmpty { remark += " (" + counts.joined(separator: ", ") + ")" }
            if let last = record.steps.last {
                remark += ", loss \(NumberText.fixed(last.loss, decimals: 4)) at the end"
            }
            remarks.append(remark)
        }
        rows += state.steps.map { LogObject.row($0, iteration: state.iteration) }
        var notes: [String] = []
        var weights = state.policy
        var done = "after \(NumberText.count(state.log.count, "iteration"))"
        if isStopped {
            if state.log.isEmpty {
                guard let model = state.model, !state.steps.isEmpty else {
                    let error = invocation.located(
                        EvaluationError.interrupted(
                            "stopped before the first step; nothing has changed"))
                    throw StoppedEarly(
                        error: error,
                        work: state.rollouts == nil ? .beginning : try stopped(state, plan))
                }
                weights = model
                done = "after step \(state.steps.count) of iteration 1"
                notes.append("stopped in iteration 1; `model` is the model after its last step")
            } else {
                notes.append(
                    "stopped in iteration \(state.iteration) of \(plan.iterations); `model` is "
                        + "that of iteration \(state.iteration - 1)")
            }
        }
        let log = LogObject(title: "iterate", rows: rows, remarks: remarks)
        var result = CommandResult()
        result.bindings = [
            ("model", .object(base.with(weights, origin: "\(base.origin), \(done)"))),
            ("log", .object(log)),
        ]
        var text = StyledText("\(invocation.target?.name ?? "model") changed: ", .heading)
        text.append(done)
        if let words = weights.adapterWords { text.line("adapters: \(words)", .faint) }
        for remark in remarks { text.line(remark) }
        result.displays = [Display(text)]
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
    /// The progress in words.
    fileprivate func progress(of iterations: Int) -> String {
        "iteration \(min(iteration, iterations)) of \(iterations)"
            + (iteration > iterations ? ", done" : "")
            + (steps.isEmpty ? "" : ", step \(steps.count) of \(steps[0].steps)")
    }
}

extension Invocation {
    /// The adapters that iterations train: those of the workspace's `model`, unless the user
    /// decides otherwise. A base that has adapters trains these.
    fileprivate func adapter(of base: ModelObject) throws -> AdapterConfiguration? {
        let wanted = try flag("adapters")
        guard wanted != false, base.model.configuration.adapter == nil else { return nil }
        let adapter = try objectIfBound(ModelObject.self, "model")?.model.configuration.adapter
        if wanted == true, adapter == nil {
            throw error("`model` has no adapters", suggestion: "adapt rank=16", at: "adapters")
        }
        return adapter
    }

    /// The source of the iterations' queries, and the number of queries for each; the plan records
    /// both.
    fileprivate func supply(
        _ base: ModelObject, _ sources: [ConstitutionSource], _ plan: inout IterationPlan
    ) throws -> QuerySupply {
        var own: [Alignment.Query]?
        let asked = try integer("queries", atLeast: 1, atMost: 1_000_000)
        // The key `queries` is a number here, so the value comes directly from the session.
        if has("on") {
            own = try object(QueriesObject.self, "on").queries
        } else if base.prompts != .tiny {
            own = try workspaceObject(QueriesObject.self, "queries").queries
        }
        guard let own else {
            if let asked { plan.queries = asked }
            // Another session seed gives other queries of the endless supply.
            return .world(
                seed: session.seed, kinds: QuerySupply.kinds(fitting: sources),
                count: plan.queries)
        }
        let fair = own.count / plan.iterations
        guard fair > 0 else {
            throw error(
                "\(NumberText.count(own.count, "query", "queries")) cannot be divided among "
                    + NumberText.count(plan.iterations, "iteration"))
        }
        plan.queries = asked ?? min(plan.queries, fair)
        guard plan.queries * plan.iterations <= own.count else {
            throw error(
                "\(plan.iterations) iterations of \(plan.queries) queries need "
                    + "\(plan.iterations * plan.queries), and there are \(own.count)",
                suggestion: "queries=\(fair)", at: "queries")
        }
        return .list(own, count: plan.queries)
    }
}

/// Writes checkpoints of a run of iterations, so that a kill loses little.
private struct CheckpointKeeper {
    private let invocation: Invocation
    private let iterations: Int
    private var clock = CheckpointClock()

    init(_ invocation: Invocation, _ iterations: Int) {
        self.invocation = invocation
        self.iterations = iterations
    }

    mutating func note(_ event: IterationEvent, _ state: IterationState) throws {
        let (invocation, iterations) = (invocation, iterations)
        func write() throws {
            try invocation.keepCheckpoint("iteration", state.progress(of: iterations)) {
                try IterationStorage.stored(state)
            }
        }
        switch event {
        case .finished: try clock.writeIfAffordable(write)
        case .rolledOut, .trained: try clock.writeIfDue(write)
        }
    }
}
