/// The two kinds of query: a post to summarize and a question to answer.
public enum QueryKind: String, CaseIterable, Hashable, Sendable {
    case summary, answer

    /// The name of the query's JSON field: `{"id": …, "post": …}` or `{"id": …, "question": …}`.
    public var field: String { self == .summary ? "post" : "question" }
    /// `summaries` or `answers`, as in `load queries summaries`.
    public var plural: String { self == .summary ? "summaries" : "answers" }
    /// The label before the query's own words in a prompt, with its space.
    public var label: String { self == .summary ? "POST: " : "QUESTION: " }
    /// The end of the prompt; a response begins with a space.
    public var cue: String { self == .summary ? "Summary:" : "Answer:" }

    public init?(plural: String) {
        guard let kind = Self.allCases.first(where: { $0.plural == plural }) else { return nil }
        self = kind
    }
}

/// The half of the world's situations that a query comes from.
public enum Split: String, CaseIterable, Hashable, Sendable {
    case train, test
}

/// The details that a query of the world describes.
public struct Situation: Hashable, Sendable {
    public var kind: QueryKind
    public var name: String
    public var age: Int
    public var role: String
    public var fact: String
    /// The second fact of a post; a question has one.
    public var second: String?
    public var feeling: String
    /// The question of a post's writer; a query of kind question has an open question instead.
    public var ask: String?

    /// The split depends on the events and their persons (and, for posts, on the question; for
    /// questions, on the feeling), not on names and ages. So a test situation is new for every
    /// name. The order of the two facts does not matter. One situation in ten is a test situation.
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

/// A query of the world, with its situation.
public struct Query: Hashable, Sendable {
    /// `summaries-test-17`.
    public var id: String
    public var situation: Situation
    /// The query's own words without the label, as the JSON field holds them.
    public var body: String

    public var kind: QueryKind { situation.kind }
    /// The query as a prompt shows it: label and words.
    public var text: String { kind.label + body }
}
