import Tensors

/// The rows of a cache, each head's in sixteen bits: whole numbers of a step, which is the largest
/// element of the row divided by 32,767.
///
/// Beside the weights, keys and values are most of what generation holds in memory. So they take half
/// the bytes of float32, at an error of at most half a step, 1.5e-5 of the row's largest element, and
/// are read no more slowly. (bfloat16 takes as many bytes at an error of 2e-3 of each element.)
public struct CompactRows: Sendable {
    public let heads: Int
    public let rows: Int
    public let size: Int
    /// Elements a row takes here: the last sixteen may be filled up with zeros.
    let width: Int
    private var numbers: Tensor  // (heads, rows, width), two numbers in place of a float
    private var steps: Tensor  // (heads, rows)

    /// Bytes that a row of one head takes.
    public static func bytes(of size: Int) -> Int { 2 * padded(size) + 4 }

    private static func padded(_ size: Int) -> Int { (size + 15) / 16 * 16 }

    /// Room for `rows` rows of every head.
    public init(heads: Int, rows: Int, size: Int) {
        (self.heads, self.rows, self.size) = (heads, rows, size)
        width = Self.padded(size)
        numbers = Tensor(uninitialized: [heads, rows, width / 2])
        steps = Tensor(uninitialized: [heads, rows])
    }

    /// Stores the rows of x (N, heads · size), in order, where the runs say.
    public mutating func store(_ x: Tensor, in runs: [Range<Int>]) {
        let (source, stride) = (x.pointer, x.columns)
        let (numbers, steps) = (numbers.mutablePointer(), steps.mutablePointer())
        let (rows, size, width) = (rows, size, width)
        Workers.split(heads, grain: x.count > 1 << 14 ? 1 : heads) { heads in
            var n = 0
            for place in runs.joined() {
                for head in heads {
                    let row = head * rows + place
                    steps[row] = Self.encode(
                        source + n * stride + head * size, size,
                        into: UnsafeMutableRawPointer(numbers + row * width / 2))
                }
                n += 1
            }
        }
    }

    /// The rows of one head.
    func head(_ head: Int) -> Head {
        Head(
            numbers: UnsafeRawPointer(numbers.pointer + head * rows * width / 2),
            steps: steps.pointer + head * rows, width: width)
    }

    /// One head's rows, as long as the `CompactRows` they come from live.
    struct Head {
        let numbers: UnsafeRawPointer
        let steps: UnsafePointer<Float>
        let width: Int

        /// The first number of a row.
        @inline(__always)
        func row(_ row: Int) -> UnsafeRawPointer { numbers + row * width * 2 }

        /// Writes rows as float32, (count, size), times a factor.
        func widen(
            _ rows: Range<Int>, _ size: Int, times factor: Float,
            into out: UnsafeMutablePointer<Float>
        ) {
            var target = out
            for number in rows {
                let (place, step) = (row(number), steps[number] * factor)
                var i = 0
                while i &+ 8 <= size {
                    UnsafeMutableRawPointer(target + i).storeBytes(
                        of: CompactRows.eight(place, i) * step, as: SIMD8<Float>.self)
                    i &+= 8
                }
                if i < size {
                    let rest = CompactRows.eight(place, i) * step
                    for lane in 0..<size - i { target[i + lane] = rest[lane] }
                }
                target += size
            }
        }
    }

    // MARK: - Numbers

    private static let most: Float = 32_767

    /// Elements `i..<i + 8` of a row, in steps.
    @inline(__always)
    static func eight(_ row: UnsafeRawPointer, _ i: Int) -> SIMD8<Float> {
        SIMD8<Float>(row.loadUnaligned(fromByteOffset: i * 2, as: SIMD8<Int16>.self))
    }

    /// Writes a row and gives its step; NaN where an element is not finite, so that whatever reads the
    /// row is not finite either.
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
        // Without their signs, floats are ordered as their bits are, and what is not finite comes last.
        var largest = SIMD8<UInt32>.zero
        var i = 0
        while i < size {
            let bits = unsafeBitCast(eight(i), to: SIMD8<UInt32>.self) & 0x7FFF_FFFF
            largest.replace(with: bits, where: bits .> largest)
            i &+= 8
        }
        let magnitude = Float(bitPattern: largest.max())
        let isFinite = magnitude.isFinite
        let step = magnitude / most
        // A step below the smallest normal number has no inverse: such a row counts as zero.
        let inverse = isFinite && step >= .leastNormalMagnitude ? 1 / step : 0
        // Between 2²³ and 2²⁴ floats are the whole numbers: adding 1.5·2²³ rounds, and leaves the number
        // in the low sixteen bits.
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
        return isFinite ? step : .nan
    }
}
