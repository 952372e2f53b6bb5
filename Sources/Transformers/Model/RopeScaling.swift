import Foundation
import Tensors

/// The scaling of a rotary embedding for contexts longer than its original training context:
/// `rope_scaling` of `config.json`.
public enum RopeScaling: Sendable, Equatable {
    /// Every angle divided by a factor (Chen et al., arXiv 2306.15595).
    case linear(factor: Double)
    /// A larger base once a sequence is longer than the original context ("dynamic NTK").
    ///
    /// The longest sequence of a pass decides the base. So beyond the original context the results
    /// depend on the other sequences of the pass, as in transformers.
    case dynamic(factor: Double)
    /// Llama 3.1: divides slow angles, keeps fast angles, with a smooth transition between.
    case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, original: Int)
    case yarn(Yarn)
    case longrope(LongRope)

    /// YaRN (Peng et al., arXiv 2309.00071): divides the angles that turn fewer than `slowTurns`
    /// times in the original context, keeps those that turn more than `fastTurns` times, with a
    /// straight transition between, and multiplies the rotated vectors by `amplitude`.
    public struct Yarn: Sendable, Equatable {
        public var factor: Double
        public var amplitude: Double
        public var fastTurns = 32.0
        public var slowTurns = 1.0
        public var original: Int
        /// Whether the ends of the transition are rounded to whole pairs.
        public var isRounded = true
    }

    /// LongRoPE (Ding et al., arXiv 2402.13753): each angle divided by a factor of its own, `long`
    /// for a pass whose longest sequence exceeds the original context, else `short`.
    public struct LongRope: Sendable, Equatable {
        public var short: [Double]
        public var long: [Double]
        public var amplitude: Double
        public var original: Int
    }

    /// The types that `config.json` may name, in addition to `default`.
    static let known = ["linear", "dynamic", "llama3", "yarn", "longrope"]
}

/// The angles of a rotary embedding: for each pair of a head's elements, the angle of one position.
struct RotaryFrequencies: Sendable, Equatable {
    var theta: Double
    var headSize: Int
    var scaling: RopeScaling?
    /// `max_position_embeddings` of the file.
    var originalContext: Int
    /// Whether the frequencies are rounded to bfloat16.
    var isRounded = false

    /// Whether frequencies depend on the longest sequence.
    func dependOnLength(_ length: Int) -> Bool {
        switch scaling {
        case .dynamic: length > originalContext
        case .longrope(let scaling): length > scaling.original
        default: false
        }
    }

    /// The factor of every rotated vector.
    var amplitude: Double {
        switch scaling {
        case .yarn(let scaling): scaling.amplitude
        case .longrope(let scaling): scaling.amplitude
        default: 1
        }
    }

    /// θ^(−2i/size) for each pair i, scaled; `length` is the length of the longest sequence.
    func inverse(length: Int) -> [Double] {
        let exact = scaled(length: length)
        return isRounded ? exact.map { Double(float(fromBFloat16: bfloat16(Float($0)))) } : exact
    }

    private func scaled(length: Int) -> [Double] {
        switch scaling {
        case nil: plain(theta)
        case .linear(let factor): plain(theta).map { $0 / factor }
        case .dynamic(let factor): plain(dynamicBase(factor, max(length, originalContext)))
        case .llama3(let factor, let low, let high, let original):
            plain(theta).map { frequency in
                let turns = Double(original) * frequency / (2 * .pi)
                if turns < low { return frequency / factor }
                if turns > high { return frequency }
                let smooth = (turns - low) / (high - low)
                return (1 - smooth) * frequency / factor + smooth * frequency
            }
        case .yarn(let scaling): yarn(scaling)
        case .longrope(let scaling):
            zip(plain(theta), length > scaling.original ? scaling.long : scaling.short)
                .map { $0 / $1 }
        }
    }

    private func plain(_ base: Double) -> [Double] {
        stride(from: 0, to: headSize, by: 2).map { 1 / pow(base, Double($0) / Double(headSize)) }
    }

    private func dynamicBase(_ factor: Double, _ length: Int) -> Double {
        guard headSize > 2 else { return theta }
        let growth = factor * Double(length) / Double(originalContext) - (factor - 1)
        return theta * pow(growth, Double(headSize) / Double(headSize - 2))
    }

    private func yarn(_ scaling: RopeScaling.Yarn) -> [Double] {
        /// The pair whose angle makes this number of turns in the original context.
        func pair(turns: Double) -> Double {
            Double(headSize) * log(Double(scaling.original) / (turns * 2 * .pi)) / (2 * log(theta))
        }
        var (first, last) = (pair(turns: scaling.fastTurns), pair(turns: scaling.slowTurns))
        if scaling.isRounded { (first, last) = (first.rounded(.down), last.rounded(.up)) }
        (first, last) = (max(first, 0), min(last, Double(headSize - 1)))
        if first == last { last += 0.001 }
        return plain(theta).enumerated().map { place, frequency in
            let divided = min(1, max(0, (Double(place) - first) / (last - first)))
            return frequency / scaling.factor * divided + frequency * (1 - divided)
        }
    }
}
