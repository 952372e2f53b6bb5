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
        let generations = try generations(requests, sampling, stops, memory, token, progress)
        let stops = StopStrings(stops)
        return zip(requests, generations).map { request, generation in
            let (text, isCut) = stops.cut(addedText(generation.tokens, after: request.prompt))
            return Completion(
                text: text, tokens: generation.tokens, logProbs: generation.logProbs,
                finish: isCut ? .stop : generation.finish, isCut: isCut)
        }
    }

    /// One generation for each request: by the model's crew, or here. A text that is shown while it
    /// is written is written here.
    private func generations(
        _ requests: [CompletionRequest], _ sampling: Sampling, _ stops: [String],
        _ memory: MemoryPlan, _ token: ((Int, [Int32]) -> Void)?,
        _ progress: (WorkProgress) -> Continuation
    ) throws -> [Generation] {
        let prompts = requests.map(\.prompt.tokens)
        let asked = zip(prompts, requests).map { GenerationRequest(prompt: $0, key: $1.key) }
        let settings = sampling.settings(stopTokens: stopTokens)
        let stops = CompletionStops(tokenizer, stops)
        if let crew = model.activeCrew((any CompletingCrew).self),
            crew.dividesLayers || (token == nil && requests.count > 1)
        {
            do {
                let found = try crew.generate(asked, settings, stops: stops, model) { step in
                    progress(
                        WorkProgress(
                            .generate, done: step.finished, of: requests.count,
                            underway: step.underway, unit: .responses, tokens: step.tokens))
                }
                for (number, generation) in found.enumerated() { token?(number, generation.tokens) }
                return found
            } catch is Canceled {
                // The processes have ended.
                return requests.map { _ in
                    Generation(tokens: [], logProbs: [], finish: .interrupted)
                }
            }
        }
        let isComplete = stops.check(prompts)
        return try model.generate(
            asked, settings, memory: memory,
            stop: isComplete == nil && token == nil
                ? nil
                : { number, tokens in
                    token?(number, tokens)
                    return isComplete?(number, tokens) ?? false
                },
            progress: progress)
    }

    /// The text that tokens add to a prompt.
    package func addedText(_ tokens: some Sequence<Int32>, after prompt: TextPrompt) -> String {
        tokenizer.addedText(tokens, after: prompt.tokens)
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
