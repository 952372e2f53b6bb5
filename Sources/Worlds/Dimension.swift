/// The ten styles in which responses of the world differ.
public enum Style: String, CaseIterable, Hashable, Sendable {
    case pirate, feelings, opinion, concise, scientific, formal
    case question, age, polite, hopeful

    /// Two-sided styles always show one side or the other (formal or casual). The other styles are
    /// present or absent.
    public var isTwoSided: Bool {
        switch self {
        case .formal, .polite, .hopeful: true
        default: false
        }
    }
}

/// A dimension of style: three wordings of the principle and three of its antithesis.
public struct Dimension: Hashable, Sendable {
    public let style: Style
    /// `formal`.
    public var name: String { style.rawValue }
    /// The name of the opposite side: `casual`.
    public let opposite: String
    /// Wordings of the principle. `{kind}` stands for `summary` or `answer`.
    public let principles: [String]
    /// Wordings of the opposite. The antithesis at an index belongs to the principle at the same
    /// index.
    public let antitheses: [String]
    /// Whether SAMI's demo trains on this dimension. The others are held out, to measure transfer.
    public let isTrained: Bool

    /// One wording as a constitution shows it. The index wraps around.
    public func wording(_ index: Int, polarity: Bool, kind: QueryKind) -> String {
        let wordings = polarity ? principles : antitheses
        guard !wordings.isEmpty else { return "" }
        let place = ((index % wordings.count) + wordings.count) % wordings.count
        return wordings[place].replacing("{kind}", with: kind.rawValue)
    }
}

/// The meaning of a principle's text: a dimension, and the wanted side of it.
public struct PrincipleMeaning: Hashable, Sendable {
    public let dimension: Dimension
    /// True for the principle, false for its antithesis.
    public let polarity: Bool
}

extension World {
    /// The dimension of a style.
    public func dimension(_ style: Style) -> Dimension? {
        dimensions.first { $0.style == style }
    }

    /// The meaning of a principle; nil if the world does not have this wording. Case, outer blanks
    /// and a final full stop do not matter.
    public func dimension(of principle: String) -> PrincipleMeaning? {
        principleIndex[Self.normalized(principle)]
    }

    /// Whether two principles ask for opposite sides of one dimension.
    public func areOpposite(_ principle: String, _ antithesis: String) -> Bool {
        guard let first = dimension(of: principle), let second = dimension(of: antithesis) else {
            return false
        }
        return first.dimension == second.dimension && first.polarity != second.polarity
    }

    static func index(_ dimensions: [Dimension]) -> [String: PrincipleMeaning] {
        var index: [String: PrincipleMeaning] = [:]
        for dimension in dimensions {
            for polarity in [true, false] {
                let count = polarity ? dimension.principles.count : dimension.antitheses.count
                for kind in QueryKind.allCases {
                    for place in 0..<count {
                        let text = dimension.wording(place, polarity: polarity, kind: kind)
                        index[normalized(text)] = PrincipleMeaning(
                            dimension: dimension, polarity: polarity)
                    }
                }
            }
        }
        return index
    }

    private static func normalized(_ principle: String) -> String {
        var words = principle.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if words.hasSuffix(".") { words.removeLast() }
        return words.lowercased()
    }
}

extension Dimension {
    /// Short wordings, each with a distinctive word of its own, because a model of a million
    /// parameters reads them literally. The two sides of a choice differ in structure: a small
    /// model gives the same vector to words that always occur in the same places, before it learns
    /// to choose between them.
    static let everyday: [Dimension] = [
        Dimension(
            style: .pirate, opposite: "plain",
            principles: [
                "Talk like a pirate.", "The {kind} should use pirate words.",
                "Greet everyone as a pirate would.",
            ],
            antitheses: [
                "Do not talk like a pirate.", "The {kind} should avoid pirate words.",
                "No pirate greeting, please.",
            ], isTrained: true),
        Dimension(
            style: .feelings, opposite: "unfeeling",
            principles: [
                "Mention the feelings.", "The {kind} should talk about emotions.",
                "Say how it feels.",
            ],
            antitheses: [
                "Leave the feelings out.", "The {kind} should avoid emotions.",
                "Say nothing about feelings.",
            ], isTrained: true),
        Dimension(
            style: .opinion, opposite: "neutral",
            principles: [
                "Give an opinion.", "The {kind} should judge what happened.",
                "Say what you think of it.",
            ],
            antitheses: [
                "Give no opinion.", "The {kind} should stay neutral.",
                "Avoid any judgement.",
            ], isTrained: true),
        Dimension(
            style: .concise, opposite: "lengthy",
            principles: ["Be concise.", "Keep the {kind} short.", "Use few words."],
            antitheses: ["Be lengthy.", "Make it a long {kind}.", "Add many words."],
            isTrained: true),
        Dimension(
            style: .scientific, opposite: "unscientific",
            principles: [
                "Be scientific.", "The {kind} should cite a study.", "Point to research.",
            ],
            antitheses: [
                "Be unscientific.", "The {kind} should cite no study.", "Avoid research.",
            ], isTrained: true),
        Dimension(
            style: .formal, opposite: "casual",
            principles: [
                "Be formal.", "The {kind} should sound official.", "Write like a report.",
            ],
            antitheses: [
                "Be casual.", "The {kind} should chat with a friend.", "Just talk as friends do.",
            ], isTrained: true),
        Dimension(
            style: .question, opposite: "closing",
            principles: [
                "End with a question.", "The {kind} should ask something last.",
                "Let the reader answer at the end.",
            ],
            antitheses: [
                "Do not end with a question.", "The {kind} should ask nothing.",
                "Let no question close it.",
            ], isTrained: false),
        Dimension(
            style: .age, opposite: "ageless",
            principles: [
                "Mention the age.", "The {kind} should say how old.", "State the number of years.",
            ],
            antitheses: [
                "Leave the age out.", "The {kind} should not say how old.",
                "Avoid the number of years.",
            ], isTrained: false),
        Dimension(
            style: .polite, opposite: "rude",
            principles: ["Be polite.", "The {kind} should show respect.", "Stay kind to others."],
            antitheses: [
                "Be rude.", "The {kind} should call people fools.", "Insult the others.",
            ],
            isTrained: false),
        Dimension(
            style: .hopeful, opposite: "gloomy",
            principles: [
                "Be hopeful.", "The {kind} should see the bright side.", "Expect better days.",
            ],
            antitheses: [
                "Be gloomy.", "The {kind} should warn of the dark.", "Fear that all gets worse.",
            ], isTrained: false),
    ]
}
