import Foundation
import GGUF
import JSON
import Tensors

extension GGUFArchitecture {
    private static let factors = "rope_freqs.weight"

    /// `rope_scaling` of a `config.json`: of the keys, or of Llama 3.1's table of factors.
    static func scaling(_ keys: GGUFKeys, headSize: Int) throws -> JSON {
        let type = try keys.text("rope.scaling.type") ?? "none"
        let factor = try keys.number("rope.scaling.factor") ?? keys.number("rope.scale_linear")
        if let tensor = keys.file.tensors.first(where: { $0.name == factors }) {
            guard type == "none" else {
                throw keys.file.refusal(
                    "it has both \(keys.name("rope.scaling.type")) and \(factors)")
            }
            return try llama3(tensor, keys, headSize: headSize)
        }
        if type == "none" {
            guard let linear = try keys.number("rope.scale_linear"), linear != 1 else {
                return .null
            }
            return .object([.init("rope_type", "linear"), .init("factor", .double(linear))])
        }
        // Other types are refused by name where `config.json` is read.
        return .object([
            .init("rope_type", .string(type)), .init("factor", factor.map { .double($0) } ?? .null),
            .init(
                "original_max_position_embeddings",
                try keys.integer("rope.scaling.original_context_length").map { .integer($0) }
                    ?? .null),
        ])
    }

    /// The scaling whose table this is. The files of Llama 3.1, 3.2 and 3.3 share all settings but
    /// the factor, which is the largest number of the table.
    private static func llama3(
        _ tensor: GGUFTensor, _ keys: GGUFKeys, headSize: Int
    ) throws -> JSON {
        let file = keys.file
        guard let format = tensor.format, tensor.shape == [headSize / 2] else {
            throw file.refusal("tensor \"\(factors)\" has the wrong shape or type")
        }
        let found = Tensor(
            reading: file.address(tensor), format, shape: tensor.shape, as: .float32
        ).values
        if found.allSatisfy({ $0 == 1 }) { return .null }
        let factor = Double(found.max() ?? 1)
        let frequencies = RotaryFrequencies(
            theta: try keys.number("rope.freq_base") ?? 10_000, headSize: headSize,
            scaling: .llama3(
                factor: factor, lowFrequency: 1, highFrequency: 4, original: 8192),
            originalContext: 8192)
        var plain = frequencies
        plain.scaling = nil
        let wanted = zip(plain.inverse(length: 0), frequencies.inverse(length: 0)).map { $0 / $1 }
        guard zip(found, wanted).allSatisfy({ abs(Double($0) - $1) <= 1e-5 * $1 }) else {
            throw file.refusal(
                "its table \"\(factors)\" scales the rotary embedding in another way than "
                    + "Llama 3.1, 3.2 and 3.3 do, which is not supported")
        }
        return .object([
            .init("rope_type", "llama3"), .init("factor", .double(factor)),
            .init("low_freq_factor", .double(1)), .init("high_freq_factor", .double(4)),
            .init("original_max_position_embeddings", .integer(8192)),
        ])
    }
}
