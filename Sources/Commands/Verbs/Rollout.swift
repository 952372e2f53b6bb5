import Alignment
import CommandLanguage
import ShippedWorld
import Tensors
import Values

extension CommandTable {
    static let rolloutCommand = Command(
        "rollout", .method, "samples a response for every query and constitution",
        about: """
            Responses that are empty, unfinished, malformed or the same under two constitutions \
            leave their query out; every reason is counted and reported. Queries too long for the \
            context are skipped by id, or refused with overflow=error.
            """,
        makes: ["rollouts"],
        operands: [.optional("queries", .object("queries"), "in place of `queries`")],
        options: MethodKey.sampling + [
            OptionSpecification("samples", .number, "responses a constitution; default: 1"),
            OptionSpecification(
                "constitutions", .object("constitutions"), "in place of `constitutions`"),
            OptionSpecification(
                "engine", .value, "a model or a server that responds in place of `model`"),
            MethodKey.preset, MethodKey.overflow, MethodKey.unfinished, MethodKey.model,
            MethodKey.seed,
        ],
        example: "rollout queries[0:2] temperature=0.7", run: rollout)

    private static func rollout(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.model()
        let text = try invocation.textModel(model)
        let queries = try invocation.object(QueriesObject.self, "queries").queries
        let engine = try invocation.voice("engine")
        let key = try engine?.key ?? invocation.randomKey()
        let groups = try constitutionGroups(for: queries, key.child("compose"), invocation)
        var settings = try invocation.plan(for: model).rollout
        try invocation.apply(to: &settings)
        let follower = invocation.follower()
        defer { follower.finish() }
        var state = try invocation.resumed.map(SamplingStorage.restored)
        var clock = CheckpointClock()
        let rollouts = try RolloutSampler(
            settings, isMalformed: engine == nil ? model.isMalformed : engine?.model?.isMalformed
        ).sample(
            queries, groups, with: text, voice: engine?.voice, key: key,
            memory: invocation.session.settings.memoryPlan, from: state,
            progress: follower.follow,
            observe: { portion in
                state = portion
                try clock.writeIfDue {
                    try invocation.keepCheckpoint(
                        "sampling", "query \(portion.next) of \(groups.count)"
                    ) { try SamplingStorage.stored(portion) }
                }
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
                        "stopped before a query was done; "
                            + (engine?.keptSentence ?? "nothing has changed"))),
                work: stopped)
        }
        let object = RolloutsObject(rollouts: rollouts)
        var notes = try notes(on: object, invocation) + (engine?.notes ?? [])
        if rollouts.isStopped {
            notes.append(
                "stopped after \(rollouts.groups.count) of \(groups.count) queries, which are kept")
        }
        var result = CommandResult("rollouts", object, notes: notes)
        result.stopped = stopped
        return result
    }

    /// A note about rejected queries. It is an error if all queries are rejected.
    static func notes(on object: RolloutsObject, _ invocation: Invocation) throws -> [String] {
        let notes = [object.rejectionNote, object.retokenizationNote].compactMap(\.self)
        guard object.rollouts.groups.isEmpty else { return notes }
        let sample = object.rollouts.rejected.first { $0.constitution != nil }
        throw invocation.error(
            "no query is left to score" + (notes.first.map { ": \($0)" } ?? ""),
            suggestion: sample.map { "one response was " + Value.text($0.text).summary })
    }

    /// The constitutions of these queries, which may be a part of the queries they were composed
    /// for.
    static func constitutionGroups(
        for queries: [Query], _ key: RandomKey, _ invocation: Invocation
    ) throws -> [ConstitutionGroup] {
        let object = try invocation.object(ConstitutionsObject.self, "constitutions")
        switch object.content {
        case .sources(let sources):
            return try Composer().compose(queries, from: sources, key: key)
        case .groups(let groups):
            let byQuery = Dictionary(groups.map { ($0.query, $0) }, uniquingKeysWith: { a, _ in a })
            return try queries.map { query in
                guard let group = byQuery[query.id] else {
                    throw invocation.error(
                        "query \(query.id) is not among those that constitutions were composed for",
                        suggestion: "compose queries=…")
                }
                return group
            }
        }
    }
}

extension ModelObject {
    /// The grammar of the shipped world, for models that write in it. Responses of other models to
    /// the world's queries are free text.
    var isMalformed: (@Sendable (String, Alignment.Query) -> Bool)? {
        prompts == .tiny ? WorldMeasure.isMalformed : nil
    }
}
