import LongWork
import Tensors
import TextModels
import Transformers

/// A rollout prompt, rendered and encoded.
struct RolloutPrompt {
    var query: Query
    var constitution: Constitution
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
    /// Whether the prompt does not fit the context of the model that was asked.
    var isOverflow = false
}

/// Another model's voice: an engine, and the prompts that it is asked with.
public struct Voice: Sendable {
    public var engine: any TextEngine
    public var prompts: Prompts
    /// What people call it: "teacher".
    public var name: String

    public init(_ engine: any TextEngine, prompts: Prompts, name: String) {
        self.engine = engine
        self.prompts = prompts
        self.name = name
    }
}

/// Prompts a model with queries and constitutions and takes its completions as responses.
struct ResponseSampler {
    /// The model that answers, or that at least scores the answers of another voice.
    var text: TextModel
    var sampling: Sampling
    var memory: MemoryPlan
    /// Who answers in place of the model.
    var voice: Voice?

    /// - Throws: `PromptError.noChatTemplate`; an error of the chat template.
    func prompt(_ query: Query, _ constitution: Constitution) throws -> RolloutPrompt {
        let (rendered, responsePrefix) = try text.prompts.rolloutPrompt(
            query, constitution, chat: text.chat)
        let (prompt, prefixTokens) = text.prompt(rendered, beginning: responsePrefix)
        return RolloutPrompt(
            query: query, constitution: constitution, prompt: prompt,
            responsePrefix: responsePrefix,
            prefixTokens: prefixTokens)
    }

    /// - Throws: `ModelError`; `AlignmentError.logitsNotFinite` with the query's id.
    func sample(
        _ requests: [(prompt: RolloutPrompt, key: RandomKey)],
        progress: (WorkProgress) -> Continuation
    ) throws -> [SampledResponse] {
        if let voice { return try sample(requests, voice, progress: progress) }
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

    /// The responses of another voice, which has no ids of this model's.
    private func sample(
        _ requests: [(prompt: RolloutPrompt, key: RandomKey)], _ voice: Voice,
        progress: (WorkProgress) -> Continuation
    ) throws -> [SampledResponse] {
        func response(_ text: String, _ finish: Generation.Finish) -> SampledResponse {
            SampledResponse(text: text, tokens: [], textTokens: 0, chatTokens: [], finish: finish)
        }
        do {
            return try voice.engine.write(
                requests.map {
                    let (query, constitution) = ($0.prompt.query, $0.prompt.constitution)
                    return TextRequest(
                        voice.prompts.rolloutContent(
                            query.form, query.text, constitution: constitution.text), key: $0.key)
                }, sampling, stops: voice.prompts.stops, progress: progress
            ).map { written in
                var response = response(
                    written.text.trimmed, written.isFinished ? .stop : .length)
                response.isOverflow = written.ending == .overflow
                return response
            }
        } catch is Canceled {
            return requests.map { _ in response("", .interrupted) }
        }
    }
}
