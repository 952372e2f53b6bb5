import Foundation
import Tensors
import Testing

@testable import Layers

/// Σ x · y, what the tests differentiate: its gradient by y is x.
func inner(_ x: Tensor, _ y: Tensor) -> Double {
    zip(x.values, y.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

func random(_ shape: [Int], _ seed: UInt64) -> Tensor {
    let key = RandomKey(seed: seed)
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Float(key.normal(UInt64($0))) }, shape: shape)
}

/// Compares `gradient` with central differences of `loss` around `point`, a few elements of it.
func expectGradient(
    _ gradient: Tensor, of name: String, at point: Tensor, step: Float = 1e-2,
    tolerance: Double = 2e-2, _ loss: (Tensor) -> Double,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let scale = max(gradient.values.map { Double(abs($0)) }.max() ?? 0, 1e-3)
    for i in stride(from: 0, to: point.count, by: max(1, point.count / 37)) {
        var (up, down) = (point, point)
        up[i] += step
        down[i] -= step
        let difference = (loss(up) - loss(down)) / Double(up[i] - down[i])
        let error = abs(difference - Double(gradient[i])) / scale
        #expect(
            error < tolerance, "∂/∂\(name)[\(i)] is \(gradient[i]), differences give \(difference)",
            sourceLocation: sourceLocation)
    }
}
