import Tensors

/// A worker's buffers for one key head of one span in bfloat16: the gathered keys and values, the
/// same packed, and a block of queries with its probabilities.
struct BFloat16AttentionScratch {
    typealias Floats = BFloat16Tiles.Floats
    typealias Words = BFloat16Tiles.Words

    /// Queries of one head that are computed together: five tiles.
    static let blockRows = 5 * BFloat16Tiles.rowsTogether

    /// Number of keys that the last query sees, and this number in whole tiles.
    let length, padded: Int
    let size: Int
    /// Words of a row of keys, and of a column.
    let sizePairs, keyPairs: Int
    /// Words of a row of weights.
    let weightWords: Int
    let isBackward: Bool

    let keys, values: Floats  // (length, size)
    /// For sums over the elements of a row: (panels of keys, sizePairs, 16).
    let keyPanels, valuePanels: Words
    /// For sums over the keys: (panels of elements, keyPairs, 16).
    let keySums, valueSums: Words
    let p, dp: Floats  // (block, padded)
    /// Rows of queries or of dy, and of probabilities or their gradients, as left sides.
    let lines, weights: Words  // (block, sizePairs), (block, weightWords)
    let turned: Words  // weights with two queries in a word: (block / 2, padded)
    let rowSums: Words  // queries or dy for sums over them: (panels of elements, block / 2, 16)
    let dkeys, dvalues: Floats  // (length, size)
    private let end: Floats

    /// The forward pass leaves out the buffers of the backward pass.
    init(_ span: AttentionPlan.Span, _ size: Int, isBackward: Bool, in memory: Floats) {
        var next = memory
        func take(_ count: Int) -> Floats {
            defer { next += (count + 15) / 16 * 16 }
            return next
        }
        func words(_ count: Int) -> Words {
            UnsafeMutableRawPointer(take(count)).assumingMemoryBound(to: UInt32.self)
        }
        func pad(_ count: Int, _ step: Int) -> Int { (count + step - 1) / step * step }
        (length, self.size, self.isBackward) = (span.length, size, isBackward)
        // Whole tiles as columns, and one more as rows, which are fewer.
        padded = pad(length, BFloat16Tiles.columnsTogether) + BFloat16Tiles.columnsTogether
        (sizePairs, keyPairs, weightWords) = ((size + 1) / 2, (length + 1) / 2, padded / 2)
        let block = min(
            Self.blockRows, pad(span.queries.count, BFloat16Tiles.rowsTogether))
        let back = isBackward ? 1 : 0
        let columns = pad(size, BFloat16Tiles.columnsTogether)
        keys = take(length * size)
        values = take(length * size)
        keyPanels = words(padded * sizePairs)
        valuePanels = words(back * padded * sizePairs)
        keySums = words(back * columns * keyPairs)
        valueSums = words(columns * keyPairs)
        p = take(block * padded)
        dp = take(back * block * padded)
        lines = words(max(block, BFloat16Tiles.panelColumns) * sizePairs)
        weights = words(block * weightWords)
        turned = words(back * block / 2 * padded)
        rowSums = words(back * columns * Self.blockRows / 2)
        dkeys = take(back * length * size)
        dvalues = take(back * length * size)
        end = next
    }

    /// Floats that the buffers take together.
    static func floats(_ span: AttentionPlan.Span, _ size: Int, isBackward: Bool) -> Int {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { place in
            // Only distances are computed.
            guard let base = place.baseAddress else { return 0 }
            return BFloat16AttentionScratch(span, size, isBackward: isBackward, in: base).end - base
        }
    }

    /// Keys or values → `keyPanels` or `valuePanels`.
    func packLines(_ x: Floats, into panels: Words) {
        // The words of sixteen rows lie in `lines` meanwhile. Tiles take two panels.
        let columns = padded - BFloat16Tiles.columnsTogether
        for first in stride(from: 0, to: columns, by: BFloat16Tiles.panelColumns) {
            let count = max(0, min(BFloat16Tiles.panelColumns, length - first))
            for row in 0..<count {
                BFloat16Tiles.pack(
                    row: x + (first + row) * size, size, into: lines + row * sizePairs)
            }
            BFloat16Tiles.packPanel(
                rows: lines, count: count, pairs: sizePairs, into: panels + first * sizePairs)
        }
    }

    /// `rows` rows of `size` numbers → panels of elements with `pairs` words each.
    func packSums(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into panels: Words, pairs: Int
    ) {
        for row in Swift.stride(from: 0, to: rows, by: 2) {
            let line = x + row * stride
            BFloat16Tiles.zip(
                line, row + 1 < rows ? line + stride : nil, size,
                into: panels + row / 2 * BFloat16Tiles.panelColumns,
                step: BFloat16Tiles.panelColumns * pairs)
        }
    }
}
