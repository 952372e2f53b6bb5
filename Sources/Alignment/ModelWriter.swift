import LongWork
import Tensors
import Tokenizers
import Transformers

/// A language model at hand as the principle writer.
public struct ModelWriter: PrincipleWriter {
    public let model: LanguageModel
    public let tokenizer: Tokenizer
    public var temperature = 1.0
    public var topP = 0.95
    public var maxTokens = 128
    /// A written text ends before the first of these, besides at the end-of-sequence token.
    public var stops = ["\n\n"]
    public var memory: MemoryPlan
    /// Dresses a request as an instructed model wants it, special tokens included; nil for a model that
    /// just goes on with a text.
    public var dress: (@Sendable (String) throws -> String)?

    public init(
        model: LanguageModel, tokenizer: Tokenizer, memory: MemoryPlan = .automatic
    ) {
        self.model = model
        self.tokenizer = tokenizer
        self.memory = memory
    }

    public func write(
        _ prompt: String, samples: Int, key: RandomKey,
        cancel: () -> Continuation = { .more }
    ) throws -> [WrittenText] {
        let tokens = try encoded(prompt)
        let room = model.configuration.longestSequence - tokens.count
        guard room > 0 else {
            throw AlignmentError.tooLong(
                query: "the writer's prompt", tokens: tokens.count,
                context: model.configuration.longestSequence)
        }
        let settings = SamplerSettings(
            temperature: temperature, topP: topP, maxTokens: min(maxTokens, room),
            stopTokens: model.stopTokens(tokenizer))
        let requests = (0..<max(0, samples)).map {
            GenerationRequest(prompt: tokens, key: key.child(UInt64($0)))
        }
        let generations = try model.generate(
            requests, settings, memory: memory, stop: stopper, cancel: cancel)
        if generations.contains(where: { $0.finish == .interrupted }) { throw Canceled() }
        return generations.map { generation in
            let text = tokenizer.decode(generation.tokens)
            guard let stop = stops.compactMap({ text.firstRange(of: $0)?.lowerBound }).min() else {
                return WrittenText(text: text, isFinished: generation.finish == .stop)
            }
            return WrittenText(text: String(text[..<stop]), isFinished: true)
        }
    }

    /// Ends a text at its first stop marker rather than at its limit of tokens.
    private var stopper: ((Int, [Int32]) -> Bool)? {
        guard let longest = stops.map(\.utf8.count).max() else { return nil }
        // A token is at least one byte, so a marker that was just completed lies within these.
        return { [tokenizer, stops] _, tokens in
            let tail = tokenizer.decode(Array(tokens.suffix(longest + 1)))
            return stops.contains { tail.contains($0) }
        }
    }

    /// Of a prompt for an instructed model, what follows the last newline is how the answer begins.
    private func encoded(_ prompt: String) throws -> [Int32] {
        guard let dress else { return tokenizer.encode(prompt) }
        let last = prompt.lastIndex(where: \.isNewline)
        let (request, beginning) =
            last.map { (prompt[..<$0], prompt[prompt.index(after: $0)...]) } ?? (prompt[...], "")
        return tokenizer.encode(try dress(request.trimmed) + beginning, special: false)
    }
}
