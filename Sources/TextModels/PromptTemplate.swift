/// A prompt with placeholders: `{constitution}`, `{query}` and so on. Users can replace it.
///
/// `{{` and `}}` stand for single braces. Inserted values are never read as a template.
public struct PromptTemplate: Sendable, Hashable {
    /// The purpose of a prompt decides which placeholders it may and must have.
    public enum Purpose: String, CaseIterable, Sendable, Codable {
        /// Shows a constitution and a query, and ends where the response begins.
        case response
        /// Asks the principle writer for pairs.
        case principles

        var placeholders: [String] {
            switch self {
            case .response: ["constitution", "query", "text", "task", "cue", "example"]
            case .principles: ["about", "count"]
            }
        }

        /// Of each inner list the template must contain at least one.
        var required: [[String]] {
            switch self {
            case .response: [["constitution"], ["query", "text"]]
            case .principles: []
            }
        }
    }

    enum Piece: Hashable, Sendable {
        case text(String)
        case gap(String)
    }

    public let source: String
    public let purpose: Purpose
    let pieces: [Piece]

    /// - Throws: `PromptError.unknownGap`, `.unpairedBrace`, and `.missingGap` if a gap that the
    ///   purpose requires is absent.
    public init(_ source: String, for purpose: Purpose) throws {
        self.source = source
        self.purpose = purpose
        pieces = try PromptTemplate.parse(source, purpose)
        let gaps = pieces.compactMap { piece -> String? in
            if case .gap(let name) = piece { name } else { nil }
        }
        for choice in purpose.required where !choice.contains(where: gaps.contains) {
            throw PromptError.missingGap(choice)
        }
    }

    /// The same for the content of a file, without the line feed that an editor adds at the end.
    public init(file content: String, for purpose: Purpose) throws {
        let ends = content.last.map(\.isNewline) ?? false
        try self.init(ends ? String(content.dropLast()) : content, for: purpose)
    }

    /// For this module's own templates; a test checks that they parse like a user's.
    init(shipped source: String, for purpose: Purpose) {
        self.source = source
        self.purpose = purpose
        pieces = (try? PromptTemplate.parse(source, purpose)) ?? [.text(source)]
    }

    /// The prompt; a placeholder without a value becomes empty.
    public func rendered(_ values: [String: String]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .gap(let name): values[name] ?? ""
            }
        }.joined()
    }

    private static func parse(_ source: String, _ purpose: Purpose) throws -> [Piece] {
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
                    guard purpose.placeholders.contains(name) else {
                        throw PromptError.unknownGap(
                            name, known: purpose.placeholders, line: line)
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

extension PromptTemplate: Codable {
    private enum Key: String, CodingKey { case source, purpose }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        try self.init(
            container.decode(String.self, forKey: .source),
            for: container.decode(Purpose.self, forKey: .purpose))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(source, forKey: .source)
        try container.encode(purpose, forKey: .purpose)
    }
}
