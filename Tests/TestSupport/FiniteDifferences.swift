import Tensors
import Testing

/// Standard normal numbers.
public func random(_ shape: [Int], _ seed: UInt64) -> Tensor {
    let key = RandomKey(seed: seed)
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Float(key.normal(UInt64($0))) }, shape: shape)
}

/// Σ x · y, the function that tests of layers differentiate: its gradient by y is x.
public func inner(_ x: Tensor, _ y: Tensor) -> Double {
    zip(x.values, y.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// Compares `gradient` with central differences of `loss` around `point`, at up to `samples`
/// elements.
///
/// - Parameters:
///   - step: the change of an element in both directions.
///   - tolerance: the largest allowed difference, relative to the largest element of the gradient.
public func checkGradient(
    _ gradient: Tensor, of name: String, at point: Tensor, step: Float = 1e-2,
    tolerance: Double = 2e-2, samples: Int = 37, sourceLocation: SourceLocation = #_sourceLocation,
    _ loss: (Tensor) throws -> Double
) rethrows {
    let scale = max(gradient.values.map { Double(abs($0)) }.max() ?? 0, 1e-3)
    for i in stride(from: 0, to: point.count, by: max(1, point.count / samples)) {
        var (up, down) = (point, point)
        up[i] += step
        down[i] -= step
        let difference = (try loss(up) - loss(down)) / Double(up[i] - down[i])
        let error = abs(difference - Double(gradient[i])) / scale
        // A loss that is not a number does not agree.
        #expect(
            error < tolerance, "∂/∂\(name)[\(i)] is \(gradient[i]), differences give \(difference)",
            sourceLocation: sourceLocation)
    }
}
