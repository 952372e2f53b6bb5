import CProcessor
import NumberTypes

/// One side of a product in bfloat16: a matrix in memory, read as `lines` vectors of `inner`
/// numbers each. The numbers of a line are rounded to bfloat16, and neighbors form words.
struct BFloat16Operand {
    /// The matrix, which keeps the elements alive.
    let matrix: Tensor
    /// Elements of `type` in row-major order, `stride` apart; float32 or bfloat16.
    private let address: UnsafeRawPointer
    private let type: DType
    private let stride: Int
    let lines: Int
    let inner: Int
    /// Whether a line is a row; else it is a column.
    private let linesAreRows: Bool

    /// The rows of a matrix in float32, bfloat16 or blocks.
    static func rows(of matrix: Tensor) -> BFloat16Operand {
        BFloat16Operand(matrix, lines: matrix.rows, inner: matrix.columns, linesAreRows: true)
    }

    /// The columns of such a matrix.
    static func columns(of matrix: Tensor) -> BFloat16Operand {
        BFloat16Operand(matrix, lines: matrix.columns, inner: matrix.rows, linesAreRows: false)
    }

    private init(_ matrix: Tensor, lines: Int, inner: Int, linesAreRows: Bool) {
        // Tiles do not begin where blocks do, so blocks are rounded before the product.
        self.matrix = matrix.format.group == 1 ? matrix : matrix.converted(to: .bfloat16)
        (address, type) = (self.matrix.address, self.matrix.format.plainType)
        stride = matrix.columns
        (self.lines, self.inner, self.linesAreRows) = (lines, inner, linesAreRows)
    }

    // The words of some lines in two orders. `pairs` words of a line cover `part`, a range of its
    // numbers; an odd number at the end pairs with zero. Lines past the last one are zero.

    /// Panels of sixteen lines as (pairs, 16), one after the other: one vector holds the same word
    /// of each.
    func packPanels(
        _ panels: Range<Int>, _ part: Range<Int>, into out: UnsafeMutablePointer<UInt32>,
        scratch: UnsafeMutablePointer<UInt32>
    ) {
        let pairs = (part.count + 1) / 2
        guard linesAreRows else {
            return zip(panels, lines: 16, part, into: out, blockWords: 16 * pairs)
        }
        for (number, panel) in panels.enumerated() {
            let (first, out) = (16 * panel, out + number * 16 * pairs)
            let count = min(16, lines - first)
            for line in 0..<count { copyRow(first + line, part, into: scratch + line * pairs) }
            packPanel(scratch, pairs, count, pairs, out)
        }
    }

    /// Tiles of twelve lines as left sides, `tileWords` apart, for `left`.
    func packTiles(
        _ tiles: Range<Int>, _ part: Range<Int>, into out: UnsafeMutablePointer<UInt32>
    ) {
        let (height, pairs) = (BFloat16Matmul.tileRows, (part.count + 1) / 2)
        let blockWords = tileWords(pairs)
        guard linesAreRows else {
            return zip(tiles, lines: height, part, into: out, blockWords: blockWords)
        }
        let width = BFloat16Matmul.rowWords
        for (number, tile) in tiles.enumerated() where !isInPlace(tile, part) {
            let (first, out) = (height * tile, out + number * blockWords)
            let count = min(height, lines - first)
            for line in 0..<count { copyRow(first + line, part, into: out + line * width) }
            for line in count..<height {
                (out + line * width).update(repeating: 0, count: pairs)
            }
        }
    }

    /// A run of memory to prefetch before the tile with this number is packed: all of its rows, or
    /// one row a turn if a part of a row is packed. No bytes for columns, which `packTiles`
    /// prefetches, and past the end.
    func memory(
        ofTile tile: Int, _ part: Range<Int>, turn: Int
    ) -> (start: UnsafeRawPointer, bytes: Int) {
        let height = BFloat16Matmul.tileRows
        let (isWhole, first) = (part.count == stride, tile * height)
        let row = isWhole ? first : first + turn
        guard linesAreRows, first + height <= lines, turn < (isWhole ? 1 : height) else {
            return (address, 0)
        }
        return (
            address + (row * stride + part.lowerBound) * type.size,
            (isWhole ? height : 1) * part.count * type.size
        )
    }

