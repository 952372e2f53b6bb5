// The block formats of ggml as float32 numbers. The operations and their order are those of
// `gguf.quants.dequantize`, so the results have the same bits. Plain loops over 16 or 32 integers:
// the compiler makes vectors of them.

import NumberTypes

/// `count` blocks as float32 numbers.
package func dequantize(
    _ source: UnsafeRawPointer, _ format: BlockFormat, blocks count: Int,
    into target: UnsafeMutablePointer<Float>
) {
    for i in 0..<count {
        let block = source + i * format.bytes
        let out = target + i * format.count
        switch format {
        case .q40: dequantizeQ40(block, out)
        case .q41: dequantizeQ41(block, out)
        case .q50: dequantizeQ50(block, out)
        case .q51: dequantizeQ51(block, out)
        case .q80: dequantizeQ80(block, out)
        case .q2K: dequantizeQ2K(block, out)
        case .q3K: dequantizeQ3K(block, out)
        case .q4K: dequantizeQ4K(block, out)
        case .q5K: dequantizeQ5K(block, out)
        case .q6K: dequantizeQ6K(block, out)
        }
    }
}

@inline(__always)
private func half(_ block: UnsafeRawPointer, _ place: Int) -> Float {
    float(fromFloat16: block.loadUnaligned(fromByteOffset: place, as: UInt16.self))
}

@inline(__always)
private func bytes(_ block: UnsafeRawPointer, _ place: Int) -> UnsafePointer<UInt8> {
    (block + place).assumingMemoryBound(to: UInt8.self)
}

@inline(__always)
private func float(_ integer: Int32) -> Float { Float(integer) }

// MARK: - 32 numbers

/// d, 16 bytes: the low halves, then the high halves.
private func dequantizeQ40(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (d, q) = (half(block, 0), bytes(block, 2))
    for j in 0..<16 {
        out[j] = d * float(Int32(q[j] & 0x0F) &- 8)
        out[j &+ 16] = d * float(Int32(q[j] >> 4) &- 8)
    }
}

/// d, m, 16 bytes.
private func dequantizeQ41(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (d, m, q) = (half(block, 0), half(block, 2), bytes(block, 4))
    for j in 0..<16 {
        out[j] = d * float(Int32(q[j] & 0x0F)) + m
        out[j &+ 16] = d * float(Int32(q[j] >> 4)) + m
    }
}

/// d, the fifth bits of all 32, 16 bytes.
private func dequantizeQ50(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (d, q) = (half(block, 0), bytes(block, 6))
    let high = block.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
    for j in 0..<16 {
        let low = Int32(q[j] & 0x0F) | fifthBit(high, UInt32(j))
        let upper = Int32(q[j] >> 4) | fifthBit(high, UInt32(j &+ 16))
        out[j] = d * float(low &- 16)
        out[j &+ 16] = d * float(upper &- 16)
    }
}

/// d, m, the fifth bits of all 32, 16 bytes.
private func dequantizeQ51(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (d, m, q) = (half(block, 0), half(block, 2), bytes(block, 8))
    let high = block.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
    for j in 0..<16 {
        let low = Int32(q[j] & 0x0F) | fifthBit(high, UInt32(j))
        let upper = Int32(q[j] >> 4) | fifthBit(high, UInt32(j &+ 16))
        out[j] = d * float(low) + m
        out[j &+ 16] = d * float(upper) + m
    }
}

@inline(__always)
private func fifthBit(_ bits: UInt32, _ place: UInt32) -> Int32 {
    Int32(truncatingIfNeeded: ((bits &>> place) & 1) &<< 4)
}

/// d, 32 signed bytes.
private func dequantizeQ80(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let d = half(block, 0)
    let q = (block + 2).assumingMemoryBound(to: Int8.self)
    for j in 0..<32 { out[j] = float(Int32(q[j])) * d }
}

// MARK: - 256 numbers

