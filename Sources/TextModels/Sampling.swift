import Transformers

/// How a model's next token is drawn, and how many tokens at most.
public struct Sampling: Sendable, Codable, Hashable {
    /// Logits are divided by it; 0 takes the likeliest token (greedy).
    public var temperature = 1.0
    /// Only the k likeliest tokens; 0 for all.
    public var topK = 0
    /// Only the likeliest tokens that together have this probability; 1 for all.
    public var topP = 1.0
    /// Only tokens at least this likely in relation to the likeliest; 0 for all.
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

    func settings(stopTokens: Set<Int32>) -> SamplerSettings {
        SamplerSettings(
            temperature: temperature, topK: topK, topP: topP, minP: minP, maxTokens: maxTokens,
            stopTokens: stopTokens)
    }
}
