import Foundation
import Tensors
import Testing

@testable import Transformers

/// Drawing a token, compared with sorting the whole vocabulary in double precision.
@Suite struct SamplerTests {
    private func logits(_ count: Int, seed: UInt64, spread: Double) -> [Float] {
        let key = RandomKey(seed: seed)
        return (0..<count).map { Float(spread * key.normal(UInt64($0))) }
    }

    private func draw(_ settings: SamplerSettings, _ logits: [Float], _ uniform: Double) -> (
        token: Int32, logProb: Float
    ) {
        logits.withUnsafeBufferPointer { settings.draw($0, uniform: uniform) }
    }

    /// The tokens that may be drawn, with their probabilities, by definition.
    private func allowed(_ s: SamplerSettings, _ logits: [Float]) -> [Int32: Double] {
        let top = Double(logits.max() ?? 0)
        let weights = logits.map { exp((Double($0) - top) / s.temperature) }
        var kept = weights.indices.sorted { weights[$0] > weights[$1] }
            .filter { weights[$0] >= s.minP }
        if s.topK > 0 { kept = Array(kept.prefix(s.topK)) }
        let mass = kept.reduce(0) { $0 + weights[$1] } * s.topP
        var sum = 0.0
        var end = 0
        while end < kept.count, sum < mass {
            sum += weights[kept[end]]
            end += 1
        }
        kept = Array(kept.prefix(end))
        return Dictionary(uniqueKeysWithValues: kept.map { (Int32($0), weights[$0] / sum) })
    }

    @Test(arguments: [
        SamplerSettings(), SamplerSettings(temperature: 0.7), SamplerSettings(topK: 7),
        SamplerSettings(topP: 0.9), SamplerSettings(temperature: 1.4, topP: 0.5),
        SamplerSettings(minP: 0.2), SamplerSettings(topK: 40, topP: 0.8, minP: 0.01),
    ])
    func tokensAreDrawnAsOftenAsTheirProbabilitySays(_ settings: SamplerSettings) {
        for (seed, spread) in [(1, 0.3), (2, 2), (3, 6)] as [(UInt64, Double)] {
            let logits = logits(700, seed: seed, spread: spread)
            let wanted = allowed(settings, logits)
            let draws = 4000
            var found: [Int32: Double] = [:]
            for i in 0..<draws {
                let token = draw(settings, logits, (Double(i) + 0.5) / Double(draws)).token
                found[token, default: 0] += 1 / Double(draws)
            }
            #expect(Set(found.keys).isSubset(of: wanted.keys), "\(settings)")
            for (token, probability) in wanted {
                #expect(abs(found[token, default: 0] - probability) < 1.01 / Double(draws))
            }
        }
    }

    @Test func logProbsAreThoseOfTheModelWhateverTheSettings() {
        let logits = logits(50, seed: 9, spread: 3)
        let normalizer = log(logits.reduce(0.0) { $0 + exp(Double($1)) })
        for settings in [
            SamplerSettings(), SamplerSettings(temperature: 0),
            SamplerSettings(temperature: 2, topK: 3),
        ] {
            let (token, logProb) = draw(settings, logits, 0.4)
            #expect(abs(Double(logProb) - (Double(logits[Int(token)]) - normalizer)) < 1e-5)
        }
    }

    @Test func temperatureZeroTakesTheLikeliest() {
        let logits = logits(300, seed: 4, spread: 1)
        let best = logits.indices.max { logits[$0] < logits[$1] }
        #expect(draw(SamplerSettings(temperature: 0), logits, 0.99).token == best.map { Int32($0) })
    }

    @Test func aTokenWithoutProbabilityIsNeverDrawn() {
        let logits: [Float] = [-.infinity, 0, -200, -.infinity]
        for uniform in [0, 0.5, 0.999_999_999_999] {
            #expect(draw(SamplerSettings(), logits, uniform).token == 1)
        }
    }

    /// 1 / temperature times a logit overflows a float32 here.
    @Test(arguments: [1e-7, 1e-39, 1e-300])
    func `a temperature near 0 takes the likeliest token`(_ temperature: Double) {
        let logits = logits(200, seed: 3, spread: 4)
        let likeliest = Int32(logits.firstIndex(of: logits.max() ?? 0) ?? 0)
        #expect(likeliest != 0)
        for uniform in [0, 0.5, 0.999] {
            let drawn = draw(SamplerSettings(temperature: temperature), logits, uniform)
            #expect(drawn.token == likeliest && drawn.logProb.isFinite)
        }
    }
}
