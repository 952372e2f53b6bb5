/// Faults of a prompt template. Lines are counted from 1, messages from 0.
public enum PromptError: Error, Sendable, Hashable {
    case unknownGap(String, known: [String], line: Int)
    case unpairedBrace(line: Int)
    /// None of these gaps is in the template, and at least one is required.
    case missingGap([String])
    indirect case inMessage(Int, PromptError)
    /// A template of messages has none.
    case noMessages
    /// The last message is not one that a model answers.
    case lastMessage
    /// Of the templates for sampling and for scoring, one is text and one is messages.
    case mixedForms
    /// The prompts are messages, and the model has no chat template that writes them as text.
    case noChatTemplate
}

extension PromptError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownGap(let name, let known, let line):
            "Line \(line) of the template has the unknown placeholder {\(name)}; the placeholders are "
                + known.map { "{\($0)}" }.joined(separator: ", ")
                + ". For a brace in the text write {{."
        case .unpairedBrace(let line):
            "Line \(line) of the template has an unpaired brace; "
                + "for a brace in the text write {{ or }}."
        case .missingGap(let names):
            "The template needs the placeholder "
                + names.map { "{\($0)}" }.joined(separator: " or ") + "."
        case .inMessage(let place, let error): "In messages[\(place)]: \(error)"
        case .noMessages: "The template has no messages; the last one must be the user's."
        case .lastMessage: "The last message must be the user's, because the model answers it."
        case .mixedForms:
            "The templates rollout and training must both have `source`, or both `messages`."
        case .noChatTemplate:
            "These prompts are messages, and the model has no chat template that writes them as "
                + "text; prompts=general are plain text."
        }
    }
}
