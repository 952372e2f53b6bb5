import ChatTemplates

/// A prompt before its values are known: text that the model continues, or the messages of a
/// conversation that an instruct model answers. Users can replace it.
public struct PromptTemplate: Sendable, Hashable {
    /// The purpose of a prompt decides which placeholders it may and must have.
    public enum Purpose: String, CaseIterable, Sendable, Codable {
        /// Shows a constitution and a query, and ends where the response begins.
        case response
        /// Asks the principle writer for pairs.
        case principles
        /// Asks a judge which of two responses follows a constitution better.
        case comparison

        var placeholders: [String] {
            switch self {
            case .response: ["constitution", "query", "text", "task", "cue", "example"]
            case .principles: ["about", "count"]
            case .comparison: ["constitution", "query", "first", "second"]
            }
        }

        /// Of each inner list the template must contain at least one.
        var required: [[String]] {
            switch self {
            case .response: [["constitution"], ["query", "text"]]
            case .principles: []
            case .comparison: [["constitution"], ["first"], ["second"]]
            }
        }
    }

    /// One message of a conversation.
    public struct Message: Sendable, Hashable {
        public enum Role: String, CaseIterable, Sendable, Codable { case system, user, assistant }

        public let role: Role
        public let content: TemplateText
    }

    public enum Form: Sendable, Hashable {
        case text(TemplateText)
        /// At least one. The last message is the user's; an assistant's message in its place is the
        /// beginning of the answer.
        case messages([Message])
    }

    public let purpose: Purpose
    public let form: Form

    /// A template of text.
    ///
    /// - Throws: `PromptError.unknownGap`, `.unpairedBrace`, and `.missingGap` if a gap that the
    ///   purpose requires is absent.
    public init(_ source: String, for purpose: Purpose) throws {
        let text = try TemplateText(source, placeholders: purpose.placeholders)
        try PromptTemplate.check(text.gaps, purpose)
        self.purpose = purpose
        form = .text(text)
    }

    /// The same for the content of a file, without the line feed that an editor adds at the end.
    public init(file content: String, for purpose: Purpose) throws {
        let ends = content.last.map(\.isNewline) ?? false
        try self.init(ends ? String(content.dropLast()) : content, for: purpose)
    }

    /// A template of messages.
    ///
    /// - Throws: the same errors, in `.inMessage`; `.noMessages`; `.lastMessage`.
    public init(messages: [(role: Message.Role, content: String)], for purpose: Purpose) throws {
        let messages = try messages.enumerated().map { place, message in
            do {
                let text = try TemplateText(message.content, placeholders: purpose.placeholders)
                return Message(role: message.role, content: text)
            } catch let error as PromptError {
                throw PromptError.inMessage(place, error)
            }
        }
        guard let last = messages.last else { throw PromptError.noMessages }
        guard last.role == .user || (purpose != .response && last.role == .assistant) else {
            throw PromptError.lastMessage
        }
        try PromptTemplate.check(
            messages.reduce(into: []) { $0.formUnion($1.content.gaps) }, purpose)
        self.purpose = purpose
        form = .messages(messages)
    }

    /// For this module's own templates; a test checks that they parse like a user's.
    init(shipped source: String, for purpose: Purpose) {
        self.purpose = purpose
        form = .text(TemplateText(shipped: source, placeholders: purpose.placeholders))
    }

    init(shipped messages: [(role: Message.Role, content: String)], for purpose: Purpose) {
        self.purpose = purpose
        form = .messages(
            messages.map { role, content in
                Message(
                    role: role,
                    content: TemplateText(shipped: content, placeholders: purpose.placeholders))
            })
    }

    private static func check(_ gaps: Set<String>, _ purpose: Purpose) throws {
        for choice in purpose.required where gaps.isDisjoint(with: choice) {
            throw PromptError.missingGap(choice)
        }
    }

    /// Whether it consists of messages.
    public var isChat: Bool {
        if case .messages = form { true } else { false }
    }

    /// The prompt; a placeholder without a value becomes empty.
    public func rendered(_ values: [String: String]) -> PromptContent {
        switch form {
        case .text(let text): .text(text.rendered(values))
        case .messages(let messages):
            .messages(
                messages.map {
                    ChatMessage(role: $0.role.rawValue, content: $0.content.rendered(values))
                })
        }
    }
}

/// The form in a file: `source` or `messages`, and the purpose.
extension PromptTemplate: Codable {
    private enum Key: String, CodingKey { case source, messages, purpose }

    private struct StoredMessage: Codable {
        var role: Message.Role
        var content: String
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let purpose = try container.decode(Purpose.self, forKey: .purpose)
        guard container.contains(.messages) else {
            try self.init(container.decode(String.self, forKey: .source), for: purpose)
            return
        }
        let messages = try container.decode([StoredMessage].self, forKey: .messages)
        try self.init(messages: messages.map { ($0.role, $0.content) }, for: purpose)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch form {
        case .text(let text): try container.encode(text.source, forKey: .source)
        case .messages(let messages):
            try container.encode(
                messages.map { StoredMessage(role: $0.role, content: $0.content.source) },
                forKey: .messages)
        }
        try container.encode(purpose, forKey: .purpose)
    }
}
