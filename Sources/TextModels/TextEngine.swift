import LongWork
import Tensors
import Transformers

/// A prompt for an engine, and the key of its random numbers.
public struct TextRequest: Sendable {
    public var content: PromptContent
    public var key: RandomKey

    public init(_ content: PromptContent, key: RandomKey) {
        self.content = content
        self.key = key
    }
}

/// The text that an engine wrote.
public struct WrittenText: Sendable, Codable, Hashable {
    public enum Ending: String, Sendable, Codable {
        /// By a stop token or a stop string.
        case stop
        /// By the limit of tokens, or by a rule of a server.
        case length
        /// Nothing was written: the prompt does not fit the context.
        case overflow
    }

    public var text: String
    public var ending: Ending

    public init(text: String, ending: Ending = .stop) {
        self.text = text
        self.ending = ending
    }

    public var isFinished: Bool { ending == .stop }
}

/// Whatever turns prompts into text: a loaded model, or a server. Principles, responses and
/// judgements are asked for through it.
public protocol TextEngine: Sendable {
    /// One text for each request, in their order. It ends before the first of the stop strings.
    ///
    /// - Parameter progress: asked often; the numbers of finished texts and of tokens.
    /// - Throws: `Canceled` if `progress` answers `.stop`; errors of the model or of the server.
    func write(
        _ requests: [TextRequest], _ sampling: Sampling, stops: [String],
        progress: (WorkProgress) -> Continuation
    ) throws -> [WrittenText]
}

/// A loaded model as an engine.
public struct LoadedEngine: TextEngine {
    public let text: TextModel
    public var memory: MemoryPlan

    public init(_ text: TextModel, memory: MemoryPlan = .automatic) {
        self.text = text
        self.memory = memory
    }

    public func write(
        _ requests: [TextRequest], _ sampling: Sampling, stops: [String],
        progress: (WorkProgress) -> Continuation
    ) throws -> [WrittenText] {
        let prompts = try requests.map { try text.prompt($0.content) }
        var texts = requests.map { _ in WrittenText(text: "", ending: .overflow) }
        func room(_ place: Int) -> Int { text.context - prompts[place].tokens.count }
        // Prompts near the end of the context get the rest of it; they do not shorten the others.
        let roomy = prompts.indices.filter { room($0) >= sampling.maxTokens }
        let tight = prompts.indices.filter { room($0) > 0 && room($0) < sampling.maxTokens }
        for places in [roomy, tight] where !places.isEmpty {
            var sampling = sampling
            sampling.maxTokens = min(sampling.maxTokens, places.map(room).min() ?? 1)
            let completions = try text.complete(
                places.map { CompletionRequest(prompts[$0], key: requests[$0].key) }, sampling,
                stops: stops, memory: memory, progress: progress)
            if completions.contains(where: { $0.finish == .interrupted }) { throw Canceled() }
            for (place, completion) in zip(places, completions) {
                texts[place] = WrittenText(
                    text: completion.text, ending: completion.finish == .stop ? .stop : .length)
            }
        }
        return texts
    }
}
