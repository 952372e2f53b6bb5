import Tokenizers
import Transformers

/// A language model that reads and writes text: the model with its tokenizer, its chat template,
/// its prompts, and its stop tokens and stop strings.
///
/// All sampling of text goes through `complete`: rollouts, proposals, the responses that a judge
/// compares, `generate`, and the evaluation of the shipped model.
///
/// A `TextModel` opens no file and keeps no state; copies share the weights.
///
/// ```swift
/// let prompt = textModel.prompt("Once upon a time")
/// let texts = try textModel.complete(
///     [CompletionRequest(prompt, key: RandomKey(seed: 1))], Sampling(maxTokens: 20))
/// print(prompt.text + texts[0].text)
/// ```
public struct TextModel: Sendable {
    public var model: LanguageModel
    public var tokenizer: Tokenizer
    /// The templates that turn queries and constitutions into text for this model.
    public var prompts: Prompts
    /// Writes conversations as text; nil for a model without a chat template.
    public var chat: ChatFormat?

    public init(
        model: LanguageModel, tokenizer: Tokenizer, prompts: Prompts = .general,
        chat: ChatFormat? = nil
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.prompts = prompts
        self.chat = chat
    }

    /// The same tokenizer, template and prompts with other weights.
    public func with(_ model: LanguageModel) -> TextModel {
        var copy = self
        copy.model = model
        return copy
    }

    /// The longest sequence of prompt and completion together, in tokens.
    public var context: Int { model.configuration.longestSequence }

    /// The stop tokens: those that the model's configuration names, those that its tokenizer
    /// names, and the token that ends an answer in its chat template.
    public var stopTokens: Set<Int32> {
        Set(
            model.configuration.endTokens + tokenizer.stops
                + [chat?.endOfTurn.flatMap { tokenizer.id($0) }].compactMap(\.self))
    }

    /// A text to continue, encoded.
    public func prompt(_ text: String) -> TextPrompt {
        prompt(RenderedPrompt(text: text))
    }

    /// A prompt, encoded. One that a chat template wrote has its special tokens already.
    public func prompt(_ prompt: RenderedPrompt) -> TextPrompt {
        TextPrompt(
            text: prompt.text,
            tokens: tokenizer.encode(beginning: prompt.text, special: prompt.chat == nil))
    }

    /// A request, encoded. A chat template writes messages.
    ///
    /// - Throws: `PromptError.noChatTemplate`; an error of the chat template.
    public func prompt(_ content: PromptContent) throws -> TextPrompt {
        prompt(try content.rendered(separator: "", by: chat))
    }

    /// A prompt that ends with the beginning of its response, which follows after the separator.
    ///
    /// - Returns: also the ids of the beginning, which are known only of a chat prompt: in text one
    ///   token may hold parts of both.
    package func prompt(
        _ prompt: RenderedPrompt, beginning: String
    ) -> (prompt: TextPrompt, beginning: [Int32]) {
        let own = self.prompt(prompt)
        guard !beginning.isEmpty else { return (own, []) }
        let text = prompt.separator + beginning
        guard prompt.chat != nil else { return (self.prompt(prompt.text + text), []) }
        let ids = tokenizer.continuation(text, of: own).tokens
        return (TextPrompt(text: own.text + text, tokens: own.tokens + ids), ids)
    }
}

/// A model among several: by the name that a workspace gives it.
public typealias NamedTextModel = (name: String, text: TextModel)

/// A text to continue, with its token ids: a prompt is encoded once, however often it is used.
public struct TextPrompt: Sendable, Hashable {
    public let text: String
    public let tokens: [Int32]

    public init(text: String, tokens: [Int32]) {
        self.text = text
        self.tokens = tokens
    }
}

extension Tokenizer {
    /// The ids of a text that continues a prompt whose ids stay as they are, as in sampling.
    ///
    /// They are those of the encoding of both together, if that begins with the prompt's. If a
    /// token reaches over the joint, the text is encoded by itself, and `isSplit` is true.
    package func continuation(
        _ text: String, of prompt: TextPrompt
    ) -> (tokens: [Int32], isSplit: Bool) {
        let whole = encode(prompt.text + text, special: false)
        if whole.starts(with: prompt.tokens) {
            return (Array(whole.dropFirst(prompt.tokens.count)), false)
        }
        return (encode(text, special: false), true)
    }
}
