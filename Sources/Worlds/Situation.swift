/// The two kinds of query: a post to summarize and a question to answer.
public enum QueryKind: String, CaseIterable, Hashable, Sendable {
    case summary, answer

    /// What the query is called as JSON field: `{"id": …, "post": …}` or `{"id": …, "question": …}`.
    public var field: String { self == .summary ? "post" : "question" }
    /// `summaries` or `answers`, as in `load queries summaries`.
    public var plural: String { self == .summary ? "summaries" : "answers" }
    /// What stands before the query's own words in a prompt, with its space.
    public var label: String { self == .summary ? "POST: " : "QUESTION: " }
    /// What the prompt ends in; a response begins with a space.
    public var cue: String { self == .summary ? "Summary:" : "Answer:" }

    public init?(plural: String) {
        guard let kind = Self.allCases.first(where: { $0.plural == plural }) else { return nil }
        self = kind
    }
}

/// Which half of the world's situations a query comes from.
public enum Split: String, CaseIterable, Hashable, Sendable {
    case train, test
}

/// What a query of the world tells, detail by detail.
public struct Situation: Hashable, Sendable {
    public var kind: QueryKind
    public var name: String
    public var age: Int
    public var role: String
    public var fact: String
    /// The second fact of a post; a question has one.
    public var second: String?
    public var feeling: String
    /// What a post's writer wonders about; a question asks openly.
    public var ask: String?

    /// Posts and questions are split by what happened to whom (and, for posts, what is asked; for
    /// questions, what is felt), not by names and ages, so a test situation is new whoever tells it.
    /// The order of the two facts does not matter. One situation in ten is a test situation.
    public var split: Split {
        let facts = [fact, second].compactMap(\.self).sorted()
        let content = ([kind.rawValue, role] + facts + [ask ?? feeling]).joined(separator: "|")
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in content.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var spread = SplitMix64(seed: hash)
        return spread.below(10) == 0 ? .test : .train
    }

    func value(of slot: Slot) -> String? {
        switch slot {
        case .name: name
        case .age: String(age)
        case .role: role
        case .fact: fact
        case .second: second
        case .feeling: feeling
        case .ask: ask
        case .advice: nil
        }
    }
}

/// A query of the world, with the situation it tells.
public struct Query: Hashable, Sendable {
    /// `summaries-test-17`.
    public var id: String
    public var situation: Situation
    /// The query's own words, without the label: what the JSON field holds.
    public var body: String

    public var kind: QueryKind { situation.kind }
    /// The query as it stands in a prompt: label and words.
    public var text: String { kind.label + body }
}
