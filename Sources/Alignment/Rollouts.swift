import TextModels

/// Text, or token ids where there is no tokenizer (as in reference values).
///
/// Texts are equal where their bytes are: a tokenizer may tell apart what looks the same.
public enum Passage: Sendable, Codable, Hashable {
    case text(String)
    case tokens([Int32])

    public static func == (left: Passage, right: Passage) -> Bool {
        switch (left, right) {
        case (.text(let one), .text(let other)): one.utf8.elementsEqual(other.utf8)
        case (.tokens(let one), .tokens(let other)): one == other
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .text(let text): for byte in text.utf8 { hasher.combine(byte) }
        case .tokens(let tokens): hasher.combine(tokens)
        }
    }

    public var isEmpty: Bool {
        switch self {
        case .text(let text): text.isEmpty
        case .tokens(let tokens): tokens.isEmpty
        }
    }
}

/// One response `y ~ π(· given c, x)` and where it came from.
public struct Response: Sendable, Codable, Hashable {
    /// It follows the prompt and the joint.
    public var passage: Passage
    /// Which constitution of its group produced it.
    public var constitution: Int
    /// Which of that constitution's k responses it is.
    public var sample: Int
    /// The number of tokens sampled for it, without the end-of-sequence token; 0 when it was
    /// loaded.
    public var sampledTokens: Int
    /// The sampled ids; nil when it was loaded, and in workspaces of versions that kept text alone.
    public var sampled: [Int32]?
    /// Whether prompt and text, encoded together, give other ids than were sampled: scores are then
    /// those of a sequence that the model did not choose.
    public var isRetokenized: Bool

    public init(
        passage: Passage, constitution: Int, sample: Int, sampled: [Int32]? = nil,
        isRetokenized: Bool = false
    ) {
        self.passage = passage
        self.constitution = constitution
        self.sample = sample
        self.sampled = sampled
        self.isRetokenized = isRetokenized
        sampledTokens = sampled?.count ?? 0
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        passage = try fields.decode(Passage.self, forKey: .passage)
        constitution = try fields.decode(Int.self, forKey: .constitution)
        sample = try fields.decode(Int.self, forKey: .sample)
        sampledTokens = try fields.decode(Int.self, forKey: .sampledTokens)
        sampled = try fields.decodeIfPresent([Int32].self, forKey: .sampled)
        isRetokenized = try fields.decodeIfPresent(Bool.self, forKey: .isRetokenized) ?? false
    }

    /// The response as text, where it is one.
    public var text: String? {
        if case .text(let text) = passage { text } else { nil }
    }
}

/// The responses of one query under its C constitutions: what a contrast is made of.
///
/// Responses stand in columns: the m-th response of constitution `c` is number `m·C + c`, so that
/// columns `m·C ..< (m+1)·C` are the m-th C×C grid.
public struct RolloutGroup: Sendable, Codable, Hashable {
    /// The query's.
    public var id: QueryID
    /// As the rollout prompt showed them; empty where only prompts are known.
    public var constitutions: [Constitution]
    /// Training prompts, one a constitution.
    public var prompts: [Passage]
    /// Stands between a text prompt and a text response.
    public var joint: String
    /// R = k·C responses.
    public var responses: [Response]

    public init(
        id: QueryID, constitutions: [Constitution] = [],
        prompts: [Passage], joint: String = "", responses: [Response]
    ) {
        self.id = id
        self.constitutions = constitutions
        self.prompts = prompts
        self.joint = joint
        self.responses = responses
    }

    /// k, responses a constitution.
    public var samples: Int { prompts.isEmpty ? 0 : responses.count / prompts.count }
}

/// Why the responses of a query are not used. One bad response rejects the whole query: a grid with
/// a hole has no diagonal.
public enum RolloutRejection: String, Sendable, Codable, CaseIterable {
    /// The prompt and the longest response do not fit the model's context.
    case overflow
    /// Nothing but blanks.
    case empty
    /// Stopped by the limit of tokens, not by the model.
    case unfinished
    /// It holds U+FFFD or control characters, repeats a label of the prompt, or fails the caller's
    /// own check.
    case malformed
    /// The same text under two constitutions: which of them asked for it has no answer.
    case identical
    /// No response was given for one of its constitutions.
    case missing
}

