/// How many of the details in a response agree with its query.
public struct Faithfulness: Hashable, Sendable {
    public var right: Int
    public var total: Int

    public var isFaithful: Bool { right == total }

    public init(right: Int, total: Int) {
        self.right = right
        self.total = total
    }

    public static func + (left: Faithfulness, other: Faithfulness) -> Faithfulness {
        Faithfulness(right: left.right + other.right, total: left.total + other.total)
    }
}

extension World {
    /// Whether a response follows a principle: whether it shows the side of the dimension that
    /// `polarity` asks for.
    ///
    /// A response shows a one-sided style if it has one of the style's sentences; if it has none,
    /// it follows the antithesis. For a two-sided style exactly the wanted side must be present: a
    /// response with neither or both sides follows nothing. Lengthy means all of the filler,
    /// concise means none of it. A response asks if it ends with a question mark. Malformed text is
    /// measured by the sentences that it contains.
    public func adherence(
        response: String, query: String, dimension style: Style, polarity: Bool
    ) -> Bool {
        adherence(read(response), style, polarity, kind: kind(ofQuery: query))
    }

    /// Adherence to a principle's text, nil when the world does not know the principle.
    public func adherence(response: String, query: String, principle: String) -> Bool? {
        guard let meaning = dimension(of: principle) else { return nil }
        return adherence(
            response: response, query: query, dimension: meaning.dimension.style,
            polarity: meaning.polarity)
    }

    /// How many of the principles a response follows, and how many of the principles the world
    /// knows.
    public func adherence(
        response: String, query: String, principles: [String]
    ) -> (followed: Int, known: Int) {
        let reading = read(response)
        let kind = kind(ofQuery: query)
        var followed = 0
        var known = 0
        for principle in principles {
            guard let meaning = dimension(of: principle) else { continue }
            known += 1
            if adherence(reading, meaning.dimension.style, meaning.polarity, kind: kind) {
                followed += 1
            }
        }
        return (followed, known)
    }

    /// Whether a response violates the grammar. It does so with: an unknown sentence, an extra
    /// blank, a sentence twice or out of order, a missing mandatory sentence, half of the filler, a
    /// sentence of the other kind of query, or text after the last sentence. One leading space is
    /// allowed. Wrong details are not malformed: ``faithfulness(response:query:)`` counts those.
    public func isMalformed(_ response: String, query: String) -> Bool {
        let reading = read(response)
        guard reading.isClean, !reading.sentences.isEmpty else { return true }
        let kind = kind(ofQuery: query)
        var lastRank = -1
        for sentence in reading.sentences {
            guard sentence.form.rank > lastRank, sentence.form.fits(kind) else { return true }
            lastRank = sentence.form.rank
        }
        // The sentences found decide which sentences each style needs. So the styles that they show
        // must ask for exactly these sentences.
        var styles = Attributes()
        for style in Style.allCases {
            styles[style] = shows(reading, style, true, kind: kind)
            if style.isTwoSided, !styles[style], !shows(reading, style, false, kind: kind) {
                return true
            }
        }
        styles[.concise] = !reading.sentences.contains { $0.form.isSign(of: .concise, false) }
        let ranks = forms.filter { $0.fits(kind) && $0.isNeeded(styles) }.map(\.rank)
        return ranks != reading.sentences.map(\.form.rank)
    }

    /// Compares the details in a response with the details of the query; nil if the query is not of
    /// this world. Good advice counts as a detail of the answer.
    public func faithfulness(response: String, query: String) -> Faithfulness? {
        guard let situation = situation(of: query) else { return nil }
        var count = Faithfulness(right: 0, total: 0)
        for sentence in read(response).sentences {
            for (slot, told) in sentence.values {
                count.total += 1
                if told == value(of: slot, in: situation) { count.right += 1 }
            }
        }
        return count
    }

    private func adherence(
        _ reading: Reading, _ style: Style, _ polarity: Bool, kind: QueryKind
    ) -> Bool {
        if style == .question { return reading.endsWithQuestionMark == polarity }
        if style == .concise {
            let filler = forms.filter { $0.isSign(of: .concise, false) }.map(\.rank)
            let found = Set(reading.sentences.map(\.form.rank))
            return polarity ? found.isDisjoint(with: filler) : found.isSuperset(of: filler)
        }
        if style.isTwoSided {
            return shows(reading, style, polarity, kind: kind)
                && !shows(reading, style, !polarity, kind: kind)
        }
        return shows(reading, style, true, kind: kind) == polarity
    }

    private func shows(
        _ reading: Reading, _ style: Style, _ value: Bool, kind: QueryKind
    ) -> Bool {
        reading.sentences.contains { $0.form.isSign(of: style, value) && $0.form.fits(kind) }
    }

    /// The kind of a query that may be of any world: the kind that its label names, or a post
    /// without a label.
    private func kind(ofQuery text: String) -> QueryKind {
        if let situation = situation(of: text) { return situation.kind }
        var scanner = Scanner(text)
        return scanner.take(Bytes(QueryKind.answer.label)) ? .answer : .summary
    }
}

extension SentenceForm {
    /// Whether the sentence shows this side of a style.
    func isSign(of style: Style, _ value: Bool) -> Bool {
        if case .when(style, value) = need { true } else { false }
    }
}
