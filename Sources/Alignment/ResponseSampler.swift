import LongWork
import Tensors
import TextModels
import Transformers

/// A rollout prompt, rendered and encoded.
struct RolloutPrompt {
    var query: Query
    var prompt: TextPrompt
    /// The beginning of the response; the prompt ends with it.
    var responsePrefix: String
    /// Its ids, if a chat template wrote the prompt.
    var prefixTokens: [Int32]
}

/// A sampled response.
struct SampledResponse {
    /// The prefix and the model's text, cut at the first stop string, without blanks around it.
    var text: String
    /// All sampled ids, without the end-of-sequence token.
    var tokens: [Int32]
    /// Number of ids that form `text`; the others formed the stop string or blanks after the text.
    var textTokens: Int
    /// The ids that follow the training prompt of a chat: those of the prefix, and the sampled ones
    /// up to a stop string.
    var chatTokens: [Int32]
    var finish: Generation.Finish
}

/// Prompts a model with queries and constitutions and takes its completions as responses.
struct ResponseSampler {
    var text: TextModel
    var sampling: Sampling
    var memory: MemoryPlan

    /// - Throws: `PromptError.noChatTemplate`; an error of the chat template.
    func prompt(_ query: Query, _ constitution: Constitution) throws -> RolloutPrompt {
        let (rendered, responsePrefix) = try text.prompts.rolloutPrompt(
            query, constitution, chat: text.chat)
        let (prompt, prefixTokens) = text.prompt(rendered, beginning: responsePrefix)
        return RolloutPrompt(
            query: query, prompt: prompt, responsePrefix: responsePrefix,
            prefixTokens: prefixTokens)
    }

    /// - Throws: `ModelError`; `AlignmentError.logitsNotFinite` with the query's id.
    func sample(
        _ requests: [(prompt: RolloutPrompt, key: RandomKey)],
        progress: (WorkProgress) -> Continuation
    ) throws -> [SampledResponse] {
        let completions: [Completion]
        do {
            completions = try text.complete(
                requests.map { CompletionRequest($0.prompt.prompt, key: $0.key) }, sampling,
                stops: text.prompts.stops, memory: memory, progress: progress)
        } catch ModelError.logitsNotFinite(let place) where requests.indices.contains(place) {
            throw AlignmentError.logitsNotFinite(query: requests[place].prompt.query.id.text)
        }
        return zip(requests, completions).map { request, completion in
            let textTokens = text.tokenCount(of: completion, after: request.prompt.prompt)
            return SampledResponse(
                text: (request.prompt.responsePrefix + completion.text).trimmed,
                tokens: completion.tokens, textTokens: textTokens,
                chatTokens: request.prompt.prefixTokens
                    + completion.tokens.prefix(
                        completion.isCut ? textTokens : completion.tokens.count),
                finish: completion.finish)
        }
    }
}
