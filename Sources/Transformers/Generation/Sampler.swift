import Foundation
import Layers
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

    /// Draws from one row of logits.
    /// - Parameter uniform: a number in [0, 1) that decides.
    /// - Returns: the token, and its log-prob in nats under the model itself, before any of the settings.
    func draw(
        _ logits: UnsafeBufferPointer<Float>, uniform: Double
    ) -> (token: Int32, logProb: Float) {
        // Unnormalized probabilities, the likeliest being one.
        var weights = Array(logits)
        let (top, sum) = exponentials(&weights)
        let logSum = top + log(sum)
        if temperature == 0 {
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

/// The smallest weight that a truncated distribution keeps. No sort of the vocabulary: weights are
/// counted in buckets first, and only the bucket where the threshold lies is sorted.
enum Nucleus {
    /// The exponential of −∞ is not quite zero; what is below this beside a weight of one is.
    static let nothing: Float = 1e-30

    /// Σ of the weights that are at least `least`.
    static func total(of weights: [Float], least: Float) -> Double {
        weights.withUnsafeBufferPointer { total($0, weights.indices, least) }
    }

    /// The first weight that is at least `least` and where the sum of those so far exceeds `uniform`
    /// of them all; the last such where rounding leaves none.
    static func pick(_ weights: [Float], least: Float, uniform: Double) -> Int {
        weights.withUnsafeBufferPointer { all in
            var left = uniform * total(all, weights.indices, least)
            var first = 0
            while first < all.count {
                // A block that does not reach it is passed over by its sum.
                let block = first..<min(first + 256, all.count)
                let sum = total(all, block, least)
                first = block.upperBound
                if sum < left, first < all.count {
                    left -= sum
                    continue
                }
                for i in block where all[i] >= least {
                    left -= Double(all[i])
                    if left < 0 { return i }
                }
            }
            return all.lastIndex { $0 >= least } ?? 0
        }
    }

    /// Four sums side by side: one alone would wait for itself at every addition.
    private static func total(
        _ weights: UnsafeBufferPointer<Float>, _ range: Range<Int>, _ least: Float
    ) -> Double {
        func part(_ i: Int) -> Double { weights[i] >= least ? Double(weights[i]) : 0 }
        var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
        var i = range.lowerBound
        while i &+ 4 <= range.upperBound {
            a += part(i)
            b += part(i &+ 1)
            c += part(i &+ 2)
            d += part(i &+ 3)
            i &+= 4
        }
        while i < range.upperBound {
            a += part(i)
            i &+= 1
        }
        return (a + b) + (c + d)
    }

    /// The k-th largest weight.
    static func threshold(ofTop k: Int, _ weights: [Float]) -> Float {
        select(weights, least: 0) { count, _ in count >= k }
    }

    /// The largest w such that the weights of at least w add up to `mass`.
    static func threshold(ofMass mass: Double, _ weights: [Float], least: Float) -> Float {
        select(weights, least: least) { _, sum in sum >= mass }
    }

    /// Positive numbers are ordered as their bits are: sixteen buckets to each power of two, up to 1.
    private static func bucket(_ weight: Float) -> Int { Int(weight.bitPattern >> 19) }

    /// The largest w for which `enough(count, sum)` holds of the weights at or above it; the smallest
    /// weight when it holds of none.
    /// - Parameter weights: in 0...1; those below `least`, and nothings, do not count.
    private static func select(
        _ weights: [Float], least: Float, enough: (Int, Double) -> Bool
    ) -> Float {
        func takesPart(_ weight: Float) -> Bool { weight >= max(least, nothing) && weight <= 1 }
        let buckets = bucket(1) + 1
        var counts = [Int](repeating: 0, count: buckets)
        var sums = [Double](repeating: 0, count: buckets)
        for weight in weights where takesPart(weight) {
            counts[bucket(weight)] += 1
            sums[bucket(weight)] += Double(weight)
        }
        var (count, sum) = (0, 0.0)
        var last = buckets - 1
        while last > 0, !enough(count + counts[last], sum + sums[last]) {
            count += counts[last]
            sum += sums[last]
            last -= 1
        }
        var threshold = least
        for weight in weights.filter({ takesPart($0) && bucket($0) == last }).sorted(by: >) {
            count += 1
            sum += Double(weight)
            threshold = weight
            if enough(count, sum) { break }
        }
        return threshold
    }
}