    /// A tile, which `packTiles` has written to `words` unless it is used in place.
    func left(_ tile: Int, _ part: Range<Int>, _ words: UnsafePointer<UInt32>) -> bfloat16Left {
        if isInPlace(tile, part) {
            let row = tile * BFloat16Matmul.tileRows
            let start = address + (row * stride + part.lowerBound) * type.size
            return bfloat16Left(
                words: start.assumingMemoryBound(to: UInt32.self), rowStep: stride / 2, pairStep: 1)
        }
        return linesAreRows
            ? bfloat16Left(words: words, rowStep: BFloat16Matmul.rowWords, pairStep: 1)
            : bfloat16Left(words: words, rowStep: 1, pairStep: BFloat16Matmul.tileRows)
    }

    /// Whether a tile of stored bfloat16 rows is used where it lies: if it is whole, its rows are
    /// whole words, and they do not share the sets of a cache.
    private func isInPlace(_ tile: Int, _ part: Range<Int>) -> Bool {
        linesAreRows && type == .bfloat16 && stride % 2 == 0 && part.count % 2 == 0
            && stride % 2048 != 0 && UInt(bitPattern: address) % 4 == 0
            && (tile + 1) * BFloat16Matmul.tileRows <= lines
    }

    /// Words that `packTile` writes for so many pairs; the last vector of a column layout goes
    /// past the twelve words that count.
    func tileWords(_ pairs: Int) -> Int {
        let height = BFloat16Matmul.tileRows
        return linesAreRows ? height * BFloat16Matmul.rowWords : height * pairs + 4
    }

    private func copyRow(
        _ row: Int, _ part: Range<Int>, into out: UnsafeMutablePointer<UInt32>
    ) {
        let source = address + (row * stride + part.lowerBound) * type.size
        if type == .bfloat16 {
            let bits = UnsafeMutableRawPointer(out).assumingMemoryBound(to: UInt16.self)
            bits.update(from: source.assumingMemoryBound(to: UInt16.self), count: part.count)
            if part.count % 2 == 1 { bits[part.count] = 0 }
        } else {
            bfloat16Row(source.assumingMemoryBound(to: Float.self), 1, part.count, out)
        }
    }

    /// Words of neighboring rows for some blocks of `height` columns, twelve or sixteen. They are
    /// packed row by row, because blocks share the cache lines of a row. Sixteen words are stored
    /// each time; where a block has twelve, the next ones overwrite the surplus.
    private func zip(
        _ blocks: Range<Int>, lines height: Int, _ part: Range<Int>,
        into out: UnsafeMutablePointer<UInt32>, blockWords: Int
    ) {
        let first = blocks.lowerBound * height
        let (width, bytes) = (lines - first, stride * type.size)
        for pair in 0..<(part.count + 1) / 2 {
            let row = part.lowerBound + 2 * pair
            let low = address + (row * stride + first) * type.size
            let high = row + 1 < part.upperBound ? low + bytes : nil
            let target = out + pair * height
            fetchRows(low + Self.rowsAhead * bytes, blocks.count * height * type.size)
            if type == .bfloat16 {
                bfloat16ZipHalves(
                    low.assumingMemoryBound(to: UInt16.self),
                    high?.assumingMemoryBound(to: UInt16.self), width, height, blocks.count, target,
                    blockWords)
            } else {
                bfloat16Zip(
                    low.assumingMemoryBound(to: Float.self),
                    high?.assumingMemoryBound(to: Float.self), 1, width, height, blocks.count,
                    target, blockWords)
            }
        }
    }

    /// Rows to prefetch before they are packed: neighbors of a column lie a row apart, which the
    /// processor does not detect as a stream.
    private static let rowsAhead = 12

    /// Prefetches a part of two rows.
    @inline(__always)
    private func fetchRows(_ place: UnsafeRawPointer, _ bytes: Int) {
        var offset = 0
        while offset < bytes {
            fetchAhead(place + offset)
            fetchAhead(place + (stride * type.size + offset))
            offset += 64
        }
    }
}
