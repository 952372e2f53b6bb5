import ChatTemplates
import JSON
import Tensors
import TextModels
import Tokenizers

/// What `/completions` and `/chat/completions` ask for.
struct WritingRequest: Sendable {
    enum Form: Sendable { case chat, completions }

    var form: Form
    /// The name of the model; nil for the first.
    var model: String?
    var prompts: [TextPrompt] = []
    var sampling = Sampling(temperature: 1, maxTokens: 16)
    var stops: [String] = []
    /// Texts for each prompt.
    var count = 1
    /// Decides the random numbers; nil if the client leaves them to the server.
    var seed: UInt64?
    var isStreamed = false
    /// Whether a stream ends with the numbers of tokens.
    var countsTokens = false
    /// Whether the prompt comes before the text.
    var echoes = false
    /// How many of the likeliest tokens stand beside each token; nil for no log-probs.
    var likeliest: Int?

    /// The length of an answer to a chat, if the client names none.
    static let usualAnswer = 1024
    /// Log-probs of more tokens than these would be more than a client reads.
    private static let mostLikeliest = 20
    /// More texts in one request would only fill the memory: they wait for each other.
    private static let mostTexts = 4096
    /// Log-probs in one answer, those of the likeliest tokens among them; each takes about 100
    /// bytes.
    private static let mostLogProbs = 1 << 22

    /// - Parameter models: by name; the first is the usual one.
    init(
        _ body: JSON, _ form: Form, models: [NamedTextModel]
    ) throws {
        var fields = try RequestFields(body)
        self.form = form
        model = try fields.text("model")
        let text = try WritingRequest.model(named: model, of: models)
        seed = try fields.integer("seed", in: 0...1 << 53).map { UInt64($0) }
        sampling.temperature = try fields.number("temperature", in: 0...100) ?? 1
        // 0 is the likeliest token alone.
        sampling.topP = max(
            try fields.number("top_p", in: 0...1) ?? 1, Double.leastNonzeroMagnitude)
        sampling.topK = try fields.integer("top_k", in: 0...1 << 31) ?? 0
        sampling.minP = try fields.number("min_p", in: 0...1) ?? 0
        stops = try fields.texts("stop")
        count = try fields.integer("n", in: 1...128) ?? 1
        isStreamed = try fields.flag("stream") ?? false
        countsTokens = fields.value("stream_options")?["include_usage"]?.bool ?? false
        var longest = try fields.integer("max_tokens", in: 0...1 << 20)
        switch form {
        case .completions:
            echoes = try fields.flag("echo") ?? false
            likeliest = try fields.integer("logprobs", in: 0...WritingRequest.mostLikeliest)
            prompts = try WritingRequest.prompts(
                fields.value("prompt"), text, atMost: WritingRequest.mostTexts / count)
            longest = longest ?? 16
        case .chat:
            longest = try fields.integer("max_completion_tokens", in: 1...1 << 20) ?? longest
            let asksForLogProbs = try fields.flag("logprobs") ?? false
            let most = try fields.integer("top_logprobs", in: 0...WritingRequest.mostLikeliest)
            if most != nil, !asksForLogProbs {
                throw Refusal("`top_logprobs` needs `logprobs`", field: "top_logprobs")
            }
            likeliest = asksForLogProbs ? most ?? 0 : nil
            prompts = [try WritingRequest.prompt(fields.value("messages"), text)]
        }
        try fields.finish()
        let room = text.context - (prompts.map(\.tokens.count).max() ?? 0)
        guard room >= (longest ?? 1) else {
            throw Refusal(
                "prompt and `max_tokens` together are longer than the context of \(text.context) "
                    + "tokens", field: form == .chat ? "messages" : "prompt")
        }
        sampling.maxTokens = longest ?? min(room, WritingRequest.usualAnswer)
        if sampling.maxTokens == 0, !echoes {
            throw Refusal("`max_tokens` is 0, and nothing is echoed", field: "max_tokens")
        }
        let tokens = prompts.reduce(0) { $0 + $1.tokens.count + sampling.maxTokens } * count
        if let likeliest, tokens * (1 + likeliest) > WritingRequest.mostLogProbs {
            throw Refusal(
                "one answer has at most \(WritingRequest.mostLogProbs) log-probs, and \(tokens) "
                    + "tokens with \(likeliest) others each are more", field: "logprobs")
        }
        if isStreamed, echoes || prompts.count * count > 1 || likeliest != nil {
            throw Refusal(
                "only one text without `echo` and `logprobs` is streamed", field: "stream")
        }
    }

