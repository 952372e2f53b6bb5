import Tensors

/// The key or value rows of a cache, quantized to int16 with one float32 scale per head and row.
/// The scale is the largest magnitude of the row divided by 32,767.
///
/// After the weights, keys and values take most of the memory of generation. Quantized, they take
/// half the bytes of float32 and are read as fast. The error is at most half a scale, which is
/// 1.5e-5 of the row's largest element. (bfloat16 takes as many bytes, with an error of 2e-3 of
/// each element.)
public struct QuantizedKVRows: Sendable {
    public let heads: Int
    public let rows: Int
    public let size: Int
    /// Elements of a stored row: `size`, padded with zeros to a multiple of sixteen.
    let width: Int
    private var quantized: Tensor  // (heads, rows, width), two int16 per float
    private var scales: Tensor  // (heads, rows)

    /// Bytes of one row of one head.
    public static func bytes(of size: Int) -> Int { 2 * padded(size) + 4 }

    private static func padded(_ size: Int) -> Int { (size + 15) / 16 * 16 }

    /// Memory for `rows` rows of every head.
    public init(heads: Int, rows: Int, size: Int) {
        (self.heads, self.rows, self.size) = (heads, rows, size)
        width = Self.padded(size)
        quantized = Tensor(uninitialized: [heads, rows, width / 2])
        scales = Tensor(uninitialized: [heads, rows])
    }

    /// Stores the rows of x (N, heads · size), in order, in the rows that `runs` lists.
    public mutating func store(_ x: Tensor, in runs: [Range<Int>]) {
        let (source, stride) = (x.pointer, x.columns)
        let (quantized, scales) = (quantized.mutablePointer(), scales.mutablePointer())
        let (rows, size, width) = (rows, size, width)
        Workers.split(heads, grain: x.count > 1 << 14 ? 1 : heads) { heads in
            var n = 0
            for place in runs.joined() {
                for head in heads {
                    let row = head * rows + place
                    scales[row] = Self.encode(
                        source + n * stride + head * size, size,
                        into: UnsafeMutableRawPointer(quantized + row * width / 2))
                }
                n += 1
            }
        }
    }

    /// The rows of one head.
    func head(_ head: Int) -> Head {
        Head(
            quantized: UnsafeRawPointer(quantized.pointer + head * rows * width / 2),
            scales: scales.pointer + head * rows, width: width)
    }

    /// The rows of one head; valid as long as the `QuantizedKVRows` that gave them.
    struct Head {
        let quantized: UnsafeRawPointer
        let scales: UnsafePointer<Float>
        let width: Int

        /// The first number of a row.
        @inline(__always)
        func row(_ row: Int) -> UnsafeRawPointer { quantized + row * width * 2 }

        /// Writes rows as float32, (count, size), times a factor.
        func widen(
            _ rows: Range<Int>, _ size: Int, times factor: Float,
            into out: UnsafeMutablePointer<Float>
        ) {
            var target = out
            for number in rows {
                let (place, scale) = (row(number), scales[number] * factor)
                var i = 0
                while i &+ 8 <= size {
                    UnsafeMutableRawPointer(target + i).storeBytes(
                        of: QuantizedKVRows.eight(place, i) * scale, as: SIMD8<Float>.self)
                    i &+= 8
                }
                if i < size {
                    let rest = QuantizedKVRows.eight(place, i) * scale
                    for lane in 0..<size - i { target[i + lane] = rest[lane] }
                }
                target += size
            }
        }
    }

    // MARK: - Numbers

    private static let most: Float = 32_767

    /// Elements `i..<i + 8` of a row, in units of its scale.
    @inline(__always)
    static func eight(_ row: UnsafeRawPointer, _ i: Int) -> SIMD8<Float> {
        SIMD8<Float>(row.loadUnaligned(fromByteOffset: i * 2, as: SIMD8<Int16>.self))
    }

    /// Writes a row and returns its scale. The scale is NaN if an element is not finite, so that
    /// every result of reading the row is NaN too.
    private static func encode(
        _ x: UnsafePointer<Float>, _ size: Int, into out: UnsafeMutableRawPointer
    ) -> Float {
        func eight(_ first: Int) -> SIMD8<Float> {
            if first &+ 8 <= size {
                return UnsafeRawPointer(x + first).loadUnaligned(as: SIMD8<Float>.self)
            }
            var rest = SIMD8<Float>.zero
            for i in 0..<max(0, size - first) { rest[i] = x[first + i] }
            return rest
        }
        // Without the sign bit, floats are ordered like their bits; infinities and NaNs come last.
        var largest = SIMD8<UInt32>.zero
        var i = 0
        while i < size {
            let bits = unsafeBitCast(eight(i), to: SIMD8<UInt32>.self) & 0x7FFF_FFFF
            largest.replace(with: bits, where: bits .> largest)
            i &+= 8
        }
        let magnitude = Float(bitPattern: largest.max())
        let isFinite = magnitude.isFinite
        let scale = magnitude / most
        // A scale below the smallest normal number has no inverse: such a row is stored as zero.
        let inverse = isFinite && scale >= .leastNormalMagnitude ? 1 / scale : 0
        // Between 2²³ and 2²⁴ all floats are whole numbers: adding 1.5·2²³ rounds to one and leaves
        // it in the low sixteen bits.
        let magic: Float = 12_582_912
        i = 0
        while i < size {
            let scaled = isFinite ? eight(i) * inverse : .zero
            let bits = unsafeBitCast(scaled + magic, to: SIMD16<UInt16>.self)
            out.storeBytes(of: bits.evenHalf, toByteOffset: i * 2, as: SIMD8<UInt16>.self)
            i &+= 8
        }
        while i < padded(size) {
            out.storeBytes(of: .zero, toByteOffset: i * 2, as: SIMD8<UInt16>.self)
            i &+= 8
        }
        return isFinite ? scale : .nan
    }
}
