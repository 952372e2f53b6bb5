/// The smallest piece of a statement. ("Token" means a vocabulary id everywhere in this project.)
struct Lexeme {
    enum Kind: Equatable {
        case identifier(String)
        case number(Double)
        case text(String)
        case symbol(String)
        case newline
        case semicolon
        case end
        /// Unreadable input, or text without a closing quote.
        case broken(Problem)
    }

    var kind: Kind
    var span: SourceSpan
    /// Whether a blank, a comment or a line break comes before.
    var afterBlank: Bool

    func `is`(_ symbol: String) -> Bool { kind == .symbol(symbol) }

    /// The name, unless it is a word of the language.
    var name: String? {
        if case .identifier(let name) = kind, !Lexeme.reserved.contains(name) { return name }
        return nil
    }

    var word: String? {
        if case .identifier(let word) = kind { return word }
        return nil
    }

    static let reserved: Set<String> = [
        "true", "false", "null", "True", "False", "None", "and", "or", "not", "in", "if", "else",
        "for",
    ]
}

extension Lexeme.Kind {
    /// The description of an unexpected lexeme in a diagnostic.
    var described: String {
        switch self {
        case .identifier(let name): "`\(name.shortened)`"
        case .number: "a number"
        case .text(let text): "the text \"\(text.shortened)\""
        case .symbol(let symbol): "`\(symbol)`"
        case .newline: "the end of the line"
        case .semicolon: "`;`"
        case .end: "the end"
        case .broken: "something unreadable"
        }
    }
}

extension String {
    /// One line of at most 32 characters, for quoting input inside a sentence.
    var shortened: String {
        var result = ""
        var count = 0
        for character in self {
            if count == 32 { return result + "…" }
            result.append(character.isNewline ? " " : character)
            count += 1
        }
        return result
    }
}
