/// The words that differ between summarizing a post and answering a question.
public struct PromptWording: Sendable, Codable, Hashable {
    /// Stands before the query: `POST` gives `POST: …`; empty leaves the text bare.
    public var label: String
    /// Ends the prompt; the response follows it.
    public var cue: String
    /// What responses are called: "summaries".
    public var responses: String
    /// The instruction, for templates that have one.
    public var task = ""
    /// One worked example, for rollout templates that show the format.
    public var example = ""
    /// How every sampled response begins: it is put into the rollout prompt and into the response.
    public var opening = ""

    public init(
        label: String, cue: String, responses: String, task: String = "", example: String = "",
        opening: String = ""
    ) {
        self.label = label
        self.cue = cue
        self.responses = responses
        self.task = task
        self.example = example
        self.opening = opening
    }
}

/// Every prompt of a session: how a constitution and a query become text, how a response is joined
/// to it, and where a response ends.
public struct Prompts: Sendable, Codable, Hashable {
    /// The template that responses are sampled from.
    public var rollout: PromptTemplate
    /// The template that responses are scored and trained under.
    public var training: PromptTemplate
    /// The template of the principle writer's request.
    public var writer: PromptTemplate
    public var post: PromptWording
    public var question: PromptWording
    public var text: PromptWording
    /// Stands between prompt and response. A blank here and none before the response, or the other
    /// way round, is another tokenization, so rollout and training share this one setting.
    public var joint = " "
    /// A sampled response ends before the first of these, besides at the end-of-sequence token.
    public var stops: [String]

    public init(
        rollout: PromptTemplate, training: PromptTemplate, writer: PromptTemplate,
        post: PromptWording, question: PromptWording, text: PromptWording, joint: String = " ",
        stops: [String]
    ) {
        self.rollout = rollout
        self.training = training
        self.writer = writer
        self.post = post
        self.question = question
        self.text = text
        self.joint = joint
        self.stops = stops
    }

    public func words(_ form: QueryForm) -> PromptWording {
        switch form {
        case .post: post
        case .question: question
        case .text: text
        }
    }

    /// The form whose responses are called `name` ("summaries"), or that is called so itself.
    public func form(about name: String) -> QueryForm? {
        let wanted = name.lowercased()
        return QueryForm.allCases.first { $0 != .text && words($0).responses == wanted }
            ?? QueryForm(rawValue: wanted)
    }

    /// The prompt that a response is sampled from. The response is `opening` followed by what the
    /// model adds.
    public func rolloutPrompt(
        _ form: QueryForm, _ text: String, constitution: String
    ) -> (prompt: String, opening: String) {
        let opening = words(form).opening
        let prompt = rollout.rendered(values(form, text, constitution))
        return (opening.isEmpty ? prompt : prompt + joint + opening, opening)
    }

    /// The prompt that a response is scored under; the response follows after `joint`.
    public func trainingPrompt(_ form: QueryForm, _ text: String, constitution: String) -> String {
        training.rendered(values(form, text, constitution))
    }

    /// The prompt of the principle writer. The text after its last newline begins the answer: a
    /// template may end in `Principle:` to start the model off.
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
