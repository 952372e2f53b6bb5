import CProcessor
import NumberTypes

/// Products in bfloat16 of matrices as small as those of one attention head, with the kernel of
/// `BFloat16Matmul`. The caller packs both sides, because it uses them several times.
///
/// Two neighbors along the summed dimension form a word, the first in the low half. An odd number
/// at the end pairs with zero.
package struct BFloat16Tiles: Sendable {
    package typealias Floats = UnsafeMutablePointer<Float>
    package typealias Words = UnsafeMutablePointer<UInt32>

    package static let rowsTogether = Int(bfloat16TileRows)
    package static let columnsTogether = Int(bfloat16TileColumns)
    /// Columns of a panel.
    package static let panelColumns = 16

    private let kernel: BFloat16Matmul.Kernel

    package init(_ kernel: BFloat16Matmul.Kernel) { self.kernel = kernel }

    /// The left side: the word of a row and a pair is at row · `rowStep` + pair · `pairStep`.
    /// Words of a whole tile of twelve rows are read, and must be there.
    package struct Left {
        let side: bfloat16Left

        package init(_ words: Words, rowStep: Int, pairStep: Int) {
            side = bfloat16Left(words: words, rowStep: rowStep, pairStep: pairStep)
        }
    }

    /// The right side: panels of sixteen columns, (pairs, 16) words each, `panelStep` words apart.
    package struct Right {
        let words: Words
        let panelStep: Int

        package init(_ words: Words, panelStep: Int) {
            (self.words, self.panelStep) = (words, panelStep)
        }
    }

    /// The result: rows of `columns` numbers, `stride` apart. If `isPadded`, there is memory for
    /// whole tiles after its rows and columns.
    package struct Out {
        let floats: Floats
        let stride, rows, columns: Int
        let isPadded, accumulates: Bool

        package init(
            _ floats: Floats, stride: Int, rows: Int, columns: Int, isPadded: Bool = false,
            accumulates: Bool = false
        ) {
            (self.floats, self.stride, self.rows, self.columns) = (floats, stride, rows, columns)
            (self.isPadded, self.accumulates) = (isPadded, accumulates)
        }
    }

    /// out (+)= left right.
    ///
    /// - Parameter part: gives, for neighboring rows, the columns of `out` that are wanted and the
    ///   pairs in which the left side may be nonzero. Others are neither read nor written, except
    ///   in the same tile.
    @inline(__always)
    package func multiply(
        _ left: Left, _ right: Right, into out: Out,
        part: (Range<Int>) -> (columns: Range<Int>, pairs: Range<Int>)
    ) {
        for first in stride(from: 0, to: out.rows, by: Self.rowsTogether) {
            let rows = first..<min(first + Self.rowsTogether, out.rows)
            let (columns, pairs) = part(rows)
            var side = left.side
            side.words += first * side.rowStep + pairs.lowerBound * side.pairStep
            let start = columns.lowerBound / Self.columnsTogether * Self.columnsTogether
            for column in stride(from: start, to: columns.upperBound, by: Self.columnsTogether) {
                let width = min(Self.columnsTogether, out.columns - column)
                let panel = column / Self.panelColumns * right.panelStep
                let words = right.words + (panel + pairs.lowerBound * Self.panelColumns)
                let place = out.floats + (first * out.stride + column)
                var product = bfloat16Product(
                    left: side,
                    right: bfloat16Right(
                        words: words, panelStep: right.panelStep,
                        isWide: width > Self.panelColumns),
                    pairs: pairs.count, next: place, nextStep: 0,
                    out: bfloat16Out(
                        sums: place, stride: out.stride, isTransposed: false,
                        adds: out.accumulates))
                let fillsTile = rows.count == Self.rowsTogether && width % Self.panelColumns == 0
                if out.isPadded || fillsTile {
                    bfloat16Tile(kernel == .instruction, &product)
                } else {
                    writePart(product, rows.count, width)
                }
            }
        }
    }

    /// The sums of a tile of which only some rows and columns are wanted.
    private func writePart(_ product: bfloat16Product, _ rows: Int, _ width: Int) {
        let (out, columns) = (product.out, Self.columnsTogether)
        withUnsafeTemporaryAllocation(
            of: Float.self, capacity: Self.rowsTogether * columns
        ) { sums in
            guard let base = sums.baseAddress, let place = out.sums else { return }
            var product = product
            product.out = bfloat16Out(sums: base, stride: columns, isTransposed: false, adds: false)
            bfloat16Tile(kernel == .instruction, &product)
            for i in 0..<rows {
                let (line, sums) = (place + i * out.stride, base + i * columns)
                for j in 0..<width { line[j] = out.adds ? line[j] + sums[j] : sums[j] }
            }
        }
    }

    // MARK: - Packing

    /// Words of a row of `count` numbers, times `factor`.
    @inline(__always)
    package static func pack(
        row: UnsafePointer<Float>, _ count: Int, times factor: Float = 1, into words: Words
    ) {
        bfloat16Row(row, factor, count, words)
    }

    /// A panel of up to sixteen rows of `pairs` words each; a row becomes a column, and missing
    /// rows zeros.
    @inline(__always)
    package static func packPanel(rows: Words, count: Int, pairs: Int, into panel: Words) {
        CProcessor.packPanel(rows, pairs, count, pairs, panel)
    }

    /// Words of two rows of `count` numbers, or of one and zeros: sixteen at a time, `step` words
    /// apart. Words past the end are zero, up to sixteen.
    @inline(__always)
    package static func zip(
        _ low: UnsafePointer<Float>, _ high: UnsafePointer<Float>?, _ count: Int,
        times factor: Float = 1, into words: Words, step: Int
    ) {
        let blocks = (count + panelColumns - 1) / panelColumns
        bfloat16Zip(low, high, factor, count, panelColumns, blocks, words, step)
    }
}
