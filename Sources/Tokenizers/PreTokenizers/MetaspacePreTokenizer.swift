/// SentencePiece's treatment of blanks: every space becomes a visible mark, a word includes the
/// mark before it, and a text may get a mark at its start.
struct MetaspacePreTokenizer: PreTokenizer {
    let mark: Metaspace
    /// Whether the text is cut before every mark.
    let splits: Bool
    var addsPrefix: Bool { mark.isDropped }

    init(_ field: Field) throws {
        try field.allow(
            "type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep")
        mark = try Metaspace(field)
        splits = try field.bool("split", default: true)
    }

    func apply(_ pieces: Pieces) -> Pieces {
        var isFirst = pieces.startsText
        let marked = pieces.rewriting { piece in
            defer { isFirst = false }
            var text = piece.flatMap { $0 == UInt8(ascii: " ") ? mark.bytes : [$0] }
            if mark.isPrepended(isFirst: isFirst), !text.starts(with: mark.bytes) {
                text = mark.bytes + text
            }
            return text
        }
        return splits ? marked.split(mark.pattern, .mergedWithNext) : marked
    }
}

/// The mark that stands for a space, and the rule for adding one before a text.
struct Metaspace: Sendable {
    private enum Scheme: String, CaseIterable {
        case always, never, first
    }

    let bytes: [UInt8]
    let text: String
    let pattern: Pattern
    private let scheme: Scheme

    init(_ field: Field) throws {
        let replacement = try field.string("replacement")
        guard replacement.unicodeScalars.count == 1 else {
            throw TokenizerError.wrongType(
                field: "\(field.path).replacement", expected: "one character",
                found: "“\(replacement.prefix(40))”")
        }
        text = replacement
        bytes = Array(replacement.utf8)
        pattern = try Pattern(literal: replacement, field: field.path)
        let name = try field.optional("prepend_scheme")?.string()
        // Older files have true or false instead.
        let adds = try field.bool("add_prefix_space", default: true)
        let fallback: Scheme = adds ? .always : .never
        guard let scheme = name.map({ Scheme(rawValue: $0) }) ?? fallback, adds || scheme == .never
        else {
            throw TokenizerError.unsupportedSetting(
                field: "\(field.path).prepend_scheme", value: name ?? "")
        }
        self.scheme = scheme
    }

    func isPrepended(isFirst: Bool) -> Bool {
        scheme == .always || (scheme == .first && isFirst)
    }

    /// Whether decoding removes the mark from the first token.
    var isDropped: Bool { scheme != .never }
}
