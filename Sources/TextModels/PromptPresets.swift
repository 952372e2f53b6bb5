extension Prompts {
    /// The only format that the shipped model knows.
    public static let tiny = Prompts(
        rollout: PromptTemplate(shipped: tinyResponse, for: .response),
        training: PromptTemplate(shipped: tinyResponse, for: .response),
        writer: PromptTemplate(shipped: "Principles for {about}:\n", for: .principles),
        post: PromptWording(label: "POST", cue: "Summary:", responses: "summaries"),
        question: PromptWording(label: "QUESTION", cue: "Answer:", responses: "answers"),
        text: PromptWording(label: "", cue: "Answer:", responses: "answers"),
        stops: ["\n\n"])

    private static let tinyResponse = "Constitution:\n{constitution}\n\n{query}\n\n{cue}"

    /// For other language models: plain instructions. A template of one's own may show the worked
    /// example of each wording; by default none does, because small models copy from it.
    public static let general = Prompts(
        rollout: PromptTemplate(shipped: generalResponse, for: .response),
        training: PromptTemplate(shipped: generalResponse, for: .response),
        writer: PromptTemplate(
            shipped: """
                A principle is one sentence that says how {about} should be written. Its \
                antithesis is one sentence that asks for the opposite.

                Here are {count} principles for {about}, all different, each on one line and \
                followed by its antithesis on the next.

                Principle:
                """, for: .principles),
        post: PromptWording(
            label: "POST", cue: "Summary:", responses: "summaries",
            task: "Summarize the post in one paragraph.",
            example: """
                Constitution:
                1. Summaries should mention the place where things happened.

                POST: Our train stopped in Lyon for two hours last night, and nobody told us why. \
                Has this happened to anyone else?

                Summary: The post asks whether others were also held up without an explanation, \
                after a train had waited in Lyon for two hours.
                """,
            responsePrefix: "The post"),
        question: PromptWording(
            label: "QUESTION", cue: "Answer:", responses: "answers",
            task: "Answer the question in one paragraph.",
            example: """
                Constitution:
                1. Answers should mention a price.

                QUESTION: How do I get coffee stains out of a mug?

                Answer: Rub them with baking soda and a wet sponge; a packet costs about a dollar.
                """),
        text: PromptWording(
            label: "", cue: "Response:", responses: "responses",
            task: "Respond to the text in one paragraph.",
            example: """
                Constitution:
                1. Responses should mention a color.

                Tell me about bananas.

                Response: Bananas are sweet yellow fruits that ripen after they are picked.
                """),
        stops: ["\n\n", "\nConstitution:", "\nPOST:", "\nQUESTION:"])

    private static let generalResponse = """
        {task} Obey each principle of the constitution.

        Constitution:
        {constitution}

        {query}

        {cue}
        """

    /// For instruct models: one message of the user, with the query first and the principles last,
    /// where a small model heeds them most. The model's own system message stays.
    public static let chat = Prompts(
        rollout: PromptTemplate(shipped: chatResponse, for: .response),
        training: PromptTemplate(shipped: chatResponse, for: .response),
        writer: PromptTemplate(
            shipped: [
                (
                    .user,
                    """
                    A principle is one sentence that tells a writer how to write. Its antithesis \
                    is one sentence that asks for the opposite. Write one principle for letters, \
                    and its antithesis.
                    """
                ),
                (
                    .assistant,
                    "Principle: Begin with a greeting.\nAntithesis: Begin without any greeting."
                ),
                (
                    .user,
                    """
                    Good. Now write {count} principles for {about}, all different, each followed \
                    by its antithesis.
                    """
                ),
                (.assistant, "Principle:"),
            ], for: .principles),
        post: PromptWording(
            label: "", cue: "", responses: "summaries",
            task: "Write a summary of the post above. Follow these principles:"),
        question: PromptWording(
            label: "", cue: "", responses: "answers",
            task: "Answer the question above. Follow these principles:"),
        text: PromptWording(
            label: "", cue: "", responses: "responses",
            task: "Respond to the text above. Follow these principles:"),
        separator: "", stops: [])

    private static let chatResponse: [(role: PromptTemplate.Message.Role, content: String)] = [
        (.user, "{text}\n\n{task}\n{constitution}")
    ]
}
