import ChatTemplates

/// What a prompt says: text that is continued, or messages that are answered.
public enum PromptContent: Sendable {
    case text(String)
    /// At least one. A last message of the assistant is the beginning of the answer.
    case messages([ChatMessage])

    /// The answers that the messages give as examples.
    public var answers: [String] {
        guard case .messages(let messages) = self else { return [] }
        return messages.filter { $0.role == "assistant" }.map(\.content)
    }

    /// The beginning of the answer, which the prompt contains: the text after the last line feed,
    /// or a last message of the assistant.
    public var beginning: String {
        switch self {
        case .text(let text):
            let last = text.lastIndex(where: \.isNewline)
            return last.map { String(text[text.index(after: $0)...]) } ?? text
        case .messages(let messages):
            return messages.last.flatMap { $0.role == "assistant" ? $0.content : nil } ?? ""
        }
    }

    /// The prompt as the model reads it.
    ///
    /// - Parameters:
    ///   - separator: between a prompt and its response; a chat format may have its own.
    ///   - chat: writes messages as text.
    /// - Throws: `PromptError.noChatTemplate` for messages without a format; an error of the
    ///   template.
    public func rendered(separator: String, by chat: ChatFormat?) throws -> RenderedPrompt {
        switch self {
        case .text(let text): return RenderedPrompt(text: text, separator: separator)
        case .messages(let messages):
            guard let chat else { throw PromptError.noChatTemplate }
            return RenderedPrompt(
                text: try chat.prompt(messages),
                separator: separator.isEmpty ? chat.separator : separator,
                chat: ChatJoint(endOfTurn: chat.endOfTurn))
        }
    }
}

/// A prompt as text, and how a response joins it.
public struct RenderedPrompt: Sendable, Hashable {
    public var text: String
    /// The text between prompt and response.
    public var separator: String
    /// Nil for plain text.
    public var chat: ChatJoint?

    public init(text: String, separator: String = "", chat: ChatJoint? = nil) {
        self.text = text
        self.separator = separator
        self.chat = chat
    }
}

/// The joint of prompt and response where a chat template wrote the prompt.
///
/// Such a prompt spells all special tokens, so none are added when it is encoded. The ids of the
/// response follow those of the prompt, as in sampling: no token reaches over the joint.
public struct ChatJoint: Sendable, Codable, Hashable {
    /// The spelling of the token that ends an answer; nil if the template ends it with plain text
    /// or with nothing.
    public var endOfTurn: String?

    public init(endOfTurn: String? = nil) { self.endOfTurn = endOfTurn }
}
