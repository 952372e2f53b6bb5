import Foundation
import JSON

/// Reading and writing of `rope_scaling`.
extension RopeScaling {
    /// Nil for the type `default`.
    ///
    /// - Parameters:
    ///   - keys: the section.
    ///   - file: the keys of the file. `original_max_position_embeddings` may stand there, and then
    ///     counts more than in the section.
    init?(
        _ keys: ConfigurationKeys, beside file: ConfigurationKeys, context: Int, headSize: Int
    ) throws {
        switch try Self.type(keys) {
        case "default": return nil
        case "linear": self = .linear(factor: try Self.factor(keys))
        case "dynamic": self = .dynamic(factor: try Self.factor(keys))
        case "llama3":
            let (low, high) = (
                try keys.positive("low_freq_factor", default: nil),
                try keys.positive("high_freq_factor", default: nil)
            )
            guard low < high else {
                throw keys.refusal(
                    "\"low_freq_factor\" is \(low), not below \"high_freq_factor\", \(high)")
            }
            self = .llama3(
                factor: try Self.factor(keys), lowFrequency: low, highFrequency: high,
                original: try Self.original(keys, file, context))
        case "yarn":
            let factor = try Self.factor(keys)
            self = .yarn(
                Yarn(
                    factor: factor, amplitude: try Self.yarnAmplitude(keys, factor),
                    fastTurns: try keys.positive("beta_fast", default: 32),
                    slowTurns: try keys.positive("beta_slow", default: 1),
                    original: try Self.original(keys, file, context),
                    isRounded: try keys.bool("truncate", default: true)))
        case "longrope", "su":
            self = .longrope(try LongRope(keys, file, context, headSize))
        case let type:
            let known = RopeScaling.known.joined(separator: ", ")
            throw keys.refusal(
                "scaling the rotary embedding by type \"\(type)\" is not supported; \(known) are")
        }
    }

    /// The type has two names, an older and a newer one.
    private static func type(_ keys: ConfigurationKeys) throws -> String {
        let (newer, older) = (try keys.text("rope_type"), try keys.text("type"))
        if let newer, let older, newer != older {
            try keys.refuse(
                contradiction:
                    "\"rope_type\" is \"\(newer)\" and \"type\" is \"\(older)\"; programs disagree on "
                    + "which counts; remove one")
        }
        return newer ?? older ?? "default"
    }

    private static func factor(_ keys: ConfigurationKeys) throws -> Double {
        let factor = try keys.positive("factor", default: nil)
        guard factor >= 1 else { throw keys.refusal("\"factor\" is \(factor), below 1") }
        return factor
    }

    /// The context of the first training.
    fileprivate static func original(
        _ keys: ConfigurationKeys, _ file: ConfigurationKeys, _ context: Int
    ) throws -> Int {
        let key = "original_max_position_embeddings"
        let inner = try keys.optionalCount(key)
        return try file.optionalCount(key) ?? inner ?? context
    }

    private static func yarnAmplitude(_ keys: ConfigurationKeys, _ factor: Double) throws -> Double
    {
        func scale(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1 }
        let (one, all) = (
            try keys.number("mscale", default: 0), try keys.number("mscale_all_dim", default: 0)
        )
        let amplitude = one != 0 && all != 0 ? scale(one) / scale(all) : scale(1)
        return try keys.optionalPositive("attention_factor") ?? amplitude
    }

    var json: JSON {
        let (type, members): (String, [(String, JSON)]) =
            switch self {
            case .linear(let factor): ("linear", [("factor", .double(factor))])
            case .dynamic(let factor): ("dynamic", [("factor", .double(factor))])
            case .llama3(let factor, let low, let high, let original):
                (
                    "llama3",
                    [
                        ("factor", .double(factor)), ("low_freq_factor", .double(low)),
                        ("high_freq_factor", .double(high)),
                        ("original_max_position_embeddings", .integer(original)),
                    ]
                )
            case .yarn(let yarn):
                (
                    "yarn",
                    [
                        ("factor", .double(yarn.factor)),
                        ("attention_factor", .double(yarn.amplitude)),
                        ("beta_fast", .double(yarn.fastTurns)),
                        ("beta_slow", .double(yarn.slowTurns)),
                        ("original_max_position_embeddings", .integer(yarn.original)),
                        ("truncate", .bool(yarn.isRounded)),
                    ]
                )
            case .longrope(let scaling):
                (
                    "longrope",
                    [
                        ("short_factor", .array(scaling.short.map { .double($0) })),
                        ("long_factor", .array(scaling.long.map { .double($0) })),
                        ("attention_factor", .double(scaling.amplitude)),
                        ("original_max_position_embeddings", .integer(scaling.original)),
                    ]
                )
            }
        return .object(
            ([("rope_type", .string(type))] + members).map { JSON.Member($0.0, $0.1) })
    }
}

extension RopeScaling.LongRope {
    fileprivate init(
        _ keys: ConfigurationKeys, _ file: ConfigurationKeys, _ context: Int, _ headSize: Int
    ) throws {
        func factors(_ key: String) throws -> [Double] {
            guard let factors = try keys.numbers(key) else {
                throw keys.refusal("\"\(key)\" is missing")
            }
            guard factors.count == headSize / 2 else {
                throw keys.refusal(
                    "\"\(key)\" has \(factors.count) factors, and a head turns in \(headSize / 2) "
                        + "pairs")
            }
            guard factors.allSatisfy({ $0 > 0 && $0.isFinite }) else {
                throw keys.refusal("a factor of \"\(key)\" is not above zero")
            }
            return factors
        }
        (short, long) = (try factors("short_factor"), try factors("long_factor"))
        original = try RopeScaling.original(keys, file, context)
        let factor =
            try keys.optionalPositive("factor") ?? (Double(context) / Double(original))
        amplitude =
            try keys.optionalPositive("attention_factor")
            ?? (factor <= 1 ? 1 : (1 + log(factor) / log(Double(max(2, original)))).squareRoot())
    }
}
