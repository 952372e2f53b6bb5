import Files
import Foundation
import JSON

extension Tokenizer {
    /// Reads a `tokenizer.json`, or a SentencePiece model if the name ends with `tokenizer.model`.
    /// Throws `TokenizerError`, also for a missing file.
    public init(file path: String) throws {
        let data: Data
        do throws(FileError) {
            data = try RegularFile(path).readAll()
        } catch {
            let folder = "it is a folder; give the tokenizer.json in it"
            throw TokenizerError.unreadable(
                path: path, reason: error.reason == .isFolder ? folder : "\(error.reason)")
        }
        guard !data.isEmpty else { throw TokenizerError.empty(path: path) }
        if path.hasSuffix(".model") {
            self.init(core: try TokenizerCore(sentencePiece: Array(data)))
            return
        }
        try self.init(json: TokenizerFile.text(data))
    }
}

/// The parts of a tokenizer, checked.
struct TokenizerFile {
    let model: BytePairModel
    var addedTokens: [AddedToken]
    /// Special tokens that are never found in text.
    var controlTokens: Set<Int32> = []
    /// Whether text that spells a special token out is encoded like other text.
    var splitsSpecial = false
    var normalizer: (any Normalizer)?
    var preTokenizer: (any PreTokenizer)?
    var postProcessor: (any PostProcessor)?
    var decoder: (any TokenDecoder)?
    /// The tokens at the start and end of a text, if the file names them.
    var boundaries: (bos: Int32?, eos: Int32?) = (nil, nil)

    init(
        model: BytePairModel, addedTokens: [AddedToken], controlTokens: Set<Int32>,
        normalizer: any Normalizer, postProcessor: (any PostProcessor)?,
        decoder: any TokenDecoder, boundaries: (bos: Int32?, eos: Int32?)
    ) {
        (self.model, self.addedTokens) = (model, addedTokens)
        (self.controlTokens, self.boundaries) = (controlTokens, boundaries)
        (self.normalizer, self.postProcessor) = (normalizer, postProcessor)
        self.decoder = decoder
    }

    /// The text of a file. Throws `TokenizerError.notJSON` if a byte is not UTF-8.
    static func text(_ data: Data) throws -> String {
        if let text = String(validating: data, as: UTF8.self) { return text }
        // Says where.
        _ = try Field(document: data)
        return ""
    }

    init(json: String) throws {
        let root = try Field(document: json.utf8)
        // Truncation and padding are settings for batches: accepted and ignored.
        try root.allow(
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
            "post_processor", "decoder", "model")
        let model = try root.required("model")
        let type = try model.optional("type")?.string() ?? "BPE"
        guard type == "BPE" else {
            throw TokenizerError.unsupported(field: "model", type: type, supported: ["BPE"])
        }
        self.model = try BytePairModel(model)
        addedTokens = []
        normalizer = try root.optional("normalizer").map(makeNormalizer)
        preTokenizer = try root.optional("pre_tokenizer").map(makePreTokenizer)
        postProcessor = try root.optional("post_processor").map(makePostProcessor)
        decoder = try root.optional("decoder").map(makeDecoder)
        try TextGrowth.check(normalizer?.growth ?? 1, field: "normalizer")
        try TextGrowth.check(decoder?.growth ?? 1, field: "decoder")
        number(try root.optional("added_tokens")?.elements().map { try AddedToken($0) } ?? [])
        try checkAddedTokens()
        boundaries = guessedBoundaries
    }

    /// Adds tokens with ids as the package gives them, whatever ids the tokens bring: that of the
    /// vocabulary, or else the next free one. A token that is there already keeps its id and gets
    /// the new flags.
    mutating func number(_ tokens: [AddedToken]) {
        var places: [[UInt8]: Int] = [:]
        for (place, token) in addedTokens.enumerated() {
            places[Array(token.content.utf8)] = place
        }
        let count = Int32(model.vocabulary.count)
        var largest = addedTokens.map(\.id).max()
        for var token in tokens where !token.content.isEmpty {
            let bytes = Array(token.content.utf8)
            if let place = places[bytes] {
                token.id = addedTokens[place].id
                addedTokens[place] = token
                continue
            }
            token.id =
                model.vocabulary.id(token.content)
                ?? largest.map { $0 >= count || count == 0 ? $0 + 1 : count } ?? count
            largest = max(largest ?? token.id, token.id)
            places[bytes] = addedTokens.count
            addedTokens.append(token)
        }
    }

    /// No two tokens may share an id.
    func checkAddedTokens() throws {
        var contents: [Int32: String] = [:]
        for token in addedTokens {
            guard token.id <= Vocabulary.largestID else {
                throw TokenizerError.badID(
                    token: token.content, field: "added_tokens", id: "\(token.id)")
            }
            let taken = contents[token.id] ?? model.vocabulary.token(token.id)
            if let taken, !taken.utf8.elementsEqual(token.content.utf8) {
                throw TokenizerError.sharedID(
                    id: Int(token.id), first: taken, second: token.content)
            }
            contents[token.id] = token.content
        }
    }

    /// The first token of the template, and tokens with telling names.
    private var guessedBoundaries: (bos: Int32?, eos: Int32?) {
        func named(_ names: [String]) -> Int32? {
            for name in names {
                if let token = addedTokens.first(where: { $0.content == name }) { return token.id }
            }
            return nil
        }
        return (
            postProcessor?.before.first
                ?? named(["<s>", "<|begin_of_text|>", "<|startoftext|>", "<bos>", "<|endoftext|>"]),
            named(["</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "<|im_end|>"])
        )
    }
}
