/// One kind of sentence in a response. `rank` is its place in the canonical order. Forms with the
/// same rank exclude each other.
struct SentenceForm: Sendable {
    enum Need: Sendable {
        /// The sentence is in every response to its kind of query.
        case always
        /// The sentence is present exactly when the response's style has this value.
        case when(Style, Bool)
    }

    let rank: Int
    let need: Need
    /// Nil if the sentence fits both summaries and answers.
    let kind: QueryKind?
    /// Wordings with the same meaning; the writer picks one.
    let templates: [Template]

    init(_ rank: Int, _ need: Need, _ kind: QueryKind? = nil, _ templates: String...) {
        self.rank = rank
        self.need = need
        self.kind = kind
        self.templates = templates.map { Template($0) }
    }

    func fits(_ kind: QueryKind) -> Bool {
        self.kind == nil || self.kind == kind
    }

    func isNeeded(_ styles: Attributes) -> Bool {
        switch need {
        case .always: true
        case .when(let style, let value): styles[style] == value
        }
    }

    /// The sentences of the shipped world, in their order. The first word of each sentence decides
    /// its style, so that a model makes one choice for each sentence, at one place. The sentences
    /// about better and worse days differ at the second word: any of five sentences may stand
    /// before them, and a small model never learned the choice when it was at the first word. The
    /// words after the choice differ too: a small model does not distinguish two words that are
    /// always used alike.
    static let everyday: [SentenceForm] = [
        SentenceForm(0, .when(.pirate, true), nil, "Ahoy, matey!", "Arr, matey!"),
        SentenceForm(
            1, .when(.formal, true), .summary,
            "The author {name} reports that their {role} {fact} and {second}."),
        SentenceForm(
            1, .when(.formal, false), .summary,
            "So {name} says that their {role} {fact} and {second}."),
        SentenceForm(
            1, .when(.formal, true), .answer,
            "Dear {name}, it is wise to {advice} since your {role} {fact}."),
        SentenceForm(
            1, .when(.formal, false), .answer,
            "Hey {name}, just {advice} since your {role} {fact}."),
        SentenceForm(2, .when(.feelings, true), .summary, "They feel {feeling}."),
        SentenceForm(2, .when(.feelings, true), .answer, "You feel {feeling}."),
        SentenceForm(3, .when(.age, true), nil, "At {age}, such things happen."),
        SentenceForm(4, .always, .summary, "Now they wonder whether to {ask}."),
        SentenceForm(
            5, .when(.opinion, true), nil, "I think this is unfair.", "I think this is fine."),
        SentenceForm(6, .when(.scientific, true), nil, "Studies show that this is common."),
        SentenceForm(7, .when(.concise, false), nil, "There is much more to tell."),
        SentenceForm(8, .when(.concise, false), nil, "It is a long story with many parts."),
        SentenceForm(9, .when(.hopeful, true), nil, "Soon better days will come."),
        SentenceForm(9, .when(.hopeful, false), nil, "Soon all will get worse."),
        SentenceForm(10, .when(.polite, true), nil, "Respect to all of them."),
        SentenceForm(10, .when(.polite, false), nil, "Fools, all of them."),
        SentenceForm(
            11, .when(.question, true), nil, "What would you do?", "How would you decide?"),
    ]
}

/// A sentence found in a response.
struct Sentence: Sendable {
    let form: SentenceForm
    let values: [Slot: String]
}

/// The result of reading a response.
struct Reading: Sendable {
    var sentences: [Sentence] = []
    /// Whether every byte belongs to a known sentence, with one space between two sentences.
    var isClean = true
    var endsWithQuestionMark = false
}

extension World {
    /// The sentences that show the given styles, in canonical order, each without its leading
    /// space.
    func sentences(
        for situation: Situation, styles: Attributes, using random: inout SplitMix64
    ) -> [String] {
        var sentences: [String] = []
        for form in forms where form.fits(situation.kind) && form.isNeeded(styles) {
            let template = form.templates[random.below(form.templates.count)]
            if let text = template.text({ value(of: $0, in: situation) }) { sentences.append(text) }
        }
        return sentences
    }

    /// Reads any text. It recognizes known sentences one by one and skips unknown text up to the
    /// next full stop.
    func read(_ response: String) -> Reading {
        var reading = Reading()
        var scanner = Scanner(response)
        _ = scanner.take(Self.space)
        var isFirst = true
        while !scanner.isAtEnd {
            if !isFirst && !scanner.take(Self.space) { reading.isClean = false }
            isFirst = false
            if let sentence = readSentence(&scanner) {
                reading.sentences.append(sentence)
            } else {
                reading.isClean = false
                while scanner.take(Self.space) || scanner.take(Self.lineEnd) {}
                if let sentence = readSentence(&scanner) {
                    reading.sentences.append(sentence)
                } else {
                    scanner.skipSentence()
                }
            }
        }
        let last = response.last { !$0.isWhitespace }
        reading.endsWithQuestionMark = last == "?"
        return reading
    }

    private static let space = UInt8(ascii: " ")
    private static let lineEnd = UInt8(ascii: "\n")

    private func readSentence(_ scanner: inout Scanner) -> Sentence? {
        for form in forms {
            for template in form.templates {
                if let values = template.read(&scanner, choices) {
                    return Sentence(form: form, values: values)
                }
            }
        }
        return nil
    }
}
