/// A token that is found in the text before the model's encoding, with the flags of
/// `tokenizer.json`.
public struct AddedToken: Hashable, Sendable {
    public var id: Int32
    public var content: String
    /// Matches only if no letter, digit or underscore touches it.
    public var isSingleWord: Bool
    /// Whether the match includes the blanks before it.
    public var stripsLeft: Bool
    /// Whether the match includes the blanks after it.
    public var stripsRight: Bool
    /// Whether it is found in the normalized text rather than in the original text.
    public var isNormalized: Bool
    /// Whether decoded text omits it by default.
    public var isSpecial: Bool
    /// Whether normalized text contains the content unchanged.
    var isSpelledNormalized = false

    /// A symbol that SentencePiece finds in text whose blanks are already marked.
    init(userDefined content: String, id: Int) {
        self.id = Int32(truncatingIfNeeded: id)
        self.content = content
        (isSingleWord, stripsLeft, stripsRight) = (false, false, false)
        (isNormalized, isSpecial, isSpelledNormalized) = (true, false, true)
    }

    /// A special token that only text with its exact spelling produces.
    init(special content: String, id: Int32) {
        (self.id, self.content) = (id, content)
        (isSingleWord, stripsLeft, stripsRight) = (false, false, false)
        (isNormalized, isSpecial) = (false, true)
    }

    /// A text is compared with every token at every place, so the length of tokens is limited.
    private static let longestContent = 4096

    private static func content(_ field: Field) throws -> String {
        let content = try field.string("content")
        guard content.utf8.count <= longestContent else {
            throw TokenizerError.unsupportedSetting(
                field: "\(field.path).content", value: "a text of \(content.utf8.count) bytes")
        }
        return content
    }

    /// From `added_tokens_decoder` in a `tokenizer_config.json`, which lists tokens by id.
    init(_ field: Field, id: String) throws {
        content = try Self.content(field)
        guard let number = Int(id), (0...Vocabulary.largestID).contains(number) else {
            throw TokenizerError.badID(token: content, field: field.path, id: id)
        }
        self.id = Int32(number)
        isSpecial = try field.bool("special", default: false)
        isSingleWord = try field.bool("single_word", default: false)
        stripsLeft = try field.bool("lstrip", default: false)
        stripsRight = try field.bool("rstrip", default: false)
        isNormalized = try field.bool("normalized", default: !isSpecial)
    }

    init(_ field: Field) throws {
        try field.allow(
            "id", "content", "single_word", "lstrip", "rstrip", "normalized", "special")
        content = try Self.content(field)
        id = Int32(try field.required("id").id(of: content))
        isSpecial = try field.bool("special", default: false)
        isSingleWord = try field.bool("single_word", default: false)
        stripsLeft = try field.bool("lstrip", default: false)
        stripsRight = try field.bool("rstrip", default: false)
        isNormalized = try field.bool("normalized", default: !isSpecial)
    }
}

/// A part of a text: an added token, or text for the model.
enum Segment: Sendable {
    case token(Int32)
    case text(Range<Int>)
}

/// Finds added tokens in text: the leftmost first, and of these the longest.
struct AddedTokenFinder: Sendable {
    private let tokens: [AddedToken]
    /// A trie over bytes: node and byte to node; node 0 is the root.
    private var children: [UInt64: Int32] = [:]
    private var tokenOfNode: [Int32] = [-1]
    private var starts = [Bool](repeating: false, count: 256)

    /// The spellings are the contents, normalized for tokens that are found in normalized text.
    init(_ tokens: [AddedToken], spelling: (AddedToken) -> [UInt8]) {
        self.tokens = tokens
        for (index, token) in tokens.enumerated() {
            let bytes = spelling(token)
            guard let first = bytes.first else { continue }
            starts[Int(first)] = true
            var node: Int32 = 0
            for byte in bytes {
                let key = UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
                if let child = children[key] {
                    node = child
                } else {
                    node = Int32(tokenOfNode.count)
                    tokenOfNode.append(-1)
                    children[key] = node
                }
            }
            if tokenOfNode[Int(node)] < 0 { tokenOfNode[Int(node)] = Int32(index) }
        }
    }

    func segments(_ bytes: [UInt8]) -> [Segment] {
        guard !bytes.isEmpty else { return [] }
        guard !tokens.isEmpty else { return [.text(0..<bytes.count)] }
        var segments: [Segment] = []
        var textStart = 0
        var place = 0
        while place < bytes.count {
            guard starts[Int(bytes[place])], let (token, end) = longest(bytes, place) else {
                place += 1
                continue
            }
            let start = place
            place = end
            if token.isSingleWord, touchesWord(bytes, start, end) { continue }
            var lower = start
            var upper = end
            if token.stripsLeft { lower = max(blanksBefore(bytes, start), textStart) }
            if token.stripsRight { upper = blanksBehind(bytes, end) }
            if textStart < lower { segments.append(.text(textStart..<lower)) }
            segments.append(.token(token.id))
            textStart = upper
            place = max(place, upper)
        }
        if textStart < bytes.count { segments.append(.text(textStart..<bytes.count)) }
        return segments
    }

    private func longest(_ bytes: [UInt8], _ start: Int) -> (AddedToken, Int)? {
        var node: Int32 = 0
        var found: (AddedToken, Int)?
        var place = start
        while place < bytes.count,
            let child = children[UInt64(UInt32(bitPattern: node)) << 8 | UInt64(bytes[place])]
        {
            node = child
            place += 1
            let token = tokenOfNode[Int(node)]
            if token >= 0 { found = (tokens[Int(token)], place) }
        }
        return found
    }

    private func touchesWord(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Bool {
        let before = scalar(before: start, bytes)
        let behind = scalar(at: end, bytes)
        return before?.isWordCharacter == true || behind?.isWordCharacter == true
    }

    private func blanksBefore(_ bytes: [UInt8], _ start: Int) -> Int {
        var place = start
        while let scalar = scalar(before: place, bytes), scalar.properties.isWhitespace {
            place -= scalar.utf8.count
        }
        return place
    }

    private func blanksBehind(_ bytes: [UInt8], _ end: Int) -> Int {
        var place = end
        while let scalar = scalar(at: place, bytes), scalar.properties.isWhitespace {
            place += scalar.utf8.count
        }
        return place
    }

    private func scalar(at place: Int, _ bytes: [UInt8]) -> Unicode.Scalar? {
        guard place < bytes.count else { return nil }
        let end = min(place + characterLength(bytes[place]), bytes.count)
        return String(decoding: bytes[place..<end], as: UTF8.self).unicodeScalars.first
    }

    private func scalar(before place: Int, _ bytes: [UInt8]) -> Unicode.Scalar? {
        var start = place - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start >= 0 ? scalar(at: start, bytes) : nil
    }
}

extension Unicode.Scalar {
    /// `\w` of Unicode's regular expressions (UTS #18).
    var isWordCharacter: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            true
        default: properties.isAlphabetic || properties.isJoinControl
        }
    }
}