    static func model(
        named name: String?, of models: [NamedTextModel]
    ) throws(Refusal) -> TextModel {
        guard let name else {
            guard let first = models.first else { throw Refusal("there is no model", status: 503) }
            return first.text
        }
        guard let found = models.first(where: { $0.name == name }) else {
            throw Refusal(
                "there is no model `\(name)`; there is "
                    + models.map { "`\($0.name)`" }.joined(separator: ", "), field: "model",
                status: 404)
        }
        return found.text
    }

    /// Text, a list of texts, token ids, or a list of lists of token ids.
    private static func prompts(
        _ value: JSON?, _ text: TextModel, atMost limit: Int
    ) throws(Refusal) -> [TextPrompt] {
        let fault = Refusal(
            "`prompt` must be text, a list of texts, token ids or a list of lists of token ids",
            field: "prompt")
        guard let value else { throw fault }
        if let string = value.string { return [try checked(text.prompt(string), "prompt")] }
        guard let elements = value.elements, let first = elements.first else { throw fault }
        if first.integer != nil { return [try prompt(ids: value, text, fault)] }
        guard elements.count <= limit else {
            throw Refusal(
                "a request asks for at most \(mostTexts) texts: `n` for each prompt",
                field: "prompt")
        }
        var prompts: [TextPrompt] = []
        for element in elements {
            if let string = element.string {
                prompts.append(try checked(text.prompt(string), "prompt"))
            } else {
                prompts.append(try prompt(ids: element, text, fault))
            }
        }
        return prompts
    }

    private static func prompt(
        ids value: JSON, _ text: TextModel, _ fault: Refusal
    ) throws(Refusal) -> TextPrompt {
        let size = text.model.configuration.vocabularySize
        var tokens: [Int32] = []
        for element in value.elements ?? [] {
            guard let id = element.integer, (0..<size).contains(id) else {
                throw Refusal("each token id must be from 0 to \(size - 1)", field: "prompt")
            }
            tokens.append(Int32(id))
        }
        guard !tokens.isEmpty else { throw fault }
        return TextPrompt(text: text.tokenizer.decode(tokens), tokens: tokens)
    }

    private static func checked(
        _ prompt: TextPrompt, _ field: String
    ) throws(Refusal) -> TextPrompt {
        guard !prompt.tokens.isEmpty else {
            throw Refusal(
                "`\(field)` gives no token, and the model has none to begin with", field: field)
        }
        return prompt
    }

    private static func prompt(_ value: JSON?, _ text: TextModel) throws -> TextPrompt {
        let fault = Refusal(
            "`messages` must be a list of {\"role\": …, \"content\": …}", field: "messages")
        guard let elements = value?.elements, !elements.isEmpty else { throw fault }
        let messages = try elements.map { element -> ChatMessage in
            guard let role = element["role"]?.string, let content = element["content"],
                let string = WritingRequest.content(content)
            else { throw fault }
            return ChatMessage(role: role, content: string)
        }
        guard text.chat != nil else {
            throw Refusal(
                "this model has no chat template; /v1/completions continues a text",
                field: "messages")
        }
        let prompt: TextPrompt
        do {
            prompt = try text.prompt(.messages(messages))
        } catch {
            throw Refusal("the chat template refuses these messages: \(error)", field: "messages")
        }
        return try checked(prompt, "messages")
    }

    /// Text, or a list of parts that all are text.
    private static func content(_ value: JSON) -> String? {
        if let text = value.string { return text }
        guard let parts = value.elements else { return nil }
        let texts = parts.compactMap { $0["type"]?.string == "text" ? $0["text"]?.string : nil }
        return texts.count == parts.count ? texts.joined() : nil
    }
}
