import Alignment
import CommandLanguage
import Servers
import Tensors
import TextModels
import Values

/// The pairs of responses that `judge` compares: new ones, or those of verdicts.
struct JudgedPairs {
    /// The names of the two sides: "model", "base".
    let first: String
    let second: String
    /// Those that the responses answer.
    let queries: [Alignment.Query]
    /// The sentences of all constitutions.
    let principles: [String]
    /// Who wrote them, as far as it is known.
    let writers: [Writer]

    /// A side by the name that a person gave it, with its model or its servers.
    struct Writer {
        var name: String
        var model: ModelObject?
        var servers: [Server] = []
    }

    private enum Source {
        case kept([ResponsePair])
        case new(PairSampler, [ConstitutionGroup], [PairSampler.Side], RandomKey)
    }

    private let source: Source

    /// Whether the responses are new, so that they are nowhere else yet.
    var isSampled: Bool { if case .new = source { true } else { false } }

    /// The other side, if it is sampled.
    private let other: NamedVoice?

    /// Sentences about a server's part, once the pairs are there.
    var notes: [String] { other?.notes ?? [] }

    /// The responses of verdicts, for another judge.
    ///
    /// - Throws: at a key that only new responses have.
    init(of verdicts: VerdictsObject, _ invocation: Invocation) throws {
        let others = ["against", "constitutions", "model", "preset", "overflow"]
        let keys = others + (MethodKey.judgeCompose + MethodKey.sampling).map(\.key)
        for key in keys where invocation.has(key) {
            throw invocation.error(
                "`\(key)` is for new responses, and pairs= takes those of the verdicts", at: key)
        }
        (first, second) = (verdicts.first, verdicts.second)
        let pairs = verdicts.verdicts.comparisons.map(\.pair)
        let own = pairs.compactMap(\.query)
        if own.count == pairs.count {
            if invocation.has("queries") {
                throw invocation.error(
                    "`queries` is for new responses, and the verdicts of pairs= have theirs",
                    at: "queries")
            }
            // The names in the workspace may mean other texts by now.
            var ids: Set<QueryID> = []
            queries = own.filter { ids.insert($0.id).inserted }
        } else {
            queries = try invocation.object(QueriesObject.self, "queries").queries
        }
        principles = pairs.flatMap(\.constitution.slots).map(\.text)
        // Which weights wrote them is not known any more, but a server's name is.
        writers = [Writer(name: first), Writer(name: second)]
        source = .kept(pairs)
        other = nil
    }

    /// New responses of `model` and of the other side.
    init(sampling invocation: Invocation) throws {
        queries = try invocation.object(QueriesObject.self, "queries").queries
        let model = try invocation.model()
        let otherRole = invocation.has("against") ? "against" : "base"
        let other =
            try invocation.voice("against")
            ?? invocation.voice(try invocation.object(ModelObject.self, "base"), name: "base")
        // Each side reads and writes through a tokenizer and prompts of its own.
        let text = try invocation.textModel(model)
        let sides = [
            PairSampler.Side(text),
            try other.model.map { PairSampler.Side(try invocation.textModel($0)) }
                ?? PairSampler.Side(text, voice: other.voice),
        ]
        let plan = try invocation.plan(for: model)
        // A server's answers are kept for the next statement, so the other side draws alike.
        let key = try other.servers.isEmpty ? invocation.randomKey() : other.key
        let groups = try JudgedPairs.groups(queries, plan, key, invocation)
        var settings = plan.rollout
        try invocation.apply(to: &settings)
        first = invocation.written("model") ?? "model"
        second = invocation.written(otherRole) ?? otherRole
        principles = groups.flatMap(\.constitutions).flatMap(\.slots).map(\.text)
        writers = [
            Writer(name: first, model: model),
            Writer(
                name: other.voice.name, model: other.model,
                servers: other.servers.map(\.engine.server)),
        ]
        source = .new(PairSampler(settings), groups, sides, key.child("pairs"))
        self.other = other
    }

    private static func groups(
        _ queries: [Alignment.Query], _ plan: IterationPlan, _ key: RandomKey,
        _ invocation: Invocation
    ) throws -> [ConstitutionGroup] {
        if invocation.has("constitutions") {
            let object = try invocation.object(ConstitutionsObject.self, "constitutions")
            return object.groups != nil
                ? try CommandTable.constitutionGroups(for: queries, key, invocation)
                : try Composer(count: 1, polarity: .positive).compose(
                    queries, from: try CommandTable.sources(invocation, role: "constitutions"),
                    key: key.child("compose"))
        }
        var composer = Composer(
            count: 1, principles: plan.compose.principles,
            polarity: plan.compose.polarity == .positive ? .positive : .distinct)
        try invocation.apply(to: &composer)
        let sources = try CommandTable.sources(invocation, role: "principles")
        // A constitution cannot have more principles than there are pairs. Asking for more would
        // stop a judge that can work with fewer.
        if case .pairs(let pairs)? = sources.first, let wanted = composer.principles,
            !invocation.has("principles_each")
        {
            composer.principles = min(wanted, pairs.count)
        }
        return try composer.compose(queries, from: sources, key: key.child("compose"))
    }

    /// The pairs, and the queries that do not fit the context of both models.
    func pairs(
        _ follower: ProgressFollower, _ invocation: Invocation
    ) throws -> (pairs: [ResponsePair], skipped: [Rollouts.Rejected]) {
        switch source {
        case .kept(let pairs): return (pairs, [])
        case .new(let sampler, let groups, let sides, let key):
            return try sampledPairs(sampler, groups, sides, key, follower, invocation)
        }
    }

    /// The pairs for a judge, sampled from the start or from a saved state.
    private func sampledPairs(
        _ sampler: PairSampler, _ groups: [ConstitutionGroup], _ sides: [PairSampler.Side],
        _ key: RandomKey, _ follower: ProgressFollower, _ invocation: Invocation
    ) throws -> (pairs: [ResponsePair], skipped: [Rollouts.Rejected]) {
        let total = groups.reduce(0) { $0 + $1.constitutions.count }
        var sampled = try invocation.resumed.map(SamplingStorage.restoredPairs) ?? []
        var clock = CheckpointClock()
        do {
            return try sampler.pairs(
                queries, groups, first: sides[0], second: sides[1], key: key,
                memory: invocation.session.settings.memoryPlan, from: sampled,
                progress: follower.follow,
                observe: { pairs in
                    sampled = pairs
                    try clock.writeIfDue {
                        try invocation.keepCheckpoint(
                            "judging", "\(pairs.count) of \(total) pairs"
                        ) { try SamplingStorage.stored(pairs) }
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
