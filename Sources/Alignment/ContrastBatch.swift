import TextModels
import Tokenizers
import Transformers

/// One query as token ids: every training prompt followed by every response.
public struct ContrastBatch: Sendable, Hashable {
    /// One response under one constitution.
    public struct Sequence: Sendable, Hashable {
        /// Prompt and response, encoded together, with the end-of-sequence token if it is scored.
        public let tokens: [Int32]
        /// The positions in `tokens` whose log-probs form the score.
        public let scored: Range<Int>

        /// The input of the model: all tokens but the last, which is only predicted.
        var input: ArraySlice<Int32> { tokens.dropLast() }
    }

    /// The id of the query.
    public let id: QueryID
    /// C.
    public let constitutions: Int
    /// R.
    public let responses: Int
    /// C·R sequences, ordered by constitution.
    public let sequences: [Sequence]
    /// The first boundary between prompt and response that lies inside a token; nil if there is
    /// none.
    public let boundaryToken: BoundaryToken?

    /// A merge crosses the end of a prompt: the prompt's last token and the response's first token
    /// differ from the tokens of separate encodings.
    public struct BoundaryToken: Sendable, Hashable {
        /// The end of the prompt, and the text that follows it, with the separator.
        public let prompt, response: String
        /// Whether the token was split, because sampling could not give it: the prompt of a chat
        /// keeps its ids. Otherwise the token is scored with the response.
        public let isSplit: Bool

        init(prompt: String, response: String, isSplit: Bool) {
            self.prompt = String(prompt.suffix(24))
            self.response = String(response.prefix(24))
            self.isSplit = isSplit
        }
    }

    public subscript(constitution: Int, response: Int) -> Sequence {
        sequences[constitution * responses + response]
    }

    /// Encodes a query's prompts and responses.
    ///
    /// The response begins at the first token in which the encoding of prompt, separator and
    /// response together differs from the encoding of the prompt alone. So a token that contains
    /// the end of the prompt is scored with the response. After a prompt that a chat template
    /// wrote, the response begins where the prompt's own encoding ends, and has the ids that were
    /// sampled, if they are known and spell the response in this tokenizer.
    ///
    /// - Parameters:
    ///   - tokenizer: may be nil if prompts and responses are token ids.
    ///   - scoresEnd: whether the end-of-sequence token is scored after each response.
    /// - Throws: `AlignmentError` if a prompt or response is empty, does not fit the context or the
    ///   vocabulary, or needs a tokenizer, or if there is no end-of-sequence token to score.
    public init(
        _ group: RolloutGroup, tokenizer: Tokenizer?, configuration: ModelConfiguration,
        scoresEnd: Bool = false
    ) throws {
        guard !group.prompts.isEmpty, !group.responses.isEmpty else {
            throw AlignmentError.contrastShape(
                query: group.id.text, constitutions: group.prompts.count,
                responses: group.responses.count)
        }
        let end = scoresEnd ? ContrastBatch.end(of: group, tokenizer, configuration) : nil
        if scoresEnd, end == nil { throw AlignmentError.noEndToken }
        let sampled = ContrastBatch.sampledTokens(group, tokenizer)
        var sequences: [Sequence] = []
        var crossing: BoundaryToken?
        sequences.reserveCapacity(group.prompts.count * group.responses.count)
        for prompt in group.prompts {
            let alone = try ContrastBatch.tokens(of: prompt, group, tokenizer)
            for (column, response) in group.responses.enumerated() {
                var tokens: [Int32]
                let start: Int
                switch (prompt, response.content) {
                case (.text(let text), .text(let continuation)):
                    guard let tokenizer else {
                        throw AlignmentError.needsTokenizer(query: group.id.text)
                    }
                    let added = group.separator + continuation
                    let crosses: Bool
                    if let ids = sampled[column] {
                        (tokens, start, crosses) = (alone + ids, alone.count, false)
                    } else if group.chat != nil {
                        let (ids, isSplit) = tokenizer.continuation(
                            added, of: TextPrompt(text: text, tokens: alone))
                        (tokens, start, crosses) = (alone + ids, alone.count, isSplit)
                    } else {
                        tokens = tokenizer.encode(beginning: text + added)
                        start = zip(alone, tokens).prefix { $0 == $1 }.count
                        crosses = start < alone.count
                    }
                    if crosses, crossing == nil {
                        crossing = BoundaryToken(
                            prompt: text, response: added, isSplit: group.chat != nil)
                    }
                case (.tokens, .tokens(let continuation)):
                    tokens = alone + continuation
                    start = alone.count
                default: throw AlignmentError.mixedPassages(query: group.id.text)
                }
                guard start > 0 else { throw AlignmentError.emptyPrompt(query: group.id.text) }
                guard start < tokens.count else {
                    throw AlignmentError.emptyResponse(query: group.id.text, response: column)
                }
                if let end { tokens.append(end) }
                // The last token is not an input of the model, so it needs no position.
                guard tokens.count - 1 <= configuration.longestSequence else {
                    throw AlignmentError.tooLong(
                        query: group.id.text, tokens: tokens.count - 1,
                        context: configuration.longestSequence)
                }
                if let token = tokens.first(where: { $0 < 0 || $0 >= configuration.vocabularySize })
                {
                    throw AlignmentError.outsideVocabulary(
                        query: group.id.text, token: token, vocabulary: configuration.vocabularySize
                    )
                }
                sequences.append(Sequence(tokens: tokens, scored: start..<tokens.count))
            }
        }
        id = group.id
        constitutions = group.prompts.count
        responses = group.responses.count
        self.sequences = sequences
        boundaryToken = crossing
    }

