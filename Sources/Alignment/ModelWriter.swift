import LongWork
import Tensors
import TextModels
import Transformers

/// A loaded language model as the principle writer.
public struct ModelWriter: PrincipleWriter {
    public let text: TextModel
    public var sampling = Sampling(topP: 0.95, maxTokens: 128)
    /// A text ends before the first of these strings, or at the end-of-sequence token. The answer
    /// to messages ends by itself.
    public var stops = ["\n\n"]
    public var memory: MemoryPlan

    public init(_ text: TextModel, memory: MemoryPlan = .automatic) {
        self.text = text
        self.memory = memory
    }

    public func write(
        _ prompt: PromptContent, samples: Int, key: RandomKey, watch: Watch = { _ in .more }
    ) throws -> [WrittenText] {
        let isChat = if case .messages = prompt { true } else { false }
        let prompt = try text.prompt(prompt)
        let room = text.context - prompt.tokens.count
        guard room > 0 else {
            throw AlignmentError.tooLong(
                query: "the writer's prompt", tokens: prompt.tokens.count, context: text.context)
        }
        var sampling = sampling
        sampling.maxTokens = min(sampling.maxTokens, room)
        let completions = try text.complete(
            (0..<max(0, samples)).map { CompletionRequest(prompt, key: key.child(UInt64($0))) },
            sampling, stops: isChat ? [] : stops, memory: memory, progress: { watch($0.fraction) })
        if completions.contains(where: { $0.finish == .interrupted }) { throw Canceled() }
        return completions.map {
            WrittenText(text: $0.text, isFinished: $0.finish == .stop)
        }
    }
}
