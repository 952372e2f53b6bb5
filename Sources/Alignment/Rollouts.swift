/// Text, or token ids where there is no tokenizer (as in reference values).
public enum Passage: Sendable, Codable, Hashable {
    case text(String)
    case tokens([Int32])

    public var isEmpty: Bool {
        switch self {
        case .text(let text): text.isEmpty
        case .tokens(let tokens): tokens.isEmpty
        }
    }
}

/// One response `y ~ π(· given c, x)` and where it came from.
public struct Response: Sendable, Codable, Hashable {
    /// What follows the prompt and the joint.
    public var passage: Passage
    /// Which constitution of its group produced it.
    public var constitution: Int
    /// Which of that constitution's k responses it is.
    public var sample: Int
    /// Tokens sampled for it, the end-of-sequence token not counted; 0 when it was loaded.
    public var sampledTokens: Int

    public init(passage: Passage, constitution: Int, sample: Int, sampledTokens: Int = 0) {
        self.passage = passage
        self.constitution = constitution
        self.sample = sample
        self.sampledTokens = sampledTokens
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
    /// Names the query in messages.
    public var id: String
    /// Position of the query in the list that was rolled out.
    public var query: Int
    /// What was asked; `nil` where only prompts are known.
    public var asked: Query?
    /// As the rollout prompt showed them; empty where only prompts are known.
    public var constitutions: [Constitution]
    /// Training prompts, one a constitution.
    public var prompts: [Passage]
    /// Stands between a text prompt and a text response.
    public var joint: String
    /// R = k·C responses.
    public var responses: [Response]

    public init(
        id: String, query: Int, asked: Query? = nil, constitutions: [Constitution] = [],
        prompts: [Passage], joint: String = "", responses: [Response]
    ) {
        self.id = id
        self.query = query
        self.asked = asked
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
    /// Characters that are none, marks of the prompt, or what the caller's own check refuses.
    case malformed
    /// The same text under two constitutions: which of them asked for it has no answer.
    case identical
    /// No response was given for one of its constitutions.
    case missing
}

/// How rollouts are sampled.
public struct RolloutSettings: Sendable, Codable, Hashable {
    /// 0 is greedy.
    public var temperature = 1.0
    /// 0 is off.
    public var topK = 0
    /// 1 is off.
    public var topP = 1.0
    /// 0 is off.
    public var minP = 0.0
    /// Longest response, in tokens.
    public var maxTokens = 96
    /// k, responses a constitution.
    public var samples = 1
    /// Whether a query that does not fit the context stops the command or is skipped and counted.
    public var overflow = OverflowRule.skip
    /// Whether a response cut by `maxTokens` rejects its query.
    public var requiresEnd = true

    public enum OverflowRule: String, Sendable, Codable, CaseIterable { case skip, error }

    public init() {}
}

/// Everything one rollout command produced.
public struct Rollouts: Sendable, Codable, Hashable {
    /// One refused query, by the first response that gave a reason.
    public struct Rejected: Sendable, Codable, Hashable {
        public var id: String
        public var query: Int
        public var reason: RolloutRejection
        /// `nil` where the prompt itself is at fault.
        public var constitution: Int?
        /// The response, or a sentence on what does not fit.
        public var text: String
    }

    public var groups: [RolloutGroup]
    public var rejected: [Rejected]
    /// How they were sampled; `nil` for loaded ones.
    public var settings: RolloutSettings?
    /// Whether the caller stopped the work before all queries were done.
    public var isStopped: Bool

    public init(
        groups: [RolloutGroup], rejected: [Rejected] = [], settings: RolloutSettings? = nil,
        isStopped: Bool = false
    ) {
        self.groups = groups
        self.rejected = rejected
        self.settings = settings
        self.isStopped = isStopped
    }

    /// How often each reason occurred, in a fixed order, reasons that did not occur left out.
    public var counts: [(reason: RolloutRejection, count: Int)] {
        RolloutRejection.allCases.compactMap { reason in
            let count = rejected.count { $0.reason == reason }
            return count == 0 ? nil : (reason, count)
        }
    }
}
