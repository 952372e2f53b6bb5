import LongWork
import Tensors
import Tokenizers
import Transformers

/// A prompt to complete, and the key of its random numbers.
public struct CompletionRequest: Sendable {
    public var prompt: TextPrompt
    /// Number t under this key decides token t, whatever else is sampled beside it.
    public var key: RandomKey

    public init(_ prompt: TextPrompt, key: RandomKey) {
        self.prompt = prompt
        self.key = key
    }
}

/// The continuation of one prompt.
public struct Completion: Sendable, Hashable {
    /// The text that the model added, before the first stop string. Its blanks are kept.
    public var text: String
    /// The sampled ids, including those of a stop string, without the end-of-sequence token.
    public var tokens: [Int32]
    /// log p of each token under the model, in nats, before temperature and truncation.
    public var logProbs: [Float]
    public var finish: Generation.Finish
    /// Whether a stop string ended it. The tokens then contain more than the text.
    public var isCut: Bool
}

extension TextModel {
    /// Continues every prompt, many at a time.
    ///
    /// - Parameters:
    ///   - stops: strings that end a completion, in addition to the model's stop tokens. Sampling
    ///     ends with the token that completes a string.
    ///   - token: called after every token with the number of the request and its tokens so far,
    ///     for a text that is shown while it is written.
    ///   - progress: asked before every block of the model and after every token of the batch, with
    ///     the numbers of finished completions and sampled tokens. If it answers `.stop`, the work
    ///     ends, and unfinished completions are returned with their tokens so far, as
    ///     `.interrupted`.
    /// - Throws: `ModelError` if a prompt is empty or has an unknown token, if prompt and
    ///   `maxTokens` together exceed the context, and for settings out of range; `.logitsNotFinite`
    ///   with the number of the request.
    public func complete(
        _ requests: [CompletionRequest], _ sampling: Sampling, stops: [String] = [],
        memory: MemoryPlan = .automatic, token: ((Int, [Int32]) -> Void)? = nil,
        progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> [Completion] {
        guard !requests.isEmpty else { return [] }
        let stops = StopStrings(stops)
        let generations = try model.generate(
            requests.map { GenerationRequest(prompt: $0.prompt.tokens, key: $0.key) },
            sampling.settings(stopTokens: stopTokens), memory: memory,
            stop: stops.longest == 0 && token == nil
                ? nil
                : { number, tokens in
                    token?(number, tokens)
                    return stops.longest > 0
                        && isComplete(tokens, after: requests[number].prompt, stops)
                },
            progress: progress)
        return zip(requests, generations).map { request, generation in
            let (text, isCut) = stops.cut(addedText(generation.tokens, after: request.prompt))
            return Completion(
                text: text, tokens: generation.tokens, logProbs: generation.logProbs,
                finish: isCut ? .stop : generation.finish, isCut: isCut)
        }
    }

    /// The text that tokens add to a prompt.
    ///
    /// Some tokenizers drop the blank before the first word of a text. So the tokens are decoded
    /// together with the prompt's last token, and the text of that token is removed.
    package func addedText(_ tokens: some Sequence<Int32>, after prompt: TextPrompt) -> String {
        // A special token decodes to an empty text, so the text would begin after it.
        let lead = prompt.tokens.last { !tokenizer.isSpecial($0) }.map { [$0] } ?? []
        let head = tokenizer.decode(lead)
        let whole = tokenizer.decode(lead + Array(tokens))
        guard whole.utf8.starts(with: head.utf8) else { return tokenizer.decode(tokens) }
        return String(decoding: whole.utf8.dropFirst(head.utf8.count), as: UTF8.self)
    }

    /// Whether the last token has completed a stop string.
    private func isComplete(
        _ tokens: [Int32], after prompt: TextPrompt, _ stops: StopStrings
    ) -> Bool {
        // A token of text has at least one byte, so the stop string ends within this many tokens.
        let window = stops.longest + 1
        guard tokens.count > window else {
            return stops.occur(in: addedText(tokens, after: prompt))
        }
        return stops.occur(in: tokenizer.decode(tokens.suffix(window)))
    }

    /// Number of a completion's tokens that form its text without the blanks at the end. The other
    /// tokens formed the stop string, or blanks before it.
    package func tokenCount(of completion: Completion, after prompt: TextPrompt) -> Int {
        let text = completion.text
        let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) }
        let bytes = text.utf8.distance(from: text.startIndex, to: end ?? text.startIndex)
        var count = completion.tokens.count
        while count > 0,
            addedText(completion.tokens.prefix(count - 1), after: prompt).utf8.count >= bytes
        {
            count -= 1
        }
        return count
    }
}
