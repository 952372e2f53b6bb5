/// A small English world of posts and questions. The shipped model is trained on its documents, and
/// its programs measure the model's responses.
///
/// A query describes a situation from finite lists, a response retells the situation in sentences
/// of a finite grammar, and each dimension of style decides one of these sentences. One definition
/// both writes and reads the text, so a program decides adherence to a principle, copied details
/// and grammar exactly.
///
/// ```swift
/// let world = World.everyday
/// let query = world.query(kind: .summary, split: .test, index: 17)
/// world.adherence(
///     response: " So Nora says …", query: query.text, dimension: .formal, polarity: false)
/// ```
public struct World: Sendable {
    public let names: [String]
    public let ages: ClosedRange<Int>
    public let roles: [String]
    public let facts: [String]
    public let feelings: [String]
    public let asks: [String]
    /// The advice of a response about each fact. It is one of the asks, so that a program can
    /// decide whether advice is good.
    public let advice: [String: String]
    /// The ten dimensions of style, the trained dimensions first.
    public let dimensions: [Dimension]

    let forms: [SentenceForm]
    let queryTemplates: [QueryKind: Template]
    /// All texts that a slot may hold.
    let choices: [Slot: [Bytes]]
    let principleIndex: [String: PrincipleMeaning]

    init(
        names: [String], ages: ClosedRange<Int>, roles: [String], feelings: [String],
        advice: KeyValuePairs<String, String>, dimensions: [Dimension], forms: [SentenceForm],
        queries: [QueryKind: String]
    ) {
        self.names = names
        self.ages = ages
        self.roles = roles
        self.feelings = feelings
        self.facts = advice.map(\.key)
        var asks: [String] = []
        for (_, ask) in advice where !asks.contains(ask) { asks.append(ask) }
        self.asks = asks
        self.advice = Dictionary(advice.map { ($0.key, $0.value) }) { first, _ in first }
        self.dimensions = dimensions
        self.forms = forms
        self.queryTemplates = queries.mapValues { Template($0) }
        self.choices = [
            .name: names, .age: ages.map { String($0) }, .role: roles, .fact: facts,
            .second: facts, .feeling: feelings, .ask: asks, .advice: asks,
        ].mapValues { $0.map { Bytes($0) } }
        self.principleIndex = Self.index(dimensions)
    }

    /// The details of a situation, with the advice that fits it.
    func value(of slot: Slot, in situation: Situation) -> String? {
        slot == .advice ? advice[situation.fact] : situation.value(of: slot)
    }
}

extension World {
    /// The world of the shipped model.
    public static let everyday = World(
        names: [
            "Nora", "Omar", "Ruth", "Hugo", "Ines", "Karl", "Lena", "Milo", "Anna", "Paul", "Vera",
            "Theo", "Ivan", "Mary", "Jack", "Rosa", "Sven", "Tara", "Adam", "Clara", "Emil",
            "Greta",
            "Felix", "Olga",
        ],
        ages: 18...60,
        roles: [
            "sister", "brother", "uncle", "aunt", "neighbor", "roommate", "boss", "friend",
            "cousin",
            "teacher", "landlord", "partner",
        ],
        feelings: ["angry", "sad", "worried", "confused", "guilty", "tired", "lonely", "scared"],
        advice: [
            "sold the car": "call a lawyer",
            "spent the money": "call a lawyer",
            "told a lie": "talk to them",
            "left the party": "talk to them",
            "took the bike": "say no",
            "hid the phone": "say no",
            "lost the keys": "ask for help",
            "burned the dinner": "ask for help",
            "broke the lamp": "forgive them",
            "ate the cake": "forgive them",
            "missed the wedding": "write a letter",
            "forgot the birthday": "write a letter",
            "cancelled the trip": "wait a week",
            "quit the job": "wait a week",
            "woke the baby": "move out",
            "ripped the coat": "move out",
        ],
        dimensions: Dimension.everyday,
        forms: SentenceForm.everyday,
        queries: [
            .summary: "I am {name}, {age}. My {role} {fact} and {second}. I feel {feeling}. "
                + "Should I {ask}?",
            .answer: "I am {name}, {age}, and {feeling}. My {role} {fact}. What now?",
        ])
}
