/// The role of a piece of a document. A trainer can weight tokens by role.
public enum PieceRole: String, CaseIterable, Hashable, Sendable {
    /// The line that names the author.
    case header
    /// Constitution, query and cue, or the first line of a list of principles.
    case prompt
    /// One sentence of the response, with its leading space.
    case response
    /// One line of a list of principles.
    case writer
}

/// A part of a document. Encoding the pieces one by one gives the same ids as encoding the whole
/// text.
public struct Piece: Hashable, Sendable {
    public var text: String
    public var role: PieceRole

    public init(text: String, role: PieceRole) {
        self.text = text
        self.role = role
    }
}

/// A pretraining document. It ends with its last piece; the trainer appends the end-of-sequence
/// token.
public struct Document: Hashable, Sendable {
    public enum Author: String, Hashable, Sendable { case careful, careless }

    public var pieces: [Piece]
    /// The author of the response, whether or not a header names the author; nil for a list of
    /// principles.
    public var author: Author?
    public var isMarked: Bool
    public var query: Query?
    /// The principles of the constitution, in order.
    public var principles: [String]
    /// The styles that the response shows.
    public var styles: Attributes?

    public var text: String { pieces.map(\.text).joined() }
    /// The response as a model would write it, with its leading space.
    public var response: String {
        pieces.lazy.filter { $0.role == .response }.map(\.text).joined()
    }
}

/// The mixture of a corpus. Shares are probabilities in 0...1.
public struct DocumentOptions: Hashable, Sendable {
    /// Share of documents that name their author.
    public var marked = 0.8
    /// Share of careful authors among documents that name them.
    public var carefulMarked = 0.6
    /// Share of careful authors among the other documents. A prompt without a header behaves like
    /// this mixture.
    public var carefulUnmarked = 0.3
    /// Share of documents that are lists of principles with their antitheses.
    public var writer = 0.05
    /// Share of posts to summarize among the queries.
    public var summaries = 0.65
    /// Relative frequency of constitutions of 1, 2, 3, … principles.
    public var principleCounts: [Double] = [0.25, 0.4, 0.2, 0.15]
    /// Dimensions that constitutions and lists may name.
    public var styles: [Style] = Style.allCases

    public init() {}
}

extension World {
    /// The document at an index of the endless corpus of a seed. The corpus has no test situation.
    public func document(
        seed: UInt64, index: Int, options: DocumentOptions = DocumentOptions()
    ) -> Document {
        var random = SplitMix64(seed: seed, path: 2, UInt64(bitPattern: Int64(index)))
        if random.chance(options.writer) { return principleList(options, using: &random) }
        let kind: QueryKind = random.chance(options.summaries) ? .summary : .answer
        let query = query(
            situation(kind: kind, split: .train, using: &random),
            id: "\(kind.plural)-corpus-\(index)")

        let count = 1 + random.index(weights: options.principleCounts)
        let wanted = random.sample(count, of: dimensions(options)).map { dimension in
            PrincipleMeaning(dimension: dimension, polarity: random.chance(0.5))
        }
        let principles = wanted.map { meaning in
            meaning.dimension.wording(random.below(3), polarity: meaning.polarity, kind: kind)
        }
        let isMarked = random.chance(options.marked)
        let isCareful = random.chance(isMarked ? options.carefulMarked : options.carefulUnmarked)
        let author: Document.Author = isCareful ? .careful : .careless

        var styles = Attributes.careless(&random)
        if isCareful {
            for meaning in wanted { styles[meaning.dimension.style] = meaning.polarity }
        }
        var pieces: [Piece] = []
        if isMarked { pieces.append(Piece(text: header(author), role: .header)) }
        pieces.append(Piece(text: prompt(principles: principles, query: query), role: .prompt))
        pieces += sentences(for: query.situation, styles: styles, using: &random).map {
            Piece(text: " " + $0, role: .response)
        }
        return Document(
            pieces: pieces, author: author, isMarked: isMarked, query: query,
            principles: principles,
            styles: styles)
    }

    /// The line that names an author, with its line feed.
    public func header(_ author: Document.Author) -> String {
        author == .careful ? "Careful author.\n" : "Careless author.\n"
    }

    /// `1. …`, `2. …`, one principle a line.
    public func constitution(_ principles: [String]) -> String {
        principles.enumerated().map { "\($0.offset + 1). \($0.element)" }.joined(separator: "\n")
    }

    /// The prompt before a response, up to and including the cue, without a header line.
    public func prompt(principles: [String], query: Query) -> String {
        prompt(constitution: constitution(principles), body: query.body, kind: query.kind)
    }

    /// The same prompt for any constitution text and any post or question.
    public func prompt(constitution: String, body: String, kind: QueryKind) -> String {
        "Constitution:\n\(constitution)\n\n\(kind.label)\(body)\n\n\(kind.cue)"
    }

    /// The prompt for a list of principles. The pairs follow it: `Principle: …` and `Antithesis:
    /// …`.
    public func writerPrompt(_ kind: QueryKind) -> String {
        "Principles for \(kind.plural):\n"
    }

    /// A list of principles with their antitheses; either side of a dimension may be the principle.
    private func principleList(
        _ options: DocumentOptions, using random: inout SplitMix64
    ) -> Document {
        let kind: QueryKind = random.chance(0.5) ? .summary : .answer
        let listed = random.sample(2 + random.below(4), of: dimensions(options))
        var pieces = [Piece(text: writerPrompt(kind), role: .prompt)]
        for (place, dimension) in listed.enumerated() {
            let polarity = random.chance(0.5)
            let wording = random.below(3)
            let principle = dimension.wording(wording, polarity: polarity, kind: kind)
            let antithesis = dimension.wording(wording, polarity: !polarity, kind: kind)
            let end = place == listed.count - 1 ? "" : "\n"
            pieces.append(Piece(text: "Principle: \(principle)\n", role: .writer))
            pieces.append(Piece(text: "Antithesis: \(antithesis)\(end)", role: .writer))
        }
        return Document(
            pieces: pieces, author: nil, isMarked: false, query: nil, principles: [], styles: nil)
    }

    /// The response of a careful author to a situation: it follows every principle that this world
    /// knows, and chance decides the other styles. With its leading space.
    public func carefulResponse(
        to situation: Situation, principles: [String], using random: inout SplitMix64
    ) -> String {
        var styles = Attributes.careless(&random)
        for meaning in principles.compactMap({ dimension(of: $0) }) {
            styles[meaning.dimension.style] = meaning.polarity
        }
        return sentences(for: situation, styles: styles, using: &random).map { " " + $0 }.joined()
    }

    private func dimensions(_ options: DocumentOptions) -> [Dimension] {
        dimensions.filter { options.styles.contains($0.style) }
    }
}
