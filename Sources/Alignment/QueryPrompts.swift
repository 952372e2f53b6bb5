import TextModels

extension Prompts {
    /// The prompt for sampling. The response is `responsePrefix` followed by the model's text.
    ///
    /// - Throws: `PromptError.noChatTemplate`; an error of the chat template.
    public func rolloutPrompt(
        _ query: Query, _ constitution: Constitution, chat: ChatFormat?
    ) throws -> (prompt: RenderedPrompt, responsePrefix: String) {
        try rolloutPrompt(query.form, query.text, constitution: constitution.text, chat: chat)
    }

    /// The prompt for scoring.
    ///
    /// - Throws: the same.
    public func trainingPrompt(
        _ query: Query, _ constitution: Constitution, chat: ChatFormat?
    ) throws -> RenderedPrompt {
        try trainingPrompt(query.form, query.text, constitution: constitution.text, chat: chat)
    }

    /// Whether a response repeats a label or cue of the prompts, or holds U+FFFD or a control
    /// character.
    func isBroken(_ response: String) -> Bool {
        let marks = QueryForm.allCases.flatMap { form -> [String] in
            let words = words(form)
            return [words.cue, words.label.isEmpty ? "" : words.label + ":"]
        }
        if (marks + ["Constitution:"]).contains(where: { !$0.isEmpty && response.contains($0) }) {
            return true
        }
        return response.unicodeScalars.contains { scalar in
            scalar == "\u{FFFD}"
                || (scalar.properties.generalCategory == .control
                    && !"\n\t\r".unicodeScalars.contains(scalar))
        }
    }
}
