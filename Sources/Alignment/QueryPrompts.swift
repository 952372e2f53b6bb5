import TextModels

extension Prompts {
    /// The prompt for sampling. The response is `responsePrefix` followed by the model's text.
    public func rolloutPrompt(
        _ query: Query, _ constitution: Constitution
    ) -> (prompt: String, responsePrefix: String) {
        rolloutPrompt(query.form, query.text, constitution: constitution.text)
    }

    /// The prompt for scoring; the response follows after `separator`.
    public func trainingPrompt(_ query: Query, _ constitution: Constitution) -> String {
        trainingPrompt(query.form, query.text, constitution: constitution.text)
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
