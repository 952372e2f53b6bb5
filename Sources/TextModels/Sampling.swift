import Transformers

/// The settings for drawing the next token, and the limit of tokens.
public struct Sampling: Sendable, Codable, Hashable {
    /// Divides the logits; 0 takes the most likely token (greedy).
    public var temperature = 1.0
    /// Keeps only the k most likely tokens; 0 keeps all.
    public var topK = 0
    /// Keeps only the most likely tokens that together have this probability; 1 keeps all.
    public var topP = 1.0
    /// Keeps only tokens with at least this share of the largest probability; 0 keeps all.
    public var minP = 0.0
    /// The longest completion, in tokens.
    public var maxTokens = 96

    public init(
        temperature: Double = 1, topK: Int = 0, topP: Double = 1, minP: Double = 0,
        maxTokens: Int = 96
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.maxTokens = maxTokens
    }

    package func settings(stopTokens: Set<Int32>) -> SamplerSettings {
        SamplerSettings(
            temperature: temperature, topK: topK, topP: topP, minP: minP, maxTokens: maxTokens,
            stopTokens: stopTokens)
    }
}
