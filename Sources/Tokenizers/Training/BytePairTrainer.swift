import JSON

/// Learns a byte-level byte-pair tokenizer from text.
///
/// The merges equal those that `tokenizers.trainers.BpeTrainer` learns from the same texts with the
/// byte alphabet as initial alphabet: the most frequent pair first, and of equal pairs the one with
/// the smaller ids. Only counts matter, so the order of the texts has no effect.
///
/// ```swift
/// let tokenizer = try BytePairTrainer(vocabularySize: 1024).train(texts)
/// ```
///
/// Memory grows with the number of distinct words, not with the length of the text.
public struct BytePairTrainer: Sendable {
    /// Total number of tokens, special tokens and the 256 bytes included.
    public var vocabularySize: Int
    /// Special tokens. Their ids start at 0.
    public var specialTokens: [String]
    /// The token that encoding puts before every text; must be one of the special tokens.
    public var prefixToken: String?
    /// Rarer pairs are not merged.
    public var minimumFrequency: Int

    /// The progress of a training.
    public struct Progress: Hashable, Sendable {
        public var textsRead: Int
        public var tokensMade: Int
    }

    public init(
        vocabularySize: Int, specialTokens: [String] = ["<pad>", "<s>", "</s>"],
        prefixToken: String? = "<s>", minimumFrequency: Int = 0
    ) {
        self.vocabularySize = vocabularySize
        self.specialTokens = specialTokens
        self.prefixToken = prefixToken
        self.minimumFrequency = minimumFrequency
    }

    /// Trains on texts. `progress` is called now and then; if it returns false, the training throws
    /// `TokenizerError.stopped`. The result has fewer tokens if the texts have no more pairs.
    /// Throws `TokenizerError` if the size leaves no room for bytes and special tokens, or if the
    /// texts have no word.
    public func train(
        _ texts: some Sequence<String>, progress: (Progress) -> Bool = { _ in true }
    ) throws -> Tokenizer {
        let least = 256 + specialTokens.count
        guard vocabularySize >= least, vocabularySize <= Vocabulary.largestID else {
            throw TokenizerError.badVocabularySize(wanted: vocabularySize, least: least)
        }
        var learner = try MergeLearner(specialTokens: specialTokens)
        if let prefixToken, !specialTokens.contains(prefixToken) {
            throw TokenizerError.unknownSpecialToken(token: prefixToken)
        }
        let preTokenizer = try ByteLevelPreTokenizer(addsPrefixSpace: false, usesPattern: true)
        var read = 0
        for text in texts {
            learner.count(preTokenizer.apply(Pieces(Array(text.utf8), startsText: true)))
            read += 1
            if read % 1000 == 0,
                !progress(Progress(textsRead: read, tokensMade: learner.tokenCount))
            {
                throw TokenizerError.stopped
            }
        }
        guard learner.wordCount > 0 else { throw TokenizerError.nothingToTrain }
        let finished = learner.learn(upTo: vocabularySize, atLeast: minimumFrequency) { made in
            made % 100 != 0 || progress(Progress(textsRead: read, tokensMade: made))
        }
        guard finished else { throw TokenizerError.stopped }
        return try Tokenizer(json: file(learner).pretty)
    }

    private func file(_ learner: MergeLearner) -> JSON {
        func byteLevel(addsPrefixSpace: Bool) -> JSON {
            .object([
                .init("type", .string("ByteLevel")),
                .init("add_prefix_space", .bool(addsPrefixSpace)),
                .init("trim_offsets", .bool(true)), .init("use_regex", .bool(true)),
            ])
        }
        return .object([
            .init("version", .string("1.0")),
            .init("truncation", .null),
            .init("padding", .null),
            .init("added_tokens", .array(specialTokens.indices.map(addedToken))),
            .init("normalizer", .null),
            .init("pre_tokenizer", byteLevel(addsPrefixSpace: false)),
            .init("post_processor", prefixToken.map(template) ?? .null),
            // Decoding does not use the setting; the package writes true.
            .init("decoder", byteLevel(addsPrefixSpace: true)),
            .init("model", learner.json),
        ])
    }

    private func addedToken(_ index: Int) -> JSON {
        .object([
            .init("id", .integer(index)), .init("content", .string(specialTokens[index])),
            .init("single_word", .bool(false)), .init("lstrip", .bool(false)),
            .init("rstrip", .bool(false)), .init("normalized", .bool(false)),
            .init("special", .bool(true)),
        ])
    }

    private func template(_ prefix: String) -> JSON {
        func part(_ kind: String, _ id: String, _ type: Int) -> JSON {
            let content: [JSON.Member] = [
                .init("id", .string(id)), .init("type_id", .integer(type)),
            ]
            return .object([.init(kind, .object(content))])
        }
        let id = specialTokens.firstIndex(of: prefix) ?? 0
        return .object([
            .init("type", .string("TemplateProcessing")),
            .init("single", .array([part("SpecialToken", prefix, 0), part("Sequence", "A", 0)])),
            .init(
                "pair",
                .array([
                    part("SpecialToken", prefix, 0), part("Sequence", "A", 0),
                    part("Sequence", "B", 1),
                ])),
            .init(
                "special_tokens",
                .object([
                    .init(
                        prefix,
                        .object([
                            .init("id", .string(prefix)),
                            .init("ids", .array([.integer(id)])),
                            .init("tokens", .array([.string(prefix)])),
                        ]))
                ])),
        ])
    }
}
