import Foundation
import Tensors

/// How the next token is drawn.
public struct SamplerSettings: Sendable, Equatable {
    /// Logits are divided by it; 0 takes the likeliest token (greedy).
    public var temperature: Double
    /// Only the k likeliest tokens; 0 for all.
    public var topK: Int
    /// Only the likeliest tokens that together have this probability (Holtzman et al., arXiv 1904.09751).
    public var topP: Double
    /// Only tokens at least this likely in relation to the likeliest.
    public var minP: Double
    public var maxTokens: Int
    /// Tokens that end a response; they are not part of it.
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

    /// Throws `ModelError.badSetting` for what cannot be.
    public func check() throws {
        func refuse(_ name: String, _ value: Any, _ allowed: String) -> ModelError {
            .badSetting(name: name, value: "\(value)", allowed: allowed)
        }
        guard temperature >= 0, temperature.isFinite else {
            throw refuse("temperature", temperature, "it is 0 (greedy) or above")
        }
        guard topK >= 0 else { throw refuse("top_k", topK, "it is 0 (all) or above") }
        guard topP > 0, topP <= 1 else { throw refuse("top_p", topP, "it lies in (0, 1]") }
        guard minP >= 0, minP <= 1 else { throw refuse("min_p", minP, "it lies in [0, 1]") }
        guard maxTokens >= 1, maxTokens <= 1 << 20 else {
            throw refuse("max_tokens", maxTokens, "it is 1 or above")
        }
    }

    /// Draws from one row of logits, which it overwrites.
    /// - Parameter uniform: a number in [0, 1) that decides.
    /// - Returns: the token, and its log-prob in nats under the model itself, before any of the settings.
    func draw(
        _ logits: UnsafeMutableBufferPointer<Float>, uniform: Double
    ) -> (token: Int32, logProb: Float) {
        var best = 0
        for i in logits.indices where logits[i] > logits[best] { best = i }
        let top = logits[best]
        var sum: Float = 0
        for logit in logits { sum += exp(logit - top) }
        let logSum = top + log(sum)
        if temperature == 0 { return (Int32(best), top - logSum) }

        // Unnormalized probabilities, the likeliest being one.
        let inverse = Float(1 / temperature)
        let scaled = temperature != 1
        var weights = [Float](repeating: 0, count: logits.count)
        var total = 0.0
        for i in logits.indices {
            weights[i] = exp((logits[i] - top) * (scaled ? inverse : 1))
            total += Double(weights[i])
        }
        var least = Float(minP)
        if topK > 0, topK < weights.count {
            least = max(least, Nucleus.threshold(ofTop: topK, weights))
        }
        if topP < 1 {
            if least > 0 { total = weights.reduce(0) { $1 >= least ? $0 + Double($1) : $0 } }
            least = max(least, Nucleus.threshold(ofMass: topP * total, weights, least: least))
        }
        if least > 0 { total = weights.reduce(0) { $1 >= least ? $0 + Double($1) : $0 } }
        var left = uniform * total
        var chosen = best
        for i in weights.indices where weights[i] >= least {
            left -= Double(weights[i])
            chosen = i
            if left < 0 { break }
        }
        return (Int32(chosen), logits[chosen] - logSum)
    }
}

/// The smallest weight that a truncated distribution keeps, found by selection: no sort of the vocabulary.
enum Nucleus {
    /// The k-th largest weight.
    static func threshold(ofTop k: Int, _ weights: [Float]) -> Float {
        select(weights, least: 0) { count, _ in count >= k }
    }

    /// The largest w such that the weights of at least w add up to `mass`.
    static func threshold(ofMass mass: Double, _ weights: [Float], least: Float) -> Float {
        select(weights, least: least) { _, sum in sum >= mass }
    }

    /// The largest w for which `enough(count, sum)` holds of the weights at or above it.
    private static func select(
        _ weights: [Float], least: Float, enough: (Int, Double) -> Bool
    ) -> Float {
        var candidates = weights.filter { $0 >= least && $0 > 0 }
        var (count, sum) = (0, 0.0)  // of what is known to be kept
        var threshold = candidates.min() ?? 0
        while candidates.count > 1 {
            let pivot = candidates[candidates.count / 2]
            let upper = candidates.filter { $0 > pivot }
            let equal = candidates.count { $0 == pivot }
            let upperSum = upper.reduce(0.0) { $0 + Double($1) }
            if enough(count + upper.count, sum + upperSum) {
                candidates = upper
                continue
            }
            count += upper.count + equal
            sum += upperSum + Double(pivot) * Double(equal)
            if enough(count, sum) { return pivot }
            candidates = candidates.filter { $0 < pivot }
        }
        if let last = candidates.first { threshold = last }
        return threshold
    }
}
