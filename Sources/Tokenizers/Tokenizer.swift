import Dispatch
import Synchronization

/// Text to token ids and back, as defined by a `tokenizer.json`.
///
/// A value: copies share the loaded data, and several threads may use them at once.
///
/// ```swift
/// let tokenizer = try Tokenizer(file: "model/tokenizer.json")
/// let ids = tokenizer.encode("Hello, world!")
/// let text = tokenizer.decode(ids)
/// ```
///
/// Ids and text equal those of the `tokenizers` package on the same file. Encoding takes linear
/// time, with a logarithmic factor for words of thousands of characters. Settings for truncation
/// and padding in a file are for batches; they never cut a text here.
public struct Tokenizer: Sendable {
    let core: TokenizerCore
    /// The tokens that end a model's output: `eos`, or the tokens that a model directory names.
    public let stops: [Int32]

    /// Reads the text of a `tokenizer.json`. Throws `TokenizerError` unless the file is supported
    /// and consistent.
    public init(json: String) throws {
        self.init(core: try TokenizerCore(json: json))
    }

    init(core: TokenizerCore, stops: [Int32]? = nil) {
        self.core = core
        self.stops = stops ?? core.eos.map { [$0] } ?? []
    }

    /// The ids of a text. `special` adds the tokens of the file's post-processor (for example `<s>`
    /// in front). Special tokens that the text spells out are found in both cases.
    ///
    /// If a pattern of the file gives up on the text, which only a malicious pattern does, the rest
    /// is encoded as one piece.
    public func encode(_ text: String, special: Bool = true) -> [Int32] {
        core.encode(text, special: special)
    }

    /// The ids of each of several texts, as `encode` gives them, computed on all processor cores.
    public func encode(_ texts: [String], special: Bool = true) -> [[Int32]] {
        let parts = Self.parts(texts)
        let found = Mutex([[[Int32]]](repeating: [], count: parts.count))
        DispatchQueue.concurrentPerform(iterations: parts.count) { part in
            let ids = texts[parts[part]].map { core.encode($0, special: special) }
            found.withLock { $0[part] = ids }
        }
        return found.withLock { Array($0.joined()) }
    }

    /// Ranges of texts with about as many bytes each: small enough that all cores end together, and
    /// large enough that handing them out takes no time.
    private static func parts(_ texts: [String]) -> [Range<Int>] {
        let size = 1 << 16
        var parts: [Range<Int>] = []
        var (start, bytes) = (0, 0)
        for (index, text) in texts.enumerated() {
            bytes += text.utf8.count
            if bytes >= size || index == texts.count - 1 {
                parts.append(start..<index + 1)
                (start, bytes) = (index + 1, 0)
            }
        }
        return parts
    }

    /// The ids of a text that is continued, or whose end is not scored: with the tokens that
    /// `encode` adds before it, unless the text spells them, and without those that some files ask
    /// for after it, such as `</s>`.
    public func encode(beginning text: String, special: Bool = true) -> [Int32] {
        let isComplete = !special || spellsBeginning(text)
        return (isComplete ? [] : core.before) + core.encode(text, special: false)
    }

    /// Whether a text begins with the very token that `encode` adds before it, as text from a chat
    /// template does.
    public func spellsBeginning(_ text: String) -> Bool {
        guard let bos, let mark = token(bos), text.utf8.starts(with: mark.utf8) else {
            return false
        }
        return encode(mark).starts(with: [bos, bos])
    }

    /// The text of ids; ids without a token are skipped. `skipSpecial` omits special tokens.
    /// Invalid UTF-8 becomes U+FFFD.
    public func decode(_ ids: some Sequence<Int32>, skipSpecial: Bool = true) -> String {
        core.decode(ids, skipSpecial: skipSpecial)
    }

    /// A token as the file spells it (`Ġthe`); nil if no token has the id.
    public func token(_ id: Int32) -> String? { core.token(id) }

    /// The id of a token, in the file's spelling.
    public func id(_ token: String) -> Int32? { core.id(token) }

    /// The text of one id alone: `" the"`. A part of a character becomes U+FFFD.
    public func text(of id: Int32) -> String { decode([id], skipSpecial: false) }

    /// The bytes of one id alone. Those of a part of a character are not valid UTF-8.
    public func bytes(of id: Int32) -> [UInt8] { core.bytes(id) }

    /// Whether the id belongs to a special token.
    public func isSpecial(_ id: Int32) -> Bool { core.specialIDs.contains(id) }

    /// Number of tokens, added tokens included.
    public var vocabularySize: Int { core.vocabularySize }

    /// The largest id plus one: the number of rows that an embedding needs.
    public var idLimit: Int { core.idLimit }

    /// The added tokens, in the order of the file.
    public var addedTokens: [AddedToken] { core.addedTokens }

    /// The token that starts a text: the first token of the post-processor, or else the added token
    /// with such a name. A model's configuration is more reliable.
    public var bos: Int32? { core.bos }

    /// The token that ends a text: the added token with such a name. A model's configuration is
    /// more reliable.
    public var eos: Int32? { core.eos }

    /// The text of the `tokenizer.json`, as loaded or trained.
    ///
    /// For a SentencePiece model, the file into which transformers would convert it.
    public var json: String { core.json }

    /// Whether both are copies of one tokenizer.
    package func isSame(as other: Tokenizer) -> Bool { core === other.core }
}

/// The data that copies of a tokenizer share. Only the known words change, guarded by a lock.
final class TokenizerCore: Sendable {
    let source: Source
    let addedTokens: [AddedToken]
    let specialIDs: Set<Int32>
    let vocabularySize: Int
    let idLimit: Int
    let bos: Int32?
    let eos: Int32?
    let decoder: (any TokenDecoder)?
    /// Whether tokens such as `<0xE2>` stand for bytes.
    let namesBytes: Bool

