import Tensors

/// The attention of one key head over one span with products in bfloat16: queries, keys, values,
/// probabilities and their gradients are rounded where they are factors. Sums and softmax are
/// float32. See `Attention` for the formulas.
struct BFloat16Attention {
    private let attention: Attention
    private let tiles: BFloat16Tiles
    private let span: AttentionPlan.Span
    private let window: Int?
    private let scratch: BFloat16AttentionScratch

    /// Packs the keys and values in `scratch`.
    init(
        _ attention: Attention, _ tiles: BFloat16Tiles, _ span: AttentionPlan.Span, window: Int?,
        _ scratch: BFloat16AttentionScratch
    ) {
        (self.attention, self.tiles, self.span) = (attention, tiles, span)
        (self.window, self.scratch) = (window, scratch)
        scratch.packLines(scratch.keys, into: scratch.keyPanels)
        scratch.packSums(
            scratch.values, stride: attention.size, rows: scratch.length, into: scratch.valueSums,
            pairs: scratch.keyPairs)
        if scratch.isBackward {
            scratch.packLines(scratch.values, into: scratch.valuePanels)
            scratch.packSums(
                scratch.keys, stride: attention.size, rows: scratch.length, into: scratch.keySums,
                pairs: scratch.keyPairs)
        }
    }

    private var size: Int { attention.size }
    private var width: Int { attention.heads * attention.size }

    /// The attention of the span's queries, for the heads that use this key head.
    func forward(_ q: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ keyHead: Int) {
        let half = scratch.weightWords
        for head in attention.group(of: keyHead) {
            span.forEachBlock(of: BFloat16AttentionScratch.blockRows, window) { rows, visible in
                let corner = rows.lowerBound * width + head * size
                scores(q + corner, visible)
                for row in 0..<rows.count {
                    let (keys, line) = (visible.keys(of: row), scratch.p + row * scratch.padded)
                    let (_, sum) = exponentialsInPlace(
                        line + keys.lowerBound, keys.count, times: attention.scale)
                    let part = clearEnds(line, keys, tileOf: row, visible)
                    BFloat16Tiles.pack(
                        row: line + part.lowerBound, part.count, times: 1 / sum,
                        into: scratch.weights + (row * half + part.lowerBound / 2))
                }
                weighted(
                    scratch.valueSums, visible,
                    into: .init(out + corner, stride: width, rows: rows.count, columns: size))
            }
        }
    }

    /// Writes dq; leaves the gradients of keys and values in `scratch`.
    func backward(
        _ dy: UnsafePointer<Float>, _ q: UnsafePointer<Float>, _ dq: UnsafeMutablePointer<Float>,
        _ keyHead: Int
    ) {
        let (padded, half) = (scratch.padded, scratch.weightWords)
        scratch.dkeys.update(repeating: 0, count: scratch.length * size)
        scratch.dvalues.update(repeating: 0, count: scratch.length * size)
        for head in attention.group(of: keyHead) {
            span.forEachBlock(of: BFloat16AttentionScratch.blockRows, window) { rows, visible in
                let corner = rows.lowerBound * width + head * size
                let seen = visible.keys(of: 0..<rows.count)
                scores(q + corner, visible)
                products(dy + corner, scratch.valuePanels, visible, into: scratch.dp)
                for row in 0..<rows.count {
                    let (keys, line) = (visible.keys(of: row), row * padded)
                    let (p, dp) = (scratch.p + line, scratch.dp + line)
                    softmaxInPlace(p + keys.lowerBound, keys.count, times: attention.scale)
                    softmaxBackward(p + keys.lowerBound, dp + keys.lowerBound, keys.count)
                    clear(p, outside: keys, within: seen)
                    clear(dp, outside: keys, within: seen)
                    let part = seen.lowerBound / 2 * 2..<seen.upperBound
                    BFloat16Tiles.pack(
                        row: dp + part.lowerBound, part.count, times: attention.scale,
                        into: scratch.weights + (row * half + part.lowerBound / 2))
                }
                // dv += Pᵀ dy;  dk += scale · dSᵀ q;  dq = scale · dS k
                turned(scratch.p, seen, rows.count, times: 1)
                addToKeys(dy + corner, visible, scratch.dvalues)
                turned(scratch.dp, seen, rows.count, times: attention.scale)
                addToKeys(q + corner, visible, scratch.dkeys)
                weighted(
                    scratch.keySums, visible,
                    into: .init(dq + corner, stride: width, rows: rows.count, columns: size))
            }
        }
    }

    // MARK: - Products of a block

    /// q kᵀ, without the scale.
    private func scores(_ q: UnsafePointer<Float>, _ visible: KeyVisibility) {
        products(q, scratch.keyPanels, visible, into: scratch.p)
    }

