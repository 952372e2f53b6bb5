import Foundation
import Layers
import Tensors

/// The settings for drawing the next token.
public struct SamplerSettings: Sendable, Equatable {
    /// Divides the logits; 0, or less than `smallestTemperature`, takes the most likely token
    /// (greedy).
    public var temperature: Double
    /// Below this, 1 / temperature times a logit can overflow a float32, and the distribution is
    /// the likeliest token's alone in any case.
    public static let smallestTemperature = 1e-6
    /// Keeps only the k most likely tokens; 0 keeps all.
    public var topK: Int
    /// Keeps only the most likely tokens that together have this probability (Holtzman et al.,
    /// arXiv 1904.09751).
    public var topP: Double
    /// Keeps only tokens with at least this share of the largest probability.
    public var minP: Double
    public var maxTokens: Int
    /// Tokens that end a response. The response does not include them.
    public var stopTokens: Set<Int32>

    public init(
        temperature: Double = 1, topK: Int = 0, topP: Double = 1, minP: Double = 0,
        maxTokens: Int = 128, stopTokens: Set<Int32> = []
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.maxTokens = maxTokens
        self.stopTokens = stopTokens
    }

    /// Throws `ModelError.badSetting` for a setting outside its range.
    public func check() throws {
        func refuse(_ name: String, _ value: Any, _ allowed: String) -> ModelError {
            .badSetting(name: name, value: "\(value)", allowed: allowed)
        }
        guard temperature >= 0, temperature.isFinite else {
            throw refuse("temperature", temperature, "it must be 0 (greedy) or more")
        }
        guard topK >= 0 else { throw refuse("top_k", topK, "it must be 0 (all) or more") }
        guard topP > 0, topP <= 1 else { throw refuse("top_p", topP, "it must be in (0, 1]") }
        guard minP >= 0, minP <= 1 else { throw refuse("min_p", minP, "it must be in [0, 1]") }
        guard maxTokens >= 1, maxTokens <= 1 << 20 else {
            throw refuse("max_tokens", maxTokens, "it must be 1 or more")
        }
    }

    /// Draws from one row of logits.
    /// - Parameter uniform: the random number in [0, 1) that decides.
    /// - Returns: the token, and its log-prob in nats under the model itself, before temperature
    ///   and truncation.
    func draw(
        _ logits: UnsafeBufferPointer<Float>, uniform: Double
    ) -> (token: Int32, logProb: Float) {
        // Unnormalized probabilities; the largest is one.
        var weights = Array(logits)
        let (top, sum) = exponentials(&weights)
        let logSum = top + log(sum)
        if temperature < Self.smallestTemperature {
            return (Int32(logits.firstIndex(of: top) ?? 0), top - logSum)
        }
        if temperature != 1 {
            let inverse = Float(1 / temperature)
            for i in weights.indices { weights[i] = (logits[i] - top) * inverse }
            exponentials(&weights)
        }

        var least = Float(minP)
        if topK > 0, topK < weights.count {
            least = max(least, Nucleus.threshold(ofTop: topK, weights))
        }
        if topP < 1 {
            let mass = topP * Nucleus.total(of: weights, least: least)
            least = max(least, Nucleus.threshold(ofMass: mass, weights, least: least))
        }
        let chosen = Nucleus.pick(weights, least: max(least, Nucleus.nothing), uniform: uniform)
        return (Int32(chosen), logits[chosen] - logSum)
    }
}
