import NumberTypes

/// `count` blocks of Q8_0 from 32 numbers each: the scale, rounded to float16, maps the largest
/// magnitude to 127, and every number is rounded to the nearest integer, ties away from zero. The
/// operations and their order are those of `gguf.quants.quantize`, so the results have the same
/// bits. A NaN or an infinity makes a NaN of its whole block, so that none is hidden.
package func quantizeQ80(
    _ source: UnsafePointer<Float>, blocks count: Int, into target: UnsafeMutableRawPointer
) {
    for i in 0..<count {
        let (from, block) = (source + 32 &* i, target + 34 &* i)
        var (largest, sum) = (Float.zero, Float.zero)
        for j in 0..<32 {
            largest = max(largest, from[j].magnitude)
            sum += from[j] * 0  // NaN if any number is not finite.
        }
        let scale = largest / 127 + sum
        let inverse = scale == 0 ? 0 : 1 / scale
        block.storeBytes(of: float16(scale), as: UInt16.self)
        let integers = (block + 2).assumingMemoryBound(to: Int8.self)
        for j in 0..<32 {
            let number = from[j] * inverse
            let rounded = number.magnitude <= 127 ? number.rounded() : 127 * number.sign
            integers[j] = number.isNaN ? 0 : Int8(rounded)
        }
    }
}

extension Float {
    fileprivate var sign: Float { self < 0 ? -1 : 1 }
}

extension Tensor {
    /// Whether the elements can be kept in blocks: a matrix whose rows are whole blocks. Vectors,
    /// and matrices of a few rows such as a router, lose more by rounding than they save.
    private var fitsBlocks: Bool {
        shape.count > 1 && rows >= 32 && columns % StoredFormat.q80.group == 0
    }

    /// The elements in blocks of Q8_0; nil if they do not fit.
    func quantized() -> Tensor? {
        guard fitsBlocks else { return nil }
        let (source, width, format) = (converted(to: .float32), columns, StoredFormat.q80)
        return Tensor(uninitialized: shape, format) { target in
            Workers.split(rows, grain: max(1, (1 << 14) / width)) { range in
                quantizeQ80(
                    source.pointer + range.lowerBound * width,
                    blocks: range.count * width / format.group,
                    into: target + format.bytes(range.lowerBound * width))
            }
        }
    }
}
