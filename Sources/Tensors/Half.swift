// Sixteen-bit storage types. bfloat16 is the upper half of a float32; float16 is IEEE binary16.

/// bfloat16 to float32: exact.
@inlinable @inline(__always)
public func float(fromBFloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// float32 to bfloat16, to nearest, ties to even; a NaN stays a NaN.
@inlinable @inline(__always)
public func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
}

/// float16 to float32: exact.
public func float(fromFloat16 bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:  // zero and subnormal numbers: fraction · 2⁻²⁴
        let magnitude = Float(fraction) * 0x1p-24
        return Float(bitPattern: magnitude.bitPattern | sign)
    case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
}
