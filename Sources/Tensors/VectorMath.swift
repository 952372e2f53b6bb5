// Sixteen floats at a time: the compiler maps one such vector to the registers of the processor.
// Loads and stores need no alignment.

@usableFromInline package typealias Vector = SIMD16<Float>

extension UnsafePointer<Float> {
    @inlinable @inline(__always)
    package func vector(_ offset: Int) -> Vector {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Vector.self)
    }
}

extension UnsafeMutablePointer<Float> {
    @inlinable @inline(__always)
    package func vector(_ offset: Int) -> Vector {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Vector.self)
    }

    @inlinable @inline(__always)
    package func store(_ value: Vector, _ offset: Int) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: value, as: Vector.self)
    }
}

/// e^x in each lane, relative error below 2e-7. A result below the smallest normal number is a tiny
/// number instead of zero.
///
/// x = k·ln 2 + r with |r| ≤ ln 2 / 2. Adding 1.5·2²³ rounds to an integer in the low bits, and a
/// shift makes it the exponent. This avoids a conversion, which Swift would do lane by lane. The
/// function is transparent, because the compiler calls it even with `@inline(__always)`.
@inlinable @_transparent
package func exponential(_ input: Vector) -> Vector {
    // Masked replacement becomes one instruction; the standard library's clamping works lane by
    // lane.
    var x = input
    x.replace(with: -87.3, where: x .< -87.3)
    x.replace(with: 88.3, where: x .> 88.3)
    let magic: Float = 12_582_912
    let shifted = Vector(repeating: magic).addingProduct(x, Vector(repeating: 1.442_695_04))
    let k = shifted - magic
    var r = x.addingProduct(k, Vector(repeating: -0.693_145_751_953_125))
    r = r.addingProduct(k, Vector(repeating: -1.428_606_765_330_187e-6))
    var p = Vector(repeating: 1.388_888_9e-3)
    p = Vector(repeating: 8.333_333_3e-3).addingProduct(p, r)
    p = Vector(repeating: 4.166_666_7e-2).addingProduct(p, r)
    p = Vector(repeating: 1.666_666_7e-1).addingProduct(p, r)
    p = Vector(repeating: 0.5).addingProduct(p, r)
    p = Vector(repeating: 1).addingProduct(p, r)
    p = Vector(repeating: 1).addingProduct(p, r)
    let bits = unsafeBitCast(shifted, to: SIMD16<UInt32>.self)
    let scale = (bits &<< 23) &+ SIMD16<UInt32>(repeating: 0x3F80_0000)
    return p * unsafeBitCast(scale, to: Vector.self)
}

/// The same for one number, in the same arithmetic, so that the remainder of a row agrees with the
/// vectors before it.
@inlinable @inline(__always)
package func exponential(_ x: Float) -> Float { exponential(Vector(repeating: x))[0] }

@inlinable @inline(__always)
package func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    var first = Vector.zero
    var second = Vector.zero
    var i = 0
    while i &+ 32 <= count {
        first = first.addingProduct(a.vector(i), b.vector(i))
        second = second.addingProduct(a.vector(i &+ 16), b.vector(i &+ 16))
        i &+= 32
    }
    if i &+ 16 <= count {
        first = first.addingProduct(a.vector(i), b.vector(i))
        i &+= 16
    }
    var sum = (first + second).sum()
    while i < count {
        sum += a[i] * b[i]
        i &+= 1
    }
    return sum
}

/// Stores four sums to `out`, or adds them to its numbers.
@inline(__always)
func write(_ sums: SIMD4<Float>, _ out: UnsafeMutablePointer<Float>, _ accumulate: Bool) {
    let place = UnsafeMutableRawPointer(out)
    let before = accumulate ? place.loadUnaligned(as: SIMD4<Float>.self) : .zero
    place.storeBytes(of: before + sums, as: SIMD4<Float>.self)
}

/// y = factor · x
@inlinable @inline(__always)
package func copy(
    _ x: UnsafePointer<Float>, times factor: Float, to y: UnsafeMutablePointer<Float>, _ count: Int
) {
    var i = 0
    while i &+ 16 <= count {
        y.store(x.vector(i) * factor, i)
        i &+= 16
    }
    while i < count {
        y[i] = x[i] * factor
        i &+= 1
    }
}

/// y += factor · x
@inlinable @inline(__always)
package func accumulate(
    _ y: UnsafeMutablePointer<Float>, _ factor: Float, _ x: UnsafePointer<Float>, _ count: Int
) {
    let factors = Vector(repeating: factor)
    var i = 0
    while i &+ 16 <= count {
        y.store(y.vector(i).addingProduct(factors, x.vector(i)), i)
        i &+= 16
    }
    while i < count {
        y[i] += factor * x[i]
        i &+= 1
    }
}
