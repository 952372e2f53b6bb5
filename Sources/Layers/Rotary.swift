import Foundation
import Tensors

/// Rotary position embedding (Su et al., arXiv 2104.09864), in the layout of Hugging Face
/// checkpoints: element i of a head is rotated together with element i + size/2.
public struct Rotary: Sendable {
    private let cosines: Tensor  // (positions, size / 2)
    private let sines: Tensor
    private let half: Int

    /// - Parameters:
    ///   - inverseFrequencies: the angle of one position for each pair, size / 2 of them.
    ///   - amplitude: a factor of every rotated vector.
    public init(inverseFrequencies: [Double], positions: Int, amplitude: Double = 1) {
        half = inverseFrequencies.count
        var cosines = Tensor(uninitialized: [positions, half])
        var sines = Tensor(uninitialized: [positions, half])
        for position in 0..<positions {
            for (i, frequency) in inverseFrequencies.enumerated() {
                // Angles are computed in float32, as in the reference code of the checkpoints.
                let angle = Double(Float(position) * Float(frequency))
                cosines[position, i] = Float(cos(angle) * amplitude)
                sines[position, i] = Float(sin(angle) * amplitude)
            }
        }
        self.cosines = cosines
        self.sines = sines
    }

    /// Rotates every head of x (N, heads · size) in place, row n by the angle of `positions[n]`.
    public func forward(_ x: inout Tensor, positions: [Int]) {
        turn(&x, positions, direction: 1)
    }

    /// The transpose of a rotation is the opposite rotation, of the same amplitude: dx = Rᵀ dy, in
    /// place.
    public func backward(_ dy: inout Tensor, positions: [Int]) {
        turn(&dy, positions, direction: -1)
    }

    private func turn(_ x: inout Tensor, _ positions: [Int], direction: Float) {
        let width = x.columns
        let heads = width / (2 * half)
        let (base, cosine, sine) = (x.mutablePointer(), cosines.pointer, sines.pointer)
        positions.withUnsafeBufferPointer { positions in
            Workers.split(positions.count, grain: max(1, 1 << 13 / max(1, width))) { rows in
                for row in rows {
                    let (c, s) = (
                        cosine + positions[row] * half, sine + positions[row] * half
                    )
                    for head in 0..<heads {
                        turn(base + row * width + head * 2 * half, c, s, direction)
                    }
                }
            }
        }
    }

    @inline(__always)
    private func turn(
        _ x: UnsafeMutablePointer<Float>, _ c: UnsafePointer<Float>, _ s: UnsafePointer<Float>,
        _ direction: Float
    ) {
        var i = 0
        while i &+ 16 <= half {
            let (a, b) = (x.vector(i), x.vector(half &+ i))
            let (cosine, sine) = (c.vector(i), s.vector(i) * direction)
            x.store(a * cosine - b * sine, i)
            x.store(b * cosine + a * sine, half &+ i)
            i &+= 16
        }
        while i < half {
            let (a, b) = (x[i], x[half &+ i])
            x[i] = a * c[i] - b * s[i] * direction
            x[half &+ i] = b * c[i] + a * s[i] * direction
            i &+= 1
        }
    }
}
