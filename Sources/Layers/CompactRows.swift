import Tensors

/// The rows of a cache, each head's in sixteen bits: whole numbers of a step, which is the largest
/// element of the row divided by 32,767.
///
/// Beside the weights, keys and values are most of what generation holds in memory. So they take half
/// the bytes of float32, at an error of at most half a step, 1.5e-5 of the row's largest element, and
/// are read no more slowly. (bfloat16 takes as many bytes at an error of 2e-3 of each element.)
///
/// Words of 32 bits hold two numbers: word j of each sixteen elements has element j below and element
/// j + 8 above, so that eight words give two vectors in the order of the elements.
public struct CompactRows: Sendable {
    public let heads: Int
    public let rows: Int
    public let size: Int
    /// Elements a row takes here: the last sixteen may be filled up with zeros.
    let width: Int
    private var words: Tensor  // (heads, rows, width / 2), words in place of floats
    private var steps: Tensor  // (heads, rows)

    /// Bytes that a row of one head takes.
    public static func bytes(of size: Int) -> Int { 2 * padded(size) + 4 }

    private static func padded(_ size: Int) -> Int { (size + 15) / 16 * 16 }

    /// Room for `rows` rows of every head.
    public init(heads: Int, rows: Int, size: Int) {
        (self.heads, self.rows, self.size) = (heads, rows, size)
        width = Self.padded(size)
        words = Tensor(uninitialized: [heads, rows, width / 2])
        steps = Tensor(uninitialized: [heads, rows])
    }

    /// Stores the rows of x (N, heads · size), in order, where the runs say.
    public mutating func store(_ x: Tensor, in runs: [Range<Int>]) {
        let (source, stride) = (x.pointer, x.columns)
        let (words, steps) = (words.mutablePointer(), steps.mutablePointer())
        let (rows, size, width) = (rows, size, width)
        Workers.split(heads, grain: x.count > 1 << 14 ? 1 : heads) { heads in
            var n = 0
            for place in runs.joined() {
                for head in heads {
                    let row = head * rows + place
                    steps[row] = Self.encode(
                        source + n * stride + head * size, size,
                        into: UnsafeMutableRawPointer(words + row * width / 2))
                }
                n += 1
            }
        }
    }

    /// The rows of one head.
    func head(_ head: Int) -> Head {
        Head(
            words: UnsafeRawPointer(words.pointer + head * rows * width / 2),
            steps: steps.pointer + head * rows, width: width)
    }

    /// One head's rows, as long as the `CompactRows` they come from live.
    struct Head {
        let words: UnsafeRawPointer
        let steps: UnsafePointer<Float>
        let width: Int

        /// The first word of a row.
        @inline(__always)
        func row(_ row: Int) -> UnsafeRawPointer { words + row * width * 2 }

        /// Writes rows as float32, (count, width).
        func widen(_ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) {
            var target = out
            for number in rows {
                let (place, step) = (row(number), steps[number])
                var i = 0
                while i < width {
                    let pair = CompactRows.numbers(place, i)
                    UnsafeMutableRawPointer(target + i).storeBytes(
                        of: SIMD16(lowHalf: pair.low * step, highHalf: pair.high * step),
                        as: SIMD16<Float>.self)
                    i &+= 16
                }
                target += width
            }
        }
    }

    // MARK: - Numbers in words

    /// 2²³ + 2¹⁵. Between 2²³ and 2²⁴ floats are the whole numbers, and the low bits of their pattern
    /// are the number: adding this rounds, and leaves a number of 1 to 65,535 in the low sixteen.
    private static let magic: Float = 8_421_376
    private static let most: Float = 32_767

    /// The numbers at elements `i..<i + 16` of a row.
    @inline(__always)
    static func numbers(
        _ row: UnsafeRawPointer, _ i: Int
    ) -> (low: SIMD8<Float>, high: SIMD8<Float>) {
        let words = row.loadUnaligned(fromByteOffset: i * 2, as: SIMD8<UInt32>.self)
        let exponent = SIMD8<UInt32>(repeating: 0x4B00_0000)
        let low = (words & SIMD8(repeating: 0xFFFF)) | exponent
        let high = (words &>> 16) | exponent
        return (
            unsafeBitCast(low, to: SIMD8<Float>.self) - magic,
            unsafeBitCast(high, to: SIMD8<Float>.self) - magic
        )
    }

    /// Writes a row and gives its step; NaN where an element is not finite, so that whatever reads the
    /// row is not finite either.
    private static func encode(
        _ x: UnsafePointer<Float>, _ size: Int, into out: UnsafeMutableRawPointer
    ) -> Float {
        var (largest, isFinite) = (Float(0), true)
        for i in 0..<size {
            let magnitude = abs(x[i])
            isFinite = isFinite && magnitude <= .greatestFiniteMagnitude
            if magnitude > largest { largest = magnitude }
        }
        let step = largest / most
        // A step below the smallest normal number has no inverse: such a row counts as zero.
        let inverse = isFinite && step >= .leastNormalMagnitude ? 1 / step : 0
        func rounded(_ first: Int) -> SIMD8<UInt32> {
            var eight = SIMD8<Float>.zero
            if first &+ 8 <= size {
                eight = UnsafeRawPointer(x + first).loadUnaligned(as: SIMD8<Float>.self)
            } else {
                for i in 0..<max(0, size - first) { eight[i] = x[first + i] }
            }
            let scaled = isFinite ? eight * inverse : .zero
            return unsafeBitCast(scaled + magic, to: SIMD8<UInt32>.self) & SIMD8(repeating: 0xFFFF)
        }
        var i = 0
        while i < size {
            let words = rounded(i) | (rounded(i + 8) &<< 16)
            out.storeBytes(of: words, toByteOffset: i * 2, as: SIMD8<UInt32>.self)
            i += 16
        }
        return isFinite ? step : .nan
    }
}
