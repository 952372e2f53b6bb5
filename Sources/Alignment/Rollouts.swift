import TextModels

/// Text, or token ids if there is no tokenizer (as in reference values).
///
/// Texts are equal if their bytes are equal: a tokenizer may distinguish texts that look the same.
public enum TextOrTokens: Sendable, Codable, Hashable {
    case text(String)
    case tokens([Int32])

    public static func == (left: TextOrTokens, right: TextOrTokens) -> Bool {
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

/// One response `y ~ π(· | c, x)` and its origin.
public struct Response: Sendable, Codable, Hashable {
    /// It follows the prompt and the separator.
    public var content: TextOrTokens
    /// The index of its constitution in the group.
    public var constitution: Int
    /// Its index among the k responses of its constitution.
    public var sample: Int
    /// Number of sampled tokens without the end-of-sequence token; 0 for a loaded response.
    public var sampledTokens: Int
    /// The sampled ids; nil for a loaded response, and in workspaces of older versions, which kept
    /// only the text.
    public var sampled: [Int32]?
    /// The ids that follow a prompt which a chat template wrote, as they were sampled, with those
    /// of the response's fixed beginning. The score is then exactly that of what the model chose.
    /// Nil for other prompts and for a loaded response, whose text is encoded.
    public var scored: [Int32]?
    /// Whether encoding prompt and text together gives other ids than the sampled ones. The score
    /// is then that of a sequence that the model did not choose.
    public var isRetokenized: Bool

    /// The names on disk.
    private enum CodingKeys: String, CodingKey {
        case content = "passage"
        case constitution, sample, sampledTokens, sampled, scored, isRetokenized
    }

    public init(
        content: TextOrTokens, constitution: Int, sample: Int, sampled: [Int32]? = nil,
        isRetokenized: Bool = false
    ) {
        self.content = content
        self.constitution = constitution
        self.sample = sample
        self.sampled = sampled
        self.isRetokenized = isRetokenized
        sampledTokens = sampled?.count ?? 0
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        content = try fields.decode(TextOrTokens.self, forKey: .content)
        constitution = try fields.decode(Int.self, forKey: .constitution)
        sample = try fields.decode(Int.self, forKey: .sample)
        sampledTokens = try fields.decode(Int.self, forKey: .sampledTokens)
        sampled = try fields.decodeIfPresent([Int32].self, forKey: .sampled)
        scored = try fields.decodeIfPresent([Int32].self, forKey: .scored)
        isRetokenized = try fields.decodeIfPresent(Bool.self, forKey: .isRetokenized) ?? false
    }

    /// The response as text; nil for token ids.
    public var text: String? {
        if case .text(let text) = content { text } else { nil }
    }
}

/// The responses of one query under its C constitutions: the input of a contrast.
///
/// The m-th response of constitution `c` is column `m·C + c`, so that columns `m·C ..< (m+1)·C`
/// form the m-th C×C block.
public struct RolloutGroup: Sendable, Codable, Hashable {
    /// The id of the query.
    public var id: QueryID
    /// In the order of the rollout prompt; empty if only prompts are known.
    public var constitutions: [Constitution]
    /// Training prompts, one for each constitution.
    public var prompts: [TextOrTokens]
    /// The separator between a text prompt and a text response.
    public var separator: String
    /// How responses join prompts that a chat template wrote; nil for other prompts.
    public var chat: ChatJoint?
    /// R = k·C responses.
    public var responses: [Response]

    private enum CodingKeys: String, CodingKey {
        case id, constitutions, prompts, chat, responses
        case separator = "joint"
    }

    public init(
        id: QueryID, constitutions: [Constitution] = [],
        prompts: [TextOrTokens], separator: String = "", chat: ChatJoint? = nil,
        responses: [Response]
    ) {
        self.id = id
        self.constitutions = constitutions
        self.prompts = prompts
        self.separator = separator
        self.chat = chat
        self.responses = responses
    }

    /// A group whose prompts come from one model's templates, so that all have one kind of joint.
    init(
        id: QueryID, constitutions: [Constitution] = [], prompts: [RenderedPrompt],
        responses: [Response]
    ) {
        self.init(
            id: id, constitutions: constitutions, prompts: prompts.map { .text($0.text) },
            separator: prompts.first?.separator ?? "", chat: prompts.first?.chat,
            responses: responses)
    }

    /// k, the number of responses of a constitution.
    public var samples: Int { prompts.isEmpty ? 0 : responses.count / prompts.count }
}

/// The reason why the responses of a query are not used. One bad response rejects the whole query,
/// because the loss needs the complete block.
public enum RolloutRejection: String, Sendable, Codable, CaseIterable {
    /// The prompt and the longest response do not fit the model's context.
    case overflow
    /// Only blanks.
    case empty
    /// The limit of tokens ended the response, not the model.
    case unfinished
    /// It contains U+FFFD or control characters, repeats a label of the prompt, or fails the
    /// caller's own check.
    case malformed
    /// The same text under two constitutions: no constitution is the right answer for it.
    case identical
    /// A constitution of the query has no response.
    case missing
}

/// How rollouts are sampled.
public struct RolloutSettings: Sendable, Codable, Hashable {
    /// `maxTokens` is the longest response.
    public var sampling = Sampling()
    /// k, the number of responses of a constitution.
    public var samples = 1
    /// Whether a query that does not fit the context is an error, or is skipped and counted.
    public var overflow = OverflowRule.skip
    /// Whether a response cut by `maxTokens` rejects its query.
    public var requiresEnd = true

    public enum OverflowRule: String, Sendable, Codable, CaseIterable { case skip, error }

    public init() {}
}

/// One flat record, the form of older workspaces.
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

/// The complete result of one rollout command.
public struct Rollouts: Sendable, Codable, Hashable {
    /// One rejected query, with the first response that gave a reason.
    public struct Rejected: Sendable, Codable, Hashable {
        public var id: QueryID
        public var reason: RolloutRejection
        /// `nil` if the prompt itself is the reason.
        public var constitution: Int?
        /// The response, or a sentence about the text that does not fit.
        public var text: String
    }

    public var groups: [RolloutGroup]
    /// The queries of the groups, if they are known: a file of prompts does not contain them.
    public var queries: [Query]
    public var rejected: [Rejected]
    /// The sampling settings; `nil` for loaded rollouts.
    public var settings: RolloutSettings?
    /// Who responded, if it was not the model itself.
    public var voice: String?
    /// Whether the caller stopped the work before all queries were done.
    public var isStopped: Bool

    public init(
        groups: [RolloutGroup], queries: [Query] = [], rejected: [Rejected] = [],
        settings: RolloutSettings? = nil, voice: String? = nil, isStopped: Bool = false
    ) {
        self.voice = voice
        self.groups = groups
        self.queries = queries
        self.rejected = rejected
        self.settings = settings
        self.isStopped = isStopped
    }

    /// Number of responses whose scored tokens differ from the sampled tokens, and number of
    /// sampled responses.
    public var retokenized: (count: Int, of: Int) {
        let responses = groups.lazy.flatMap(\.responses).filter { $0.sampledTokens > 0 }
        return (responses.count(where: \.isRetokenized), responses.count)
    }

    /// Number of occurrences of each reason, in a fixed order, without reasons that did not occur.
    public var counts: [(reason: RolloutRejection, count: Int)] {
        RolloutRejection.allCases.compactMap { reason in
            let count = rejected.count { $0.reason == reason }
            return count == 0 ? nil : (reason, count)
        }
    }
}

extension Rollouts {
    /// The query of a group, if it is known.
    public func query(_ id: QueryID) -> Query? { queries.first { $0.id == id } }

    private enum CodingKeys: String, CodingKey {
        case groups, queries, rejected, settings, isStopped
    }

    /// A group of an older workspace, which contained its query.
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