/// Scales and offsets of 16 sub-blocks in 4 bits each, 64 bytes of four 2-bit integers, d, dmin.
private func dequantizeQ2K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (scales, q) = (bytes(block, 0), bytes(block, 16))
    let (d, dmin) = (half(block, 80), half(block, 82))
    for part in 0..<16 {
        let scale = d * float(Int32(scales[part] & 0x0F))
        let offset = dmin * float(Int32(scales[part] >> 4))
        let (from, to) = (q + subBlock(part), out + 16 &* part)
        let shift = UInt8(truncatingIfNeeded: (part >> 1 & 3) &* 2)
        for j in 0..<16 {
            to[j] = scale * float(Int32((from[j] &>> shift) & 3)) - offset
        }
    }
}

/// The third bits of all 256, 64 bytes of four 2-bit integers, 16 scales of 6 bits, d.
private func dequantizeQ3K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (mask, q, packed) = (bytes(block, 0), bytes(block, 32), bytes(block, 96))
    let d = half(block, 108)
    for part in 0..<16 {
        let low = part < 8 ? packed[part] & 0x0F : packed[part &- 8] >> 4
        let high = (packed[8 &+ (part & 3)] &>> UInt8(truncatingIfNeeded: (part >> 2) &* 2)) & 3
        let scale = d * float(Int32(low | high << 4) &- 32)
        let (from, to) = (q + subBlock(part), out + 16 &* part)
        let third = mask + 16 &* (part & 1)
        let shift = UInt8(truncatingIfNeeded: (part >> 1 & 3) &* 2)
        let bit = UInt8(truncatingIfNeeded: part >> 1)
        for j in 0..<16 {
            // The integer is four less where the bit is not set.
            let less = Int32(((third[j] &>> bit) & 1) ^ 1) &<< 2
            to[j] = scale * float(Int32((from[j] &>> shift) & 3) &- less)
        }
    }
}

/// The first of the 16 bytes that hold a sub-block of 2-bit integers: each half of the block has 32
/// bytes, which are read four times, two bits further each time.
@inline(__always)
private func subBlock(_ part: Int) -> Int { 32 &* (part >> 3) &+ 16 &* (part & 1) }

/// d, dmin, 8 scales and offsets of 6 bits, 128 bytes of two 4-bit integers.
private func dequantizeQ4K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (d, dmin) = (half(block, 0), half(block, 2))
    let (packed, q) = (bytes(block, 4), bytes(block, 16))
    for pair in 0..<4 {
        let (scale, offset) = scaleAndOffset(packed, 2 &* pair, d, dmin)
        let (scale2, offset2) = scaleAndOffset(packed, 2 &* pair &+ 1, d, dmin)
        let (from, to) = (q + 32 &* pair, out + 64 &* pair)
        for j in 0..<32 { to[j] = scale * float(Int32(from[j] & 0x0F)) - offset }
        for j in 0..<32 { to[j &+ 32] = scale2 * float(Int32(from[j] >> 4)) - offset2 }
    }
}

/// d, dmin, 8 scales and offsets of 6 bits, the fifth bits of all 256, 128 bytes.
private func dequantizeQ5K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (d, dmin) = (half(block, 0), half(block, 2))
    let (packed, fifth, q) = (bytes(block, 4), bytes(block, 16), bytes(block, 48))
    for pair in 0..<4 {
        let (scale, offset) = scaleAndOffset(packed, 2 &* pair, d, dmin)
        let (scale2, offset2) = scaleAndOffset(packed, 2 &* pair &+ 1, d, dmin)
        let (from, to) = (q + 32 &* pair, out + 64 &* pair)
        let bit = UInt8(truncatingIfNeeded: 2 &* pair)
        for j in 0..<32 {
            let high = ((fifth[j] &>> bit) & 1) &<< 4
            to[j] = scale * float(Int32(from[j] & 0x0F | high)) - offset
        }
        for j in 0..<32 {
            let high = ((fifth[j] &>> (bit &+ 1)) & 1) &<< 4
            to[j &+ 32] = scale2 * float(Int32(from[j] >> 4 | high)) - offset2
        }
    }
}

