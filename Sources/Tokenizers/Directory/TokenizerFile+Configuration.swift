/// What the small files of a directory change of the tokenizer.
extension TokenizerFile {
    /// For a `tokenizer.json`, as transformers does after it has read the file.
    mutating func adjust(by configuration: TokenizerConfiguration) throws {
        if let stated = configuration.addedTokens {
            number(stated)
        } else {
            // The tokenizer.json knows the flags.
            number(configuration.olderAddedTokens.filter { !isAdded($0.content) })
        }
        let lacking = lackingNames(configuration)
        number(configuration.specialTokenList.filter { !isAdded($0.content) })
        try checkAddedTokens()
        try applyPrefix(of: configuration)
        splitsSpecial = configuration.splitsSpecial
        try surround(by: configuration, lacking)
    }

    /// For a `tokenizer.model`.
    mutating func adjustSentencePiece(by configuration: TokenizerConfiguration) throws {
        // SentencePiece never encodes text as control tokens. transformers does, and the texts of
        // chat templates need it.
        try add(
            controlTokens.sorted().compactMap { id in
                model.vocabulary.token(id).map { AddedToken(special: $0, id: id) }
            })
        let stated = configuration.addedTokens ?? configuration.olderAddedTokens
        try add(
            stated.map { token in
                var token = token
                // With a blank before every text, tokens are found before blanks are marked.
                if configuration.isLegacy == true { token.isNormalized = false }
                token.isSpelledNormalized = token.isNormalized
                return token
            })
        let lacking = lackingNames(configuration)
        number(
            configuration.specialTokenList.filter {
                !isAdded($0.content) && model.vocabulary.id($0.content) == nil
            })
        try checkAddedTokens()
        applySentencePiecePrefix(of: configuration)
        splitsSpecial = configuration.splitsSpecial
        try surround(by: configuration, lacking)
    }

    private func isAdded(_ content: String) -> Bool {
        addedTokens.contains { $0.content.utf8.elementsEqual(content.utf8) }
    }

    /// The names of special tokens, such as `bos_token`, that the tokenizer does not have.
    private func lackingNames(_ configuration: TokenizerConfiguration) -> Set<String> {
        Set(
            configuration.specialTokens.filter {
                !isAdded($0.value) && model.vocabulary.id($0.value) == nil
            }.keys)
    }

    /// Adds tokens that the file and its vocabulary do not have under another id or spelling.
    private mutating func add(_ tokens: [AddedToken]) throws {
        var known = Set(addedTokens.map(\.id))
        for token in tokens where !known.contains(token.id) {
            let spelling = model.vocabulary.token(token.id)
            let id = model.vocabulary.id(token.content)
            guard spelling.map({ $0.utf8.elementsEqual(token.content.utf8) }) ?? (id == nil) else {
                continue
            }
            known.insert(token.id)
            addedTokens.append(token)
        }
        try checkAddedTokens()
    }

    // MARK: The blank before a text

    /// `add_prefix_space`: byte-level tokenizers obey it. For others the tokenizer.json decides in
    /// some versions of transformers, and this setting in others.
    private mutating func applyPrefix(of configuration: TokenizerConfiguration) throws {
        if var byteLevel = preTokenizer as? ByteLevelPreTokenizer {
            // The class of GPT-2 makes the pre-tokenizer itself, without a blank unless it is told.
            let fallback = configuration.isOfGPT2 ? false : byteLevel.addsPrefixSpace
            byteLevel.addsPrefixSpace = configuration.addsPrefixSpace ?? fallback
            preTokenizer = byteLevel
            return
        }
        guard let wanted = configuration.addsPrefixSpace else { return }
        let found = normalizer?.addsPrefix == true || preTokenizer?.addsPrefix == true
        guard found != wanted, !configuration.isAccepted else { return }
        throw TokenizerError.badConfiguration(
            file: "tokenizer_config.json",
            problem: "add_prefix_space is \(wanted), and tokenizer.json "
                + "\(found ? "puts a blank" : "puts no blank") before a text; programs disagree on "
                + "which counts, so make them agree, or remove add_prefix_space")
    }

    private mutating func applySentencePiecePrefix(of configuration: TokenizerConfiguration) {
        guard var blanks = normalizer as? SentencePieceNormalizer, blanks.prefix != .none else {
            return
        }
        if configuration.addsPrefixSpace == false {
            blanks.prefix = .none
            if var text = decoder as? SentencePieceDecoder {
                text.dropsPrefix = blanks.removesExtra
                decoder = text
            }
        } else if configuration.isLegacy == false {
            blanks.prefix = .first
        }
        normalizer = blanks
    }

    // MARK: Tokens around a text

    /// The tokens around a text, and those that start and end one, if the configuration states them
    /// and the file does not.
    private mutating func surround(
        by configuration: TokenizerConfiguration, _ lacking: Set<String>
    ) throws {
        func id(_ name: String) -> Int32? {
            guard let text = configuration.specialTokens[name] else { return nil }
            let added = addedTokens.first { $0.content.utf8.elementsEqual(text.utf8) }
            return added?.id ?? model.vocabulary.id(text)
        }
        boundaries = (id("bos_token") ?? boundaries.bos, id("eos_token") ?? boundaries.eos)
        guard let addsBOS = configuration.addsBOS, let addsEOS = configuration.addsEOS else {
            return
        }
        func wanted(_ name: String, _ id: Int32?) throws -> [Int32] {
            if let id, !lacking.contains(name) { return [id] }
            let token = configuration.specialTokens[name]
            throw TokenizerError.badConfiguration(
                file: "tokenizer_config.json",
                problem: token.map {
                    "it names “\($0.prefix(40))” as \(name), which the tokenizer does not have"
                } ?? "it asks for \(name) around a text but does not name one")
        }
        postProcessor = SurroundingTokens(
            before: addsBOS ? try wanted("bos_token", id("bos_token")) : [],
            after: addsEOS ? try wanted("eos_token", id("eos_token")) : [])
    }
}
