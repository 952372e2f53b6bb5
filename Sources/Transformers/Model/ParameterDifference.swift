import Tensors

/// How far two tensors of one shape, or two groups of tensors, are apart. Differences add up: that
/// of a group is the sum of those of its tensors.
public struct ParameterDifference: Sendable {
    /// Σ (a − b)², Σ a², Σ b² and Σ ab.
    private var changes = 0.0
    private var first = 0.0
    private var second = 0.0
    private var products = 0.0
    /// The largest |a − b|.
    public private(set) var largest = 0.0

    public init() {}

    /// - Precondition: the shapes are equal.
    public init(_ a: Tensor, _ b: Tensor) {
        precondition(a.shape == b.shape, "tensors of one shape")
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                for i in a.indices {
                    let (x, y) = (Double(a[i]), Double(b[i]))
                    changes += (x - y) * (x - y)
                    first += x * x
                    second += y * y
                    products += x * y
                    largest = max(largest, (x - y).magnitude)
                }
            }
        }
    }

    public static func += (sum: inout ParameterDifference, more: ParameterDifference) {
        sum.changes += more.changes
        sum.first += more.first
        sum.second += more.second
        sum.products += more.products
        sum.largest = max(sum.largest, more.largest)
    }

    /// ‖a − b‖
    public var norm: Double { changes.squareRoot() }
    /// ‖a − b‖ / ‖b‖
    public var share: Double { (changes / max(second, 1e-300)).squareRoot() }
    /// The cosine of the angle between a and b; 1 if both are zero.
    public var cosine: Double {
        first == 0 && second == 0 ? 1 : products / max((first * second).squareRoot(), 1e-300)
    }
}
