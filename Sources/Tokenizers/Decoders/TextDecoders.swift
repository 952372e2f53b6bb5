/// Joins all tokens into one text.
struct FuseDecoder: TokenDecoder {
    func apply(_ tokens: [String]) -> [String] {
        [tokens.joined()]
    }
}

/// Converts marks back to spaces, and removes the space that encoding added at the start of the
/// text.
struct MetaspaceDecoder: TokenDecoder {
    let mark: Metaspace

    func apply(_ tokens: [String]) -> [String] {
        let scalar = mark.text.unicodeScalars.first
        return tokens.enumerated().map { place, token in
            var text = String.UnicodeScalarView()
            for character in token.unicodeScalars {
                if character != scalar {
                    text.append(character)
                } else if place > 0 || !mark.isDropped {
                    text.append(" ")
                }
            }
            return String(text)
        }
    }
}

/// Removes a limited number of one character from the ends of every token.
struct StripDecoder: TokenDecoder {
    private let content: Unicode.Scalar
    private let start: Int
    private let stop: Int

    init(_ field: Field) throws {
        try field.allow("type", "content", "start", "stop")
        let text = try field.string("content")
        guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first else {
            throw TokenizerError.wrongType(
                field: "\(field.path).content", expected: "one character",
                found: "“\(text.prefix(40))”")
        }
        content = scalar
        start = try field.required("start").count()
        stop = try field.required("stop").count()
    }

    func apply(_ tokens: [String]) -> [String] {
        tokens.map { token in
            var text = Substring(token).unicodeScalars
            for _ in 0..<min(start, text.count) where text.first == content { text.removeFirst() }
            for _ in 0..<min(stop, text.count) where text.last == content { text.removeLast() }
            return String(text)
        }
    }
}
