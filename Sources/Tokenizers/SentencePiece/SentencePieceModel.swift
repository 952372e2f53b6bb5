extension SentencePieceFile {
    /// Every way to form a piece from two others. SentencePiece merges the pair whose piece has the
    /// highest score, and of equal pairs the leftmost. So pairs with one score share a rank.
    private func merges(_ vocabulary: Vocabulary) -> MergeTable {
        let scores = Set(pieces.lazy.filter { $0.kind == .normal }.map(\.score)).sorted(by: >)
        let ranks = Dictionary(scores.enumerated().map { ($0.element, $0.offset) }) { first, _ in
            first
        }
        var table = MergeTable(expecting: pieces.count * 3)
        for (id, piece) in pieces.enumerated() where piece.kind == .normal {
            let bytes = Array(piece.text.utf8)
            guard let rank = ranks[piece.score] else { continue }
            var place = bytes.first.map(characterLength) ?? bytes.count
            while place < bytes.count {
                if let left = mergeable(vocabulary, bytes, 0..<place),
                    let right = mergeable(vocabulary, bytes, place..<bytes.count)
                {
                    table.insert(left, right, rank: rank, result: Int32(id))
                }
                place += characterLength(bytes[place])
            }
        }
        return table
    }

    private func mergeable(
        _ vocabulary: Vocabulary, _ bytes: [UInt8], _ range: Range<Int>
    ) -> Int32? {
        guard let id = vocabulary.id(bytes, range), pieces[Int(id)].kind == .normal else {
            return nil
        }
        return id
    }

    /// The parts of a tokenizer with SentencePiece's ids and text.
    func tokenizerFile() throws -> TokenizerFile {
        let vocabulary = try Vocabulary(pieces.map(\.text))
        let unknown = pieces.firstIndex { $0.kind == .unknown }
        let model = BytePairModel(
            vocabulary, merges(vocabulary), unknown: unknown.map { Int32($0) }, fusesUnknown: true,
            hasByteFallback: hasByteFallback)
        func id(_ number: Int64) -> Int32? {
            pieces.indices.contains(Int(truncatingIfNeeded: number)) && number >= 0
                ? Int32(truncatingIfNeeded: number) : nil
        }
        return TokenizerFile(
            model: model,
            addedTokens: pieces.enumerated().compactMap { id, piece in
                piece.kind == .userDefined ? AddedToken(userDefined: piece.text, id: id) : nil
            },
            controlTokens: Set(
                pieces.enumerated().filter { $0.element.kind == .control }.map { Int32($0.offset) }),
            normalizer: SentencePieceNormalizer(
                prefix: addsDummyPrefix ? .every : .none, removesExtra: removesExtraBlanks,
                escapes: escapesBlanks),
            // A tokenizer.model does not state whether texts start with <s>; for this family of
            // models they do.
            postProcessor: id(bos).map { SurroundingTokens(before: [$0], after: []) },
            decoder: SentencePieceDecoder(
                unknown: unknown.map { pieces[$0].text }, unknownSurface: unknownSurface,
                dropsPrefix: addsDummyPrefix || removesExtraBlanks,
                dropsEveryPrefix: removesExtraBlanks),
            boundaries: (id(bos), id(eos)))
    }
}

/// Blanks in SentencePiece's form: `▁` for a space, and one more before the text.
struct SentencePieceNormalizer: Normalizer {
    /// The texts that get a blank before them.
    enum Prefix: Sendable {
        case none
        /// Every text between special tokens, as in SentencePiece.
        case every
        /// The text at the start alone, unless it begins with a blank: `legacy: false` of
        /// transformers.
        case first
    }

    static let mark: [UInt8] = Array("\u{2581}".utf8)
    private static let space = UInt8(ascii: " ")

    var prefix: Prefix
    /// Whether blanks at the ends are removed and runs of blanks become one.
    let removesExtra: Bool
    let escapes: Bool

    func apply(_ bytes: [UInt8]) -> [UInt8] { apply(bytes, startsText: true) }

    func apply(_ bytes: [UInt8], startsText: Bool) -> [UInt8] {
        var text = bytes[...]
        if removesExtra {
            text = text.drop { $0 == Self.space }
            while text.last == Self.space { text.removeLast() }
        }
        guard !text.isEmpty else { return [] }
        let blank = escapes ? Self.mark : [Self.space]
        var normalized: [UInt8] = isPrefixed(text, startsText) ? blank : []
        normalized.reserveCapacity(text.count * 3 / 2)
        var before: UInt8?
        for byte in text {
            if byte != Self.space {
                normalized.append(byte)
            } else if !removesExtra || before != Self.space {
                normalized += blank
            }
            before = byte
        }
        return normalized
    }
}

extension SentencePieceNormalizer {
    private func isPrefixed(_ text: ArraySlice<UInt8>, _ startsText: Bool) -> Bool {
        switch prefix {
        case .none: false
        case .every: true
        case .first: startsText && text.first != Self.space && !text.starts(with: Self.mark)
        }
    }
}

/// Converts pieces back to text like SentencePiece: the prefix space is removed, runs of byte
/// pieces become characters, and each byte outside a character becomes U+FFFD.
struct SentencePieceDecoder: TokenDecoder {
    let unknown: String?
    let unknownSurface: String
    var dropsPrefix: Bool
    let dropsEveryPrefix: Bool

    var namesBytes: Bool { true }

    func apply(_ tokens: [String]) -> [String] {
        var text: [UInt8] = []
        var run: [UInt8] = []
        var isAtStart = true
        var hasDroppedPrefix = false
        for token in tokens {
            if let byte = ByteFallbackDecoder.byte(token) {
                run.append(byte)
                continue
            }
            Self.flush(&run, into: &text)
            if hasDroppedPrefix || !text.isEmpty { isAtStart = false }
            hasDroppedPrefix = false
            if let unknown, token.utf8.elementsEqual(unknown.utf8) {
                text += Array(unknownSurface.utf8)
                continue
            }
            var bytes = Array(token.utf8)[...]
            if isAtStart, dropsPrefix, bytes.starts(with: SentencePieceNormalizer.mark) {
                bytes = bytes.dropFirst(SentencePieceNormalizer.mark.count)
                hasDroppedPrefix = !dropsEveryPrefix
            }
            Self.append(bytes, to: &text)
        }
        Self.flush(&run, into: &text)
        return [String(decoding: text, as: UTF8.self)]
    }

    /// Appends a piece with spaces in place of its marks.
    private static func append(_ bytes: ArraySlice<UInt8>, to text: inout [UInt8]) {
        let mark = SentencePieceNormalizer.mark
        var place = bytes.startIndex
        while place < bytes.endIndex {
            if bytes[place] == mark[0], bytes[place...].starts(with: mark) {
                text.append(UInt8(ascii: " "))
                place += mark.count
            } else {
                text.append(bytes[place])
                place += 1
            }
        }
    }

    private static func flush(_ run: inout [UInt8], into text: inout [UInt8]) {
        var place = 0
        while place < run.count {
            let end = min(place + characterLength(run[place]), run.count)
            if String(validating: run[place..<end], as: UTF8.self) != nil {
                text += run[place..<end]
                place = end
            } else {
                text += Array("\u{FFFD}".utf8)
                place += 1
            }
        }
        run.removeAll()
    }
}
