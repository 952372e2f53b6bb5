import LongWork
import Tensors
import Tokenizers
import Transformers

/// One text to be sampled: what for, under which constitution, and the key that decides it.
struct SampleRequest {
    var query: Query
    var constitution: Constitution
    var key: RandomKey
}

/// What came of a `SampleRequest`.
struct SampledText {
    /// The response, its opening included, cut at the first stop marker, without blanks around it.
    var text: String
    /// Tokens the model added.
    var tokens: Int
    var finish: Generation.Finish
}

/// Prompts a model with queries and constitutions and turns what it says into text.
struct TextSampler {
    var prompts: Prompts
    var settings: RolloutSettings
    var model: LanguageModel
    var tokenizer: Tokenizer
    var memory: MemoryPlan

    /// Tokens of the rollout prompt and the longest response together.
    func length(_ query: Query, _ constitution: Constitution) -> Int {
        tokenizer.encode(prompts.rolloutPrompt(query, constitution).prompt).count
            + settings.maxTokens
    }

    /// - Throws: `ModelError`, first of all where a prompt does not fit.
    func sample(
        _ requests: [SampleRequest], cancel: () -> Continuation,
        progress: (WorkProgress) -> Continuation
    ) throws -> [SampledText] {
        guard !requests.isEmpty else { return [] }
        let rendered = requests.map { prompts.rolloutPrompt($0.query, $0.constitution) }
        let encoded = rendered.map { tokenizer.encode($0.prompt) }
        let generations: [Generation]
        do {
            generations = try model.generate(
                zip(encoded, requests).map { GenerationRequest(prompt: $0, key: $1.key) },
                sampler, memory: memory, stop: stopper, progress: progress, cancel: cancel)
        } catch ModelError.logitsNotFinite(let place) where requests.indices.contains(place) {
            throw AlignmentError.logitsNotFinite(query: requests[place].query.id)
        }
        return zip(zip(rendered, encoded), generations).map { prompt, generation in
            let added = added(generation.tokens, after: prompt.1)
            let (text, isCut) = prompts.cut(added)
            return SampledText(
                text: (prompt.0.opening + text).trimmed, tokens: generation.tokens.count,
                finish: isCut ? .stop : generation.finish)
        }
    }

    /// What tokens add to the text of a prompt. Decoded together with the prompt's last token,
    /// since some tokenizers drop the blank in front of a text's first word.
    private func added(_ tokens: [Int32], after prompt: [Int32]) -> String {
        let lead = Array(prompt.suffix(1))
        let head = tokenizer.decode(lead)
        let whole = tokenizer.decode(lead + tokens)
        return whole.hasPrefix(head)
            ? String(whole.dropFirst(head.count)) : tokenizer.decode(tokens)
    }

    private var sampler: SamplerSettings {
        return SamplerSettings(
            temperature: settings.temperature, topK: settings.topK, topP: settings.topP,
            minP: settings.minP, maxTokens: settings.maxTokens,
            stopTokens: model.stopTokens(tokenizer))
    }

    /// Ends a response at its first stop marker rather than at its limit of tokens.
    private var stopper: ((Int, [Int32]) -> Bool)? {
        guard let longest = prompts.stops.map(\.utf8.count).max() else { return nil }
        // A token is at least a byte, so a marker that has just been completed lies within these.
        return { [tokenizer, stops = prompts.stops] _, tokens in
            let tail = tokenizer.decode(Array(tokens.suffix(longest + 1)))
            return stops.contains { tail.contains($0) }
        }
    }
}

extension LanguageModel {
    /// What ends a text of this model: the tokens that its configuration and its tokenizer name.
    public func stopTokens(_ tokenizer: Tokenizer) -> Set<Int32> {
        Set(configuration.endTokens + tokenizer.stops)
    }
}

extension Prompts {
    /// The text before the first stop marker, and whether there was one.
    func cut(_ text: String) -> (text: String, isCut: Bool) {
        let first = stops.compactMap { text.firstRange(of: $0)?.lowerBound }.min()
        return first.map { (String(text[..<$0]), true) } ?? (text, false)
    }

    /// Whether a response carries what only prompts have, or characters that are none.
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
