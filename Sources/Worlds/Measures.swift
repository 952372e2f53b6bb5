/// How many of the details that a response repeats are those of its query.
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
    /// Whether a response follows a principle: the side of the dimension that `polarity` asks for.
    ///
    /// A one-sided style is there when one of its sentences is, and its antithesis is followed when
    /// none is. Of a two-sided style exactly the wanted side must show: neither or both follows
    /// nothing. Lengthy means all of the filler, concise none of it; a response asks when it ends
    /// with a question mark. Malformed text is measured by the sentences it does hold.
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

    /// How many of the principles a response follows, and how many of them the world knows.
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

    /// Whether a response leaves the grammar: an unknown sentence or a blank too many, a sentence
    /// twice or out of order, one that every response holds missing, half of the filler, a sentence
    /// of the other kind of query, or anything behind the last sentence. One space may stand in
    /// front. Wrong details are not malformed: ``faithfulness(response:query:)`` counts those.
    public func isMalformed(_ response: String, query: String) -> Bool {
        let reading = read(response)
        guard reading.isClean, !reading.sentences.isEmpty else { return true }
        let kind = kind(ofQuery: query)
        var lastRank = -1
        for sentence in reading.sentences {
            guard sentence.form.rank > lastRank, sentence.form.fits(kind) else { return true }
            lastRank = sentence.form.rank
        }
        // What a style needs is decided by the sentences found, so the styles they show must ask
        // for exactly these sentences.
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

    /// The details a response repeats, each compared with the query's; nil when the query is not of
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

    /// The kind of a query that may be of any world: what its label says, else a post.
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
