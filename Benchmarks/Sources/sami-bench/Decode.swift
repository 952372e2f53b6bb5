import ArgumentParser
import Tensors
import Transformers

/// Decoding reads every weight once a token and computes little, so its measure is bytes a second,
/// beside those of a plain read of memory.
struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One response after a short prompt: GB/s of weights, beside a plain read.")
    @OptionGroup var shape: Shape
    @Option(help: "Tokens of the response.")
    var tokens = 48

    func run() throws {
        let model = try shape.random()
        let request = GenerationRequest(prompt: [5, 6, 7, 8], key: RandomKey(seed: 1))
        func generate(_ count: Int) throws -> Double {
            try time(1) {
                _ = try model.generate([request], SamplerSettings(topP: 0.9, maxTokens: count))
            }[0]
        }
        _ = try generate(4)
        let plain = PlainRead()
        var (best, read) = (Double.infinity, 0.0)
        // Alternating, so that both meet the same neighbors on the machine.
        for _ in 0..<5 {
            read = max(read, plain.rate())
            best = min(best, try generate(tokens + 1) - generate(1))
        }
        let perToken = best / Double(tokens)
        let rate = Double(model.weightBytes) / perToken
        Report(
            title: "Decoding, \(shape.model), \(shape.stored), \(tokens) tokens",
            seconds: best, tokens: tokens, work: Work(),
            extra: [
                ("gigabytes_per_second", rate / 1e9), ("plain_read", read / 1e9),
                ("share_of_read", rate / read),
            ]
        ).print()
    }
}

/// All workers read a block that is larger than any cache.
private struct PlainRead {
    private let block = Tensor(repeating: 1, shape: [128 << 20])

    /// Bytes a second.
    func rate() -> Double {
        let seconds = time(1) {
            block.withUnsafeBufferPointer { floats in
                let base = UnsafeRawPointer(floats.baseAddress!)
                Workers.split(floats.count, grain: 1024) { range in
                    var (a, b) = (SIMD16<Float>.zero, SIMD16<Float>.zero)
                    for i in stride(from: range.lowerBound, to: range.upperBound, by: 32) {
                        a += base.load(fromByteOffset: 4 * i, as: SIMD16<Float>.self)
                        b += base.load(fromByteOffset: 4 * i + 64, as: SIMD16<Float>.self)
                    }
                    precondition((a + b).sum() >= 0)
                }
            }
        }[0]
        return Double(4 * block.count) / seconds
    }
}