    private let model: BytePairModel
    private let normalizer: (any Normalizer)?
    private let preTokenizer: (any PreTokenizer)?
    /// Tokens around a text.
    let before: [Int32]
    let after: [Int32]
    private let rawFinder: AddedTokenFinder
    private let normalizedFinder: AddedTokenFinder
    private let contentOfID: [Int32: String]
    private let idOfContent: [[UInt8]: Int32]
    /// The states that no thread uses at present.
    private let idleStates = Mutex<[EncodingState]>([])

    /// The source of the tokenizer.
    enum Source: Sendable {
        case json(String)
        case sentencePiece(SentencePieceFile)
    }

    /// `adjust` may change the parts of the file before they are put together.
    convenience init(
        json: String, adjust: (inout TokenizerFile) throws -> Void = { _ in }
    ) throws {
        var file = try TokenizerFile(json: json)
        try adjust(&file)
        self.init(file, source: .json(json))
    }

    convenience init(
        sentencePiece bytes: [UInt8], adjust: (inout TokenizerFile) throws -> Void = { _ in }
    ) throws {
        let source = try SentencePieceFile(bytes)
        var file = try source.tokenizerFile()
        try adjust(&file)
        self.init(file, source: .sentencePiece(source))
    }

    var json: String {
        switch source {
        case .json(let text): text
        case .sentencePiece(let file): file.json
        }
    }

    private init(_ file: TokenizerFile, source: Source) {
        self.source = source
        (model, normalizer, preTokenizer) = (file.model, file.normalizer, file.preTokenizer)
        (before, after) = (file.postProcessor?.before ?? [], file.postProcessor?.after ?? [])
        decoder = file.decoder
        namesBytes = file.decoder?.namesBytes ?? false
        addedTokens = file.addedTokens
        specialIDs = file.controlTokens.union(addedTokens.lazy.filter(\.isSpecial).map(\.id))
        let found = addedTokens.filter { !(file.splitsSpecial && $0.isSpecial) }
        rawFinder = AddedTokenFinder(found.filter { !$0.isNormalized }) {
            Array($0.content.utf8)
        }
        let normalizer = file.normalizer
        normalizedFinder = AddedTokenFinder(found.filter(\.isNormalized)) { token in
            let bytes = Array(token.content.utf8)
            // SentencePiece spells its symbols in normalized text.
            if token.isSpelledNormalized { return bytes }
            return normalizer?.apply(bytes) ?? bytes
        }
        contentOfID = Dictionary(addedTokens.map { ($0.id, $0.content) }) { $1 }
        idOfContent = Dictionary(addedTokens.map { (Array($0.content.utf8), $0.id) }) { $1 }
        let model = file.model
        vocabularySize =
            model.vocabulary.count
            + Set(addedTokens.map(\.id)).count { model.vocabulary.token($0) == nil }
        idLimit = max(model.vocabulary.idLimit, 1 + Int(addedTokens.map(\.id).max() ?? -1))
        (bos, eos) = file.boundaries
    }

    func token(_ id: Int32) -> String? {
        contentOfID[id] ?? model.vocabulary.token(id)
    }

    func id(_ token: String) -> Int32? {
        idOfContent[Array(token.utf8)] ?? model.vocabulary.id(token)
    }

    func encode(_ text: String, special: Bool) -> [Int32] {
        // Every thread uses a state of its own, and leaves it to the next text.
        var state = idleStates.withLock { $0.popLast() } ?? EncodingState()
        let ids = encode(text, &state)
        idleStates.withLock { $0.append(state) }
        return special ? before + ids + after : ids
    }

    func decode(_ ids: some Sequence<Int32>, skipSpecial: Bool) -> String {
        let tokens = ids.compactMap { id in
            skipSpecial && specialIDs.contains(id) ? nil : token(id)
        }
        guard let decoder else { return tokens.joined(separator: " ") }
        return decoder.apply(tokens).joined()
    }

    func bytes(_ id: Int32) -> [UInt8] {
        let text = decode([id], skipSpecial: false)
        // Only bytes that form no character are lost in the text.
        guard text.unicodeScalars.contains("\u{FFFD}") else { return Array(text.utf8) }
        return token(id).flatMap { decoder?.spelledBytes($0) } ?? Array(text.utf8)
    }

    private func encode(_ text: String, _ state: inout EncodingState) -> [Int32] {
        let bytes = Array(text.utf8)
        var ids: [Int32] = []
        ids.reserveCapacity(bytes.count / 3)
        for segment in rawFinder.segments(bytes) {
            switch segment {
            case .token(let id): ids.append(id)
            case .text(let range):
                let isWhole = range.count == bytes.count
                let raw = isWhole ? bytes : Array(bytes[range])
                let isFirst = range.lowerBound == 0
                let normalized = normalizer?.apply(raw, startsText: isFirst) ?? raw
                encodeNormalized(normalized, isFirst, &state, into: &ids)
            }
        }
        return ids
    }

    private func encodeNormalized(
        _ bytes: [UInt8], _ isFirst: Bool, _ state: inout EncodingState, into ids: inout [Int32]
    ) {
        for segment in normalizedFinder.segments(bytes) {
            switch segment {
            case .token(let id): ids.append(id)
            case .text(let range):
                let text = range.count == bytes.count ? bytes : Array(bytes[range])
                let whole = Pieces(text, startsText: isFirst && range.lowerBound == 0)
                let pieces = preTokenizer?.apply(whole) ?? whole
                for piece in pieces.ranges { model.encode(pieces.bytes, piece, &state, into: &ids) }
            }
        }
    }
}
