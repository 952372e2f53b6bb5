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
    /// Applies the model's chat template to a request, special tokens included; nil for a model
    /// without a template, which continues plain text.
    public var applyChatTemplate: (@Sendable (String) throws -> String)?

    public init(
        model: LanguageModel, tokenizer: Tokenizer, prompts: Prompts = .general,
        applyChatTemplate: (@Sendable (String) throws -> String)? = nil
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.prompts = prompts
        self.applyChatTemplate = applyChatTemplate
    }

    /// The same tokenizer, template and prompts with other weights.
    public func with(_ model: LanguageModel) -> TextModel {
        var copy = self
        copy.model = model
        return copy
    }

    /// The longest sequence of prompt and completion together, in tokens.
    public var context: Int { model.configuration.longestSequence }

    /// The stop tokens: those that the model's configuration names and those that its tokenizer
    /// names.
    public var stopTokens: Set<Int32> {
        Set(model.configuration.endTokens + tokenizer.stops)
    }

    /// A text to continue, encoded.
    public func prompt(_ text: String) -> TextPrompt {
        TextPrompt(text: text, tokens: tokenizer.encode(text))
    }

    /// A request to an instruct model. The chat template wraps the text before the last line feed;
    /// the text after it begins the response. Without a template the text is continued unchanged.
    ///
    /// - Throws: an error of the chat template.
    public func request(_ text: String) throws -> TextPrompt {
        guard let applyChatTemplate else { return prompt(text) }
        let last = text.lastIndex(where: \.isNewline)
        let (request, beginning) =
            last.map { (text[..<$0], text[text.index(after: $0)...]) } ?? (text[...], "")
        let whole = try applyChatTemplate(request.trimmed) + beginning
        // The template's text already contains the special tokens.
        return TextPrompt(text: whole, tokens: tokenizer.encode(whole, special: false))
    }
}

/// A text to continue, with its token ids: a prompt is encoded once, however often it is used.
public struct TextPrompt: Sendable, Hashable {
    public let text: String
    public let tokens: [Int32]

    public init(text: String, tokens: [Int32]) {
        self.text = text
        self.tokens = tokens
    }
}