/// How rollouts are sampled.
public struct RolloutSettings: Sendable, Codable, Hashable {
    /// `maxTokens` is the longest response.
    public var sampling = Sampling()
    /// k, responses a constitution.
    public var samples = 1
    /// Whether a query that does not fit the context stops the command or is skipped and counted.
    public var overflow = OverflowRule.skip
    /// Whether a response cut by `maxTokens` rejects its query.
    public var requiresEnd = true

    public enum OverflowRule: String, Sendable, Codable, CaseIterable { case skip, error }

    public init() {}
}

/// One flat record, as older workspaces hold it.
extension RolloutSettings {
    private enum CodingKeys: String, CodingKey { case samples, overflow, requiresEnd }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        sampling = try Sampling(from: decoder)
        samples = try fields.decode(Int.self, forKey: .samples)
        overflow = try fields.decode(OverflowRule.self, forKey: .overflow)
        requiresEnd = try fields.decode(Bool.self, forKey: .requiresEnd)
    }

    public func encode(to encoder: any Encoder) throws {
        try sampling.encode(to: encoder)
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(samples, forKey: .samples)
        try fields.encode(overflow, forKey: .overflow)
        try fields.encode(requiresEnd, forKey: .requiresEnd)
    }
}

/// Everything one rollout command produced.
public struct Rollouts: Sendable, Codable, Hashable {
    /// One refused query, by the first response that gave a reason.
    public struct Rejected: Sendable, Codable, Hashable {
        public var id: QueryID
        public var reason: RolloutRejection
        /// `nil` where the prompt itself is at fault.
        public var constitution: Int?
        /// The response, or a sentence on what does not fit.
        public var text: String
    }

    public var groups: [RolloutGroup]
    /// The queries that the groups answer, where they are known: a file of prompts does not tell.
    public var queries: [Query]
    public var rejected: [Rejected]
    /// How they were sampled; `nil` for loaded ones.
    public var settings: RolloutSettings?
    /// Whether the caller stopped the work before all queries were done.
    public var isStopped: Bool

    public init(
        groups: [RolloutGroup], queries: [Query] = [], rejected: [Rejected] = [],
        settings: RolloutSettings? = nil,
        isStopped: Bool = false
    ) {
        self.groups = groups
        self.queries = queries
        self.rejected = rejected
        self.settings = settings
        self.isStopped = isStopped
    }

    /// Responses whose scored tokens differ from the sampled ones, and responses that were sampled.
    public var retokenized: (count: Int, of: Int) {
        let responses = groups.lazy.flatMap(\.responses).filter { $0.sampledTokens > 0 }
        return (responses.count(where: \.isRetokenized), responses.count)
    }

    /// How often each reason occurred, in a fixed order, reasons that did not occur left out.
    public var counts: [(reason: RolloutRejection, count: Int)] {
        RolloutRejection.allCases.compactMap { reason in
            let count = rejected.count { $0.reason == reason }
            return count == 0 ? nil : (reason, count)
        }
    }
}

extension Rollouts {
    /// The query of a group, where it is known.
    public func query(_ id: QueryID) -> Query? { queries.first { $0.id == id } }

    private enum CodingKeys: String, CodingKey {
        case groups, queries, rejected, settings, isStopped
    }

    /// A group of an older workspace, which held its query.
    private struct OlderGroup: Decodable {
        var asked: Query?
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        groups = try fields.decode([RolloutGroup].self, forKey: .groups)
        queries =
            try fields.decodeIfPresent([Query].self, forKey: .queries)
            ?? fields.decode([OlderGroup].self, forKey: .groups).compactMap(\.asked)
        rejected = try fields.decode([Rejected].self, forKey: .rejected)
        settings = try fields.decodeIfPresent(RolloutSettings.self, forKey: .settings)
        isStopped = try fields.decode(Bool.self, forKey: .isStopped)
    }
}
