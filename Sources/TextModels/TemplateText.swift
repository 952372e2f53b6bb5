/// Text with placeholders: `{constitution}`, `{query}` and so on.
///
/// `{{` and `}}` stand for single braces. Inserted values are never read as a template.
public struct TemplateText: Sendable, Hashable {
    private enum Piece: Hashable, Sendable {
        case text(String)
        case gap(String)
    }

    public let source: String
    private let pieces: [Piece]

    /// - Throws: `PromptError.unknownGap`, `.unpairedBrace`.
    init(_ source: String, placeholders: [String]) throws {
        self.source = source
        pieces = try TemplateText.parse(source, placeholders)
    }

    /// For this module's own templates; a test checks that they parse like a user's.
    init(shipped source: String, placeholders: [String]) {
        self.source = source
        pieces = (try? TemplateText.parse(source, placeholders)) ?? [.text(source)]
    }

    /// The names of its placeholders.
    var gaps: Set<String> {
        Set(
            pieces.compactMap { piece in
                if case .gap(let name) = piece { name } else { nil }
            })
    }

    /// The text; a placeholder without a value becomes empty.
    func rendered(_ values: [String: String]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .gap(let name): values[name] ?? ""
            }
        }.joined()
    }

    private static func parse(_ source: String, _ placeholders: [String]) throws -> [Piece] {
        var pieces: [Piece] = []
        var text = ""
        var line = 1
        var rest = Substring(source)
        while let character = rest.popFirst() {
            if character.isNewline { line += 1 }
            switch character {
            case "{", "}":
                if rest.first == character {
                    text.append(character)
                    rest.removeFirst()
                } else if character == "{", let end = rest.firstIndex(of: "}") {
                    let name = String(rest[..<end])
                    guard placeholders.contains(name) else {
                        throw PromptError.unknownGap(name, known: placeholders, line: line)
                    }
                    if !text.isEmpty { pieces.append(.text(text)) }
                    text = ""
                    pieces.append(.gap(name))
                    rest = rest[rest.index(after: end)...]
                } else {
                    throw PromptError.unpairedBrace(line: line)
                }
            default: text.append(character)
            }
        }
        if !text.isEmpty { pieces.append(.text(text)) }
        return pieces
    }
}
