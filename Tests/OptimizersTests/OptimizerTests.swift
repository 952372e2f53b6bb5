import Foundation
import Optimizers
import Tensors
import Testing

@Suite struct OptimizerTests {
    private func random(_ shape: [Int], _ seed: UInt64) -> Tensor {
        let key = RandomKey(seed: seed)
        let count = shape.reduce(1, *)
        return Tensor((0..<count).map { Float(key.normal(UInt64($0))) }, shape: shape)
    }

    /// Three steps on three gradients, by the kernel and in plain loops in double precision.
    private func follow(
        _ optimizer: Optimizer, shape: [Int],
        _ slow: (_ p: inout Double, _ g: Double, _ m: inout [Double], _ step: Int) -> Void
    ) {
        var fast = random(shape, 1)
        var plain = fast.values.map(Double.init)
        var moments = optimizer.rule.moments.map { _ in Tensor(zeros: shape) }
        var plainMoments = plain.map { _ in optimizer.rule.moments.map { _ in 0.0 } }
        for number in 1...3 {
            let gradient = random(shape, UInt64(10 + number))
            optimizer.step(&fast, gradient, &moments, number: number, learningRate: 0.1)
            for i in plain.indices {
                slow(&plain[i], Double(gradient[i]), &plainMoments[i], number)
            }
            for i in plain.indices {
                #expect(abs(Double(fast[i]) - plain[i]) < 2e-5, "step \(number), element \(i)")
            }
        }
    }

    @Test(arguments: [[21], [3, 7]])
    func `three steps of RMSprop equal its definition`(_ shape: [Int]) {
        follow(.rmsprop(alpha: 0.9), shape: shape) { p, g, m, _ in
            m[0] = 0.9 * m[0] + 0.1 * g * g
            p -= 0.1 * g / (m[0].squareRoot() + 1e-8)
        }
    }

    @Test(arguments: [[21], [3, 7]])
    func `three steps of AdamW equal its definition, and only matrices decay`(_ shape: [Int]) {
        follow(.adamw(beta1: 0.9, beta2: 0.98, decay: 0.5), shape: shape) { p, g, m, step in
            m[0] = 0.9 * m[0] + 0.1 * g
            m[1] = 0.98 * m[1] + 0.02 * g * g
            let mean = m[0] / (1 - pow(0.9, Double(step)))
            let square = m[1] / (1 - pow(0.98, Double(step)))
            p *= shape.count > 1 ? 1 - 0.1 * 0.5 : 1
            p -= 0.1 * mean / (square.squareRoot() + 1e-8)
        }
    }

    @Test func `a setting out of range is named, and one of another rule changes nothing`() {
        var optimizer = Optimizer.adamw()
        #expect(optimizer.fault == nil)
        optimizer["alpha"] = 3
        #expect(optimizer["alpha"] == nil && optimizer.fault == nil)
        optimizer["beta2"] = 1
        #expect(optimizer.fault?.name == "beta2" && optimizer.fault?.value == 1)
        #expect(optimizer.fault?.allowed == "it must be in [0, 1)")
    }

    @Test(arguments: OptimizerRule.all.map(\.name))
    func `an optimizer survives its encoding`(_ name: String) throws {
        let rule = try #require(OptimizerRule.named(name))
        let optimizer = Optimizer(rule, ["epsilon": 1e-5, "ramp": 1])
        let data = try JSONEncoder().encode(optimizer)
        #expect(try JSONDecoder().decode(Optimizer.self, from: data) == optimizer)
    }

    @Test func `the ramp takes back the size of the first step`() {
        let ramp = Optimizer(.rmsprop, ["ramp": 1])
        #expect(abs(ramp.rateFactor(step: 1) - 0.1) < 1e-12)
        #expect(ramp.rateFactor(step: 5000) > 0.9999)
        #expect(Optimizer.rmsprop().rateFactor(step: 1) == 1)
    }
}
