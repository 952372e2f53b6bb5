/// The words that differ between summarizing a post and answering a question.
public struct PromptWording: Sendable, Codable, Hashable {
    /// The label before the query: `POST` gives `POST: …`; an empty label leaves the text
    /// unchanged.
    public var label: String
    /// Ends the prompt; the response follows it.
    public var cue: String
    /// The plural name of its responses: "summaries".
    public var responses: String
    /// The instruction, for templates that use one.
    public var task = ""
    /// One worked example, for rollout templates that show the format.
    public var example = ""
    /// The beginning of every sampled response. It is part of the rollout prompt and of the
    /// response.
    public var responsePrefix = ""

    /// The names in a `prompts.json`.
    private enum CodingKeys: String, CodingKey {
        case label, cue, responses, task, example
        case responsePrefix = "opening"
    }

    public init(
        label: String, cue: String, responses: String, task: String = "", example: String = "",
        responsePrefix: String = ""
    ) {
        self.label = label
        self.cue = cue
        self.responses = responses
        self.task = task
        self.example = example
        self.responsePrefix = responsePrefix
    }
}

/// Every prompt of a session: the templates for constitution and query, the separator before a
/// response, and the strings that end a response.
///
/// The templates are text for a base model, or messages for an instruct model, whose chat template
/// writes them as text.
public struct Prompts: Sendable, Hashable {
    /// The template for sampling responses.
    public var rollout: PromptTemplate
    /// The template for scoring and training.
    public var training: PromptTemplate
    /// The template for requests to the principle writer.
    public var writer: PromptTemplate
    public var post: PromptWording
    public var question: PromptWording
    public var text: PromptWording
    /// The separator between prompt and response. A blank here gives other tokens than a blank at
    /// the start of the response, so rollout and training share this setting. If it is empty in
    /// prompts of messages, the chat template decides.
    public var separator = " "
    /// A sampled response ends before the first of these strings, or at a stop token.
    public var stops: [String]

    public init(
        rollout: PromptTemplate, training: PromptTemplate, writer: PromptTemplate,
        post: PromptWording, question: PromptWording, text: PromptWording, separator: String = " ",
        stops: [String]
    ) {
        self.rollout = rollout
        self.training = training
        self.writer = writer
        self.post = post
        self.question = question
        self.text = text
        self.separator = separator
        self.stops = stops
    }

    /// Whether responses are asked for by messages.
    public var isChat: Bool { training.isChat }

    public func words(_ form: QueryForm) -> PromptWording {
        switch form {
        case .post: post
        case .question: question
        case .text: text
        }
    }

    /// The form whose responses have the plural name `name` ("summaries"), or whose own name is
    /// `name`.
    public func form(about name: String) -> QueryForm? {
        let wanted = name.lowercased()
        return QueryForm.allCases.first { $0 != .text && words($0).responses == wanted }
            ?? QueryForm(rawValue: wanted)
    }

    /// The prompt for sampling. The response is `responsePrefix` followed by the model's text.
    ///
    /// - Throws: `PromptError.noChatTemplate`; an error of the chat template.
    public func rolloutPrompt(
        _ form: QueryForm, _ text: String, constitution: String, chat: ChatFormat?
    ) throws -> (prompt: RenderedPrompt, responsePrefix: String) {
        (
            try rollout.rendered(values(form, text, constitution))
                .rendered(separator: separator, by: chat), words(form).responsePrefix
        )
    }

    /// What a prompt for sampling says, for an engine that writes it in a form of its own.
    public func rolloutContent(
        _ form: QueryForm, _ text: String, constitution: String
    ) -> PromptContent {
        rollout.rendered(values(form, text, constitution))
    }

    /// The prompt for scoring.
    ///
    /// - Throws: the same.
    public func trainingPrompt(
        _ form: QueryForm, _ text: String, constitution: String, chat: ChatFormat?
    ) throws -> RenderedPrompt {
        try training.rendered(values(form, text, constitution))
            .rendered(separator: separator, by: chat)
    }

    /// The request to the principle writer, and the beginning of its answer, which the request
    /// contains: the text after the last line feed (`Principle:`), or a last message of the
    /// assistant.
    public func writerPrompt(
        about: String, count: Int
    ) -> (prompt: PromptContent, beginning: String) {
        let prompt = writer.rendered(["about": about, "count": String(count)])
        return (prompt, prompt.beginning)
    }

    private func values(
        _ form: QueryForm, _ text: String, _ constitution: String
    ) -> [String: String] {
        let words = words(form)
        let text = text.trimmed
        return [
            "constitution": constitution, "text": text,
            "query": words.label.isEmpty ? text : "\(words.label): \(text)",
            "task": words.task, "cue": words.cue, "example": words.example,
        ]
    }
}

extension Prompts: Codable {
    /// The names in a `prompts.json`.
    private enum CodingKeys: String, CodingKey {
        case rollout, training, writer, post, question, text, stops
        case separator = "joint"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        rollout = try fields.decode(PromptTemplate.self, forKey: .rollout)
        training = try fields.decode(PromptTemplate.self, forKey: .training)
        writer = try fields.decode(PromptTemplate.self, forKey: .writer)
        post = try fields.decode(PromptWording.self, forKey: .post)
        question = try fields.decode(PromptWording.self, forKey: .question)
        text = try fields.decode(PromptWording.self, forKey: .text)
        separator = try fields.decode(String.self, forKey: .separator)
        stops = try fields.decode([String].self, forKey: .stops)
        guard rollout.isChat == training.isChat else { throw PromptError.mixedForms }
    }
}
