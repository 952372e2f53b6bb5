/// A tile of 6 × 16 (or 16 × 6) running sums: twelve vectors that stay in registers. Each has a
/// name of its own because Swift keeps an array of vectors in memory.
struct MicroKernel6x16 {
    typealias Lanes = SIMD8<Float>

    var (a0, a1, a2, a3, a4, a5) = (
        Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero
    )
    var (b0, b1, b2, b3, b4, b5) = (
        Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero
    )

    /// Adds the outer product of sixteen consecutive numbers and six numbers, which lie at `offset`
    /// from six base addresses.
    @inline(__always)
    mutating func add(
        _ sixteen: UnsafeRawPointer, _ six: Six, _ offset: Int
    ) {
        let left = sixteen.loadUnaligned(as: Lanes.self)
        let right = sixteen.loadUnaligned(fromByteOffset: 32, as: Lanes.self)
        var factor = Lanes(repeating: six.p0[offset])
        a0 = a0.addingProduct(left, factor)
        b0 = b0.addingProduct(right, factor)
        factor = Lanes(repeating: six.p1[offset])
        a1 = a1.addingProduct(left, factor)
        b1 = b1.addingProduct(right, factor)
        factor = Lanes(repeating: six.p2[offset])
        a2 = a2.addingProduct(left, factor)
        b2 = b2.addingProduct(right, factor)
        factor = Lanes(repeating: six.p3[offset])
        a3 = a3.addingProduct(left, factor)
        b3 = b3.addingProduct(right, factor)
        factor = Lanes(repeating: six.p4[offset])
        a4 = a4.addingProduct(left, factor)
        b4 = b4.addingProduct(right, factor)
        factor = Lanes(repeating: six.p5[offset])
        a5 = a5.addingProduct(left, factor)
        b5 = b5.addingProduct(right, factor)
    }

    /// Base addresses of six rows, `stride` floats apart. With fewer than six rows, the last row is
    /// repeated.
    struct Six {
        let (p0, p1, p2): (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>)
        let (p3, p4, p5): (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>)

        @inline(__always)
        init(_ first: UnsafePointer<Float>, stride: Int, count: Int) {
            func row(_ number: Int) -> UnsafePointer<Float> {
                first + min(number, count - 1) * stride
            }
            (p0, p1, p2) = (row(0), row(1), row(2))
            (p3, p4, p5) = (row(3), row(4), row(5))
        }
    }
}
