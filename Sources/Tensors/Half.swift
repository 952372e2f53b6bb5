// Conversions between stored types and float32. bfloat16 is the upper half of a float32; float16 is
// IEEE binary16.

import NumberTypes

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
@inlinable @inline(__always)
public func float(fromFloat16 bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13
    // Read as a float32, the fields are right except for the bias of the exponent, which is 15 and
    // not 127. A multiplication by 2¹¹² corrects the bias and normalizes subnormal numbers.
    let value = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    // Infinities and NaNs keep the largest exponent.
    let special: UInt32 = bits & 0x7C00 == 0x7C00 ? 0x7F80_0000 : 0
    return Float(bitPattern: value | special | sign)
}

/// float32 to float16, to nearest, ties to even; numbers above 65,504 become infinity.
@inlinable @inline(__always)
public func float16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
    if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
        // Below 2⁻¹⁴: adding ½ leaves the rounded multiple of 2⁻²⁴ in the low bits.
        let shifted = (Float(bitPattern: magnitude) + 0.5).bitPattern
        return sign | UInt16(truncatingIfNeeded: shifted &- 0x3F00_0000)
    }
    let rounded = magnitude &+ 0xFFF &+ ((magnitude >> 13) & 1)
    return sign | UInt16(truncatingIfNeeded: (rounded &- 0x3800_0000) >> 13)
}

/// `count` stored elements as float32, each rounded to nearest where float32 cannot hold it. Plain
/// loops: the compiler makes vectors of them.
package func widen(
    _ source: UnsafeRawPointer, _ type: DType, _ count: Int,
    into target: UnsafeMutablePointer<Float>
) {
    func convert<Element: BitwiseCopyable>(_: Element.Type, _ float: (Element) -> Float) {
        for i in 0..<count {
            let offset = i * MemoryLayout<Element>.size
            target[i] = float(source.loadUnaligned(fromByteOffset: offset, as: Element.self))
        }
    }
    switch type {
    case .float32:
        target.update(from: source.assumingMemoryBound(to: Float.self), count: count)
    case .bfloat16:
        let bits = source.assumingMemoryBound(to: UInt16.self)
        for i in 0..<count { target[i] = float(fromBFloat16: bits[i]) }
    case .float16:
        let bits = source.assumingMemoryBound(to: UInt16.self)
        for i in 0..<count { target[i] = float(fromFloat16: bits[i]) }
    case .float64: convert(Double.self) { Float($0) }
    case .int64: convert(Int64.self) { Float($0) }
    case .int32: convert(Int32.self) { Float($0) }
    case .int16: convert(Int16.self) { Float($0) }
    case .int8: convert(Int8.self) { Float($0) }
    case .uint64: convert(UInt64.self) { Float($0) }
    case .uint32: convert(UInt32.self) { Float($0) }
    case .uint16: convert(UInt16.self) { Float($0) }
    case .uint8, .bool: convert(UInt8.self) { Float($0) }
    }
}

/// The same for any format; in blocks, a whole number of them.
package func widen(
    _ source: UnsafeRawPointer, _ format: StoredFormat, _ count: Int,
    into target: UnsafeMutablePointer<Float>
) {
    switch format {
    case .plain(let type): widen(source, type, count, into: target)
    case .blocks(let blocks):
        dequantize(source, blocks, blocks: count / blocks.count, into: target)
    }
}

/// `count` float32 elements in one of the types that tensors keep, rounded to nearest.
package func narrow(
    _ source: UnsafePointer<Float>, _ count: Int, _ type: DType,
    into target: UnsafeMutableRawPointer
) {
    switch type {
    case .bfloat16:
        let bits = target.assumingMemoryBound(to: UInt16.self)
        for i in 0..<count { bits[i] = bfloat16(source[i]) }
    case .float16:
        let bits = target.assumingMemoryBound(to: UInt16.self)
        for i in 0..<count { bits[i] = float16(source[i]) }
    default:
        target.assumingMemoryBound(to: Float.self).update(from: source, count: count)
    }
}
