import JSON

/// Byte-pair encoding of one piece of text (Sennrich et al. 2016, in the manner of the `tokenizers`
/// package): characters become tokens, and the pair with the lowest rank is merged until no pair
/// can be merged.
struct BytePairModel: Sendable {
    let vocabulary: Vocabulary
    private let merges: MergeTable
    /// The token for a character that is not in the vocabulary. Without it such characters are
    /// dropped.
    private let unknown: Int32?
    private let fusesUnknown: Bool
    /// The tokens `<0x00>` to `<0xFF>`, -1 for a missing one; nil without byte fallback.
    private let byteTokens: [Int32]?
    /// Whether a piece that is itself a token stays whole, whatever the merges say.
    private let ignoresMerges: Bool
    /// Whether a text may be cut before the `▁` of every word. It may if no token contains `▁`
    /// after another character: then no merge crosses the cut. Words repeat more often than texts,
    /// so caching them pays.
    private let cutsAtMarks: Bool
    /// Ids of the characters below U+0180, which include ASCII and the byte alphabet.
    private let lowCharacters: [Int32]

    init(_ field: Field) throws {
        try field.allow(
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
            "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges")
        if let dropout = try field.optional("dropout"), let share = dropout.value.double,
            share != 0
        {
            throw TokenizerError.unsupportedSetting(field: dropout.path, value: "\(share)")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let affix = try field.optional(key), !(try affix.string().isEmpty) {
                throw TokenizerError.unsupportedSetting(
                    field: affix.path, value: try affix.string())
            }
        }
        let vocabulary = try Vocabulary(field.required("vocab"))
        self.vocabulary = vocabulary
        merges = try Self.merges(field.required("merges"), vocabulary)
        unknown = try field.optional("unk_token").flatMap { vocabulary.id(try $0.string()) }
        fusesUnknown = try field.bool("fuse_unk", default: false)
        ignoresMerges = try field.bool("ignore_merges", default: false)
        byteTokens =
            try field.bool("byte_fallback", default: false) ? Self.byteTokens(vocabulary) : nil
        lowCharacters = Self.lowCharacters(vocabulary)
        cutsAtMarks = !ignoresMerges && vocabulary.holdsMarksInFrontOnly
    }

    init(
        _ vocabulary: Vocabulary, _ merges: MergeTable, unknown: Int32?, fusesUnknown: Bool,
        hasByteFallback: Bool
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.unknown = unknown
        self.fusesUnknown = fusesUnknown
        ignoresMerges = false
        byteTokens = hasByteFallback ? Self.byteTokens(vocabulary) : nil
        lowCharacters = Self.lowCharacters(vocabulary)
        cutsAtMarks = vocabulary.holdsMarksInFrontOnly
    }

    /// Appends the ids of the piece in a range of the bytes.
    func encode(
        _ bytes: [UInt8], _ range: Range<Int>, _ state: inout EncodingState, into ids: inout [Int32]
    ) {
        guard cutsAtMarks else { return encodeWord(bytes, range, &state, into: &ids) }
        var start = range.lowerBound
        var place = start
        var isBehindMark = true
        while place < range.upperBound {
            let isMark = Vocabulary.isMark(bytes, place, before: range.upperBound)
            if isMark, !isBehindMark {
                encodeWord(bytes, start..<place, &state, into: &ids)
                start = place
            }
            isBehindMark = isMark
            place += isMark ? 3 : 1
        }
        encodeWord(bytes, start..<range.upperBound, &state, into: &ids)
    }

    private func encodeWord(
        _ bytes: [UInt8], _ range: Range<Int>, _ state: inout EncodingState, into ids: inout [Int32]
    ) {
        if state.takeKnown(bytes, range, into: &ids) { return }
        let start = ids.count
        if ignoresMerges, let id = vocabulary.id(bytes, range) {
            ids.append(id)
        } else {
            characters(bytes, range, into: &state.symbols)
            state.merge(merges)
            ids.append(contentsOf: state.symbols)
        }
        state.remember(bytes, range, ids[start...])
    }

    /// The piece as one token for each character.
    private func characters(_ bytes: [UInt8], _ range: Range<Int>, into symbols: inout [Int32]) {
        symbols.removeAll(keepingCapacity: true)
        var pendingUnknown = false
        var place = range.lowerBound
        while place < range.upperBound {
            let end = min(place + characterLength(bytes[place]), range.upperBound)
            let character = place..<end
            place = end
            if let id = id(ofCharacter: character, bytes) {
                if pendingUnknown, let unknown { symbols.append(unknown) }
                pendingUnknown = false
                symbols.append(id)
                continue
            }
            if let byteTokens, character.allSatisfy({ byteTokens[Int(bytes[$0])] >= 0 }) {
                for byte in bytes[character] { symbols.append(byteTokens[Int(byte)]) }
                continue
            }
            if pendingUnknown, !fusesUnknown, let unknown { symbols.append(unknown) }
            pendingUnknown = unknown != nil
        }
        if pendingUnknown, let unknown { symbols.append(unknown) }
    }

    private func id(ofCharacter range: Range<Int>, _ bytes: [UInt8]) -> Int32? {
        let lead = bytes[range.lowerBound]
        var code = Int(lead)
        if range.count == 2 {
            code = Int(lead & 0x1F) << 6 | Int(bytes[range.lowerBound + 1] & 0x3F)
        }
        if range.count <= 2, code < lowCharacters.count {
            return lowCharacters[code] >= 0 ? lowCharacters[code] : nil
        }
        return vocabulary.id(bytes, range)
    }

    private static func lowCharacters(_ vocabulary: Vocabulary) -> [Int32] {
        (0..<0x180).map { code in
            Unicode.Scalar(UInt32(code)).flatMap { vocabulary.id(String($0)) } ?? -1
        }
    }

    private static func byteTokens(_ vocabulary: Vocabulary) -> [Int32] {
        (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return vocabulary.id("<0x" + (byte < 16 ? "0" : "") + digits + ">") ?? -1
        }
    }

    /// Reads both forms of a merge: `"a b"` and `["a", "b"]`.
    private static func merges(_ field: Field, _ vocabulary: Vocabulary) throws -> MergeTable {
        guard case .array(let lines) = field.value else { throw field.wrongType("a list") }
        var table = MergeTable(expecting: lines.count)
        for (rank, line) in lines.enumerated() {
            let (left, right) = try pair(line, rank, field)
            func id(_ token: String, result: Bool) throws -> Int32 {
                guard let id = vocabulary.id(token) else {
                    throw TokenizerError.unknownMergeToken(
                        index: rank, token: token, result: result)
                }
                return id
            }
            table.insert(
                try id(left, result: false), try id(right, result: false), rank: rank,
                result: try id(left + right, result: true))
        }
        return table
    }

    private static func pair(
        _ line: JSON, _ rank: Int, _ field: Field
    ) throws -> (String, String) {
        switch line {
        case .string(let text):
            let parts = text.utf8.split(
                separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw TokenizerError.badMerge(index: rank, text: text) }
            return (String(Substring(parts[0])), String(Substring(parts[1])))
        case .array(let parts):
            guard parts.count == 2, case .string(let left) = parts[0],
                case .string(let right) = parts[1]
            else { throw TokenizerError.badMerge(index: rank, text: "a list of \(parts.count)") }
            return (left, right)
        default:
            throw TokenizerError.badMerge(index: rank, text: line.kind)
        }
    }
}
