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
public struct Prompts: Sendable, Codable, Hashable {
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
    /// the start of the response, so rollout and training share this setting.
    public var separator = " "
    /// A sampled response ends before the first of these strings, or at the end-of-sequence token.
    public var stops: [String]

    /// The names in a `prompts.json`.
    private enum CodingKeys: String, CodingKey {
        case rollout, training, writer, post, question, text, stops
        case separator = "joint"
    }

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
    public func rolloutPrompt(
        _ form: QueryForm, _ text: String, constitution: String
    ) -> (prompt: String, responsePrefix: String) {
        let responsePrefix = words(form).responsePrefix
        let prompt = rollout.rendered(values(form, text, constitution))
        return (
            responsePrefix.isEmpty ? prompt : prompt + separator + responsePrefix, responsePrefix
        )
    }

    /// The prompt for scoring; the response follows after `separator`.
    public func trainingPrompt(_ form: QueryForm, _ text: String, constitution: String) -> String {
        training.rendered(values(form, text, constitution))
    }

    /// The prompt for the principle writer. The text after its last line feed begins the response:
    /// a template may end in `Principle:` to give the model a beginning.
    public func writerPrompt(about: String, count: Int) -> String {
        writer.rendered(["about": about, "count": String(count)])
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