    /// A query from another process; nil if the numbers do not fit each other.
    ///
    /// - Parameter starts: for each sequence the first scored place.
    package init?(
        id: QueryID, constitutions: Int, responses: Int, sequences: [[Int32]], starts: [Int]
    ) {
        guard constitutions >= 1, responses >= 1, sequences.count == constitutions * responses,
            starts.count == sequences.count,
            zip(sequences, starts).allSatisfy({ $1 > 0 && $1 < $0.count })
        else { return nil }
        self.id = id
        self.constitutions = constitutions
        self.responses = responses
        self.sequences = zip(sequences, starts).map {
            Sequence(tokens: $0, scored: $1..<$0.count)
        }
        boundaryToken = nil
    }

    private static func tokens(
        of prompt: TextOrTokens, _ group: RolloutGroup, _ tokenizer: Tokenizer?
    ) throws -> [Int32] {
        switch prompt {
        case .tokens(let tokens): return tokens
        case .text(let text):
            guard let tokenizer else { throw AlignmentError.needsTokenizer(query: group.id.text) }
            return tokenizer.encode(beginning: text, special: group.chat == nil)
        }
    }

    /// The token that ends a response: that of the chat template, or else of the model.
    private static func end(
        of group: RolloutGroup, _ tokenizer: Tokenizer?, _ configuration: ModelConfiguration
    ) -> Int32? {
        if let end = group.chat?.endOfTurn, let id = tokenizer?.id(end) { return id }
        return configuration.endTokens.first ?? tokenizer?.eos
    }

    /// For each response of a chat its sampled ids; nil if it was not sampled, or by a model with
    /// another vocabulary.
    private static func sampledTokens(
        _ group: RolloutGroup, _ tokenizer: Tokenizer?
    ) -> [[Int32]?] {
        group.responses.map { response in
            guard group.chat != nil, let tokenizer, let ids = response.scored,
                let text = response.text,
                tokenizer.decode(ids).trimmed.utf8.elementsEqual(text.trimmed.utf8)
            else { return nil }
            return ids
        }
    }

    /// The forest of this query alone, in which prompts and responses share their common
    /// beginnings, and the scored tokens in the order of `sequences`.
    public var forest: (forest: TokenForest, targets: [Target]) {
        var pack = ForestPack()
        pack.add(self)
        return (pack.forest, pack.targets)
    }
}

/// Several queries side by side in one forest. A single small query does not keep the processor
/// busy.
struct ForestPack {
    var forest = TokenForest()
    var targets: [Target] = []
    /// The targets of each query, in the order of its sequences.
    var parts: [(batch: ContrastBatch, targets: Range<Int>)] = []

    /// - Parameter separatingRows: gives every constitution a tree of its own, even if prompts have
    ///   a common beginning. A backward pass with little memory goes tree by tree.
    mutating func add(_ batch: ContrastBatch, separatingRows: Bool = false) {
        let first = targets.count
        if separatingRows {
            for row in 0..<batch.constitutions {
                let start = row * batch.responses
                add(batch.sequences[start..<start + batch.responses])
            }
        } else {
            add(batch.sequences[...])
        }
        parts.append((batch, first..<targets.count))
    }

    private mutating func add(_ sequences: ArraySlice<ContrastBatch.Sequence>) {
        let (part, ends) = TokenForest.sharingPrefixes(of: sequences.map { Array($0.input) })
        let segments = forest.segments.count
        let rows = forest.tokens.count
        for segment in part.segments {
            forest.append(part.tokens[segment.range], parent: segment.parent.map { $0 + segments })
        }
        for (sequence, end) in zip(sequences, ends) {
            let path = (part.contexts(of: end) + [part.segments[end].range]).joined()
            let rowOfPosition = path.map { $0 + rows }
            for place in sequence.scored {
                targets.append(
                    Target(row: rowOfPosition[place - 1], token: sequence.tokens[place]))
            }
        }
    }

    /// Number of rows that predict at least one scored token.
    var scoredRows: Int { Set(targets.map(\.row)).count }

    /// The same for several processes: where one would have fewer packs than there are processes,
    /// smaller ones.
    static func packs(_ batches: [ContrastBatch], rows: Int, over processes: Int) -> [ForestPack] {
        let packs = packs(batches, rows: rows)
        guard packs.count < processes else { return packs }
        let all = packs.reduce(0) { $0 + $1.forest.tokens.count }
        return self.packs(batches, rows: max(1, all / processes))
    }

    /// The same over the stages of a model. With m packs a stage of p is busy for m / (m + p - 1)
    /// of the time, so there are to be several for each.
    static func packs(_ batches: [ContrastBatch], rows: Int, overStages count: Int) -> [ForestPack]
    {
        packs(batches, rows: rows, over: count > 1 ? 4 * count : 1)
    }

    /// Packs with one query each, or with several if together they have at most `rows` rows.
    static func packs(
        _ batches: [ContrastBatch], rows: Int, separatingRows: Bool = false
    ) -> [ForestPack] {
        var packs: [ForestPack] = []
        var current = ForestPack()
        for batch in batches {
            var alone = ForestPack()
            alone.add(batch, separatingRows: separatingRows)
            let together = current.forest.tokens.count + alone.forest.tokens.count
            if !current.parts.isEmpty, together > rows {
                packs.append(current)
                current = ForestPack()
            }
            if current.parts.isEmpty {
                current = alone
            } else {
                current.add(batch, separatingRows: separatingRows)
            }
        }
        if !current.parts.isEmpty { packs.append(current) }
        return packs
    }
}
