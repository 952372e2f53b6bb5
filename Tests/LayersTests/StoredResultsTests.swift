import NumberTypes
import Tensors
import TestSupport
import Testing

@testable import Layers

/// Results that are stored in bfloat16 are those in float32, rounded.
@Suite struct StoredResultsTests {
    /// Less than a vector, rows longer than a run, several runs for each worker.
    static let shapes = [[1, 1], [3, 5], [2, 1500], [37, 129], [300, 96]]

    @Test(arguments: shapes)
    func normsRoundTheirResults(shape: [Int]) {
        let x = random(shape, 1)
        let (weight, bias) = (random([shape[1]], 2), random([shape[1]], 3))
        expectRounded { RMSNorm(epsilon: 1e-5).forward(x, weight: weight, as: $0) }
        expectRounded {
            LayerNorm(epsilon: 1e-5).forward(x, weight: weight, bias: bias, as: $0)
        }
    }

    @Test(arguments: shapes)
    func activationsRoundTheirResults(shape: [Int]) {
        let (gate, up, dy) = (random(shape, 1), random(shape, 2), random(shape, 3))
        expectRounded { GELU.forward(gate, as: $0) }
        expectRounded { SwiGLU.forward(gate: gate, up: up, as: $0) }
        expectRounded { SwiGLU.backward(dy, gate: gate, up: up, as: $0).dgate }
        expectRounded { SwiGLU.backward(dy, gate: gate, up: up, as: $0).dup }
        expectRounded { SwiGLU.backward(dy, gate: gate, up: up, as: $0).y }
    }

    @Test func noRowsGiveNone() {
        let x = Tensor(zeros: [0, 8])
        expectRounded { RMSNorm(epsilon: 1e-5).forward(x, weight: random([8], 1), as: $0) }
        expectRounded { GELU.forward(x, as: $0) }
    }

    private func expectRounded(_ result: (StoredFormat) -> Tensor) {
        let (plain, rounded) = (result(.float32), result(.bfloat16))
        #expect(plain.format == .float32 && rounded.format == .bfloat16)
        #expect(rounded == plain.converted(to: .bfloat16))
    }
}