/// The scale and offset of one of eight sub-blocks. The first four have their six bits in a byte
/// each; the others have four bits in the last bytes and two in the upper bits of the first ones.
@inline(__always)
private func scaleAndOffset(
    _ packed: UnsafePointer<UInt8>, _ part: Int, _ d: Float, _ dmin: Float
) -> (Float, Float) {
    let (scale, offset): (UInt8, UInt8)
    if part < 4 {
        (scale, offset) = (packed[part] & 0x3F, packed[part &+ 4] & 0x3F)
    } else {
        let low = packed[part &+ 4]
        scale = low & 0x0F | (packed[part &- 4] >> 2) & 0x30
        offset = low >> 4 | (packed[part] >> 2) & 0x30
    }
    return (d * float(Int32(scale)), dmin * float(Int32(offset)))
}

/// The low four bits of all 256, their high two bits, 16 signed scales, d.
private func dequantizeQ6K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
    let (low, high) = (bytes(block, 0), bytes(block, 128))
    let scales = (block + 192).assumingMemoryBound(to: Int8.self)
    let d = half(block, 208)
    for part in 0..<16 {
        let scale = d * float(Int32(scales[part]))
        let (side, within) = (part >> 3, part & 7)
        let from = low + (64 &* side &+ 16 &* (within & 3))
        let upper = high + (32 &* side &+ 16 &* (within & 1))
        let (shift, upperShift) = (UInt8(within > 3 ? 4 : 0), UInt8(truncatingIfNeeded: within & 6))
        let to = out + 16 &* part
        for j in 0..<16 {
            let q = (from[j] &>> shift) & 0x0F | ((upper[j] &>> upperShift) & 3) &<< 4
            to[j] = scale * float(Int32(q) &- 32)
        }
    }
}

extension Tensor {
    /// Rows of stored numbers as a tensor of one of `StoredFormat.computed`: copied if that is
    /// their own format, else widened to float32 and rounded to nearest, to a plain one.
    ///
    /// - Parameters:
    ///   - source: as many bytes as `format.byteCount(of: shape)`.
    ///   - order: the source's row for a row of the tensor.
    public init(
        reading source: UnsafeRawPointer, _ format: StoredFormat, shape: [Int],
        as kept: StoredFormat, order: (Int) -> Int = { $0 }
    ) {
        let columns = shape.last ?? 1
        let rows = shape.dropLast().reduce(1, *)
        let (rowBytes, keptBytes) = (format.bytes(columns), kept.bytes(columns))
        self.init(uninitialized: shape, kept) { target in
            Workers.split(rows, grain: max(1, (1 << 14) / max(1, columns))) { range in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.run) { scratch in
                    guard let scratch = scratch.baseAddress else { return }
                    for row in range {
                        let (from, to) = (source + order(row) * rowBytes, target + row * keptBytes)
                        if kept == format {
                            to.copyMemory(from: from, byteCount: rowBytes)
                        } else {
                            Self.read(from, format, columns, kept.plainType, into: to, scratch)
                        }
                    }
                }
            }
        }
    }

    /// Numbers that are widened at once; a multiple of every block.
    private static var run: Int { 4096 }

    private static func read(
        _ source: UnsafeRawPointer, _ format: StoredFormat, _ count: Int, _ type: DType,
        into target: UnsafeMutableRawPointer, _ scratch: UnsafeMutablePointer<Float>
    ) {
        for first in stride(from: 0, to: count, by: run) {
            let length = min(run, count - first)
            let from = source + format.bytes(first)
            let to = target + first * type.size
            let floats = type == .float32 ? to.assumingMemoryBound(to: Float.self) : scratch
            widen(from, format, length, into: floats)
            if type != .float32 { narrow(scratch, length, type, into: to) }
        }
    }
}