    /// out (count, padded): products of a block's rows with the rows of the keys, or values, that
    /// they see.
    private func products(
        _ rows: UnsafePointer<Float>, _ panels: BFloat16Tiles.Words, _ visible: KeyVisibility,
        into out: BFloat16Tiles.Floats
    ) {
        let pairs = scratch.sizePairs
        for row in 0..<visible.count {
            BFloat16Tiles.pack(row: rows + row * width, size, into: scratch.lines + row * pairs)
        }
        tiles.multiply(
            .init(scratch.lines, rowStep: pairs, pairStep: 1),
            .init(panels, panelStep: BFloat16Tiles.panelColumns * pairs),
            into: .init(
                out, stride: scratch.padded, rows: visible.count, columns: scratch.padded,
                isPadded: true)
        ) { (visible.keys(of: $0), 0..<pairs) }
    }

    /// out (count, size) = the weights of a block times keys or values.
    private func weighted(
        _ sums: BFloat16Tiles.Words, _ visible: KeyVisibility, into out: BFloat16Tiles.Out
    ) {
        tiles.multiply(
            .init(scratch.weights, rowStep: scratch.weightWords, pairStep: 1),
            .init(sums, panelStep: BFloat16Tiles.panelColumns * scratch.keyPairs), into: out
        ) { rows in (0..<size, pairs(of: visible.keys(of: rows))) }
    }

    /// out (length, size) += the transpose of the turned weights times a block's rows.
    private func addToKeys(
        _ rows: UnsafePointer<Float>, _ visible: KeyVisibility, _ out: BFloat16Tiles.Floats
    ) {
        let pairs = BFloat16AttentionScratch.blockRows / 2
        scratch.packSums(
            rows, stride: width, rows: visible.count, into: scratch.rowSums, pairs: pairs)
        let seen = visible.keys(of: 0..<visible.count)
        // Tiles begin at a multiple of their rows.
        let first = seen.lowerBound / BFloat16Tiles.rowsTogether * BFloat16Tiles.rowsTogether
        tiles.multiply(
            .init(scratch.turned + first, rowStep: 1, pairStep: scratch.padded),
            .init(scratch.rowSums, panelStep: BFloat16Tiles.panelColumns * pairs),
            into: .init(
                out + first * size, stride: size, rows: seen.upperBound - first, columns: size,
                accumulates: true)
        ) { keys in
            let keys = max(seen.lowerBound, first + keys.lowerBound)..<first + keys.upperBound
            return (0..<size, self.pairs(of: visible.queries(of: keys)))
        }
    }

    /// The words of a block's weights with neighboring queries in a word: (pairs, padded).
    private func turned(
        _ weights: BFloat16Tiles.Floats, _ keys: Range<Int>, _ count: Int, times factor: Float
    ) {
        // Whole vectors, from a multiple of the rows of a tile on.
        let first = keys.lowerBound / BFloat16Tiles.rowsTogether * BFloat16Tiles.rowsTogether
        for row in stride(from: 0, to: count, by: 2) {
            let line = weights + (row * scratch.padded + first)
            BFloat16Tiles.zip(
                line, row + 1 < count ? line + scratch.padded : nil, keys.upperBound - first,
                times: factor, into: scratch.turned + (row / 2 * scratch.padded + first),
                step: BFloat16Tiles.panelColumns)
        }
    }

    // MARK: - Masks

    private func pairs(of range: Range<Int>) -> Range<Int> {
        range.lowerBound / 2..<(range.upperBound + 1) / 2
    }

    /// Clears what a row does not see of what the rows of its tile see, in whole words. Returns
    /// that part.
    private func clearEnds(
        _ line: BFloat16Tiles.Floats, _ keys: Range<Int>, tileOf row: Int, _ visible: KeyVisibility
    ) -> Range<Int> {
        let first = row / BFloat16Tiles.rowsTogether * BFloat16Tiles.rowsTogether
        let seen = visible.keys(
            of: first..<min(first + BFloat16Tiles.rowsTogether, visible.count))
        clear(line, outside: keys, within: seen)
        return seen.lowerBound / 2 * 2..<seen.upperBound
    }

    /// Also clears before `seen` as far as a tile reaches.
    private func clear(
        _ line: BFloat16Tiles.Floats, outside keys: Range<Int>, within seen: Range<Int>
    ) {
        let first = seen.lowerBound / BFloat16Tiles.rowsTogether * BFloat16Tiles.rowsTogether
        for hidden in first..<keys.lowerBound { line[hidden] = 0 }
        for hidden in keys.upperBound..<seen.upperBound { line[hidden] = 0 }
    }
}
