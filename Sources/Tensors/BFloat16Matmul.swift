import CProcessor
import Foundation
import NumberTypes

/// Matrix products in bfloat16: operands are rounded to bfloat16, sums are float32.
///
/// The right side is packed once, in panels of sixteen lines. The left side is packed by the worker
/// that uses it, a few tiles of twelve lines at a time, and so read once and in order. Beside few
/// rows these are the weights, beside many whichever side makes less work. A tile by two panels
/// takes 24 vectors of sums, and each word of the left side takes part in 64 products.
package struct BFloat16Matmul: Sendable {
    /// VDPBF16PS of AVX-512, or the same arithmetic in vectors of any processor, which is slower
    /// than float32.
    package enum Kernel: Sendable, Hashable { case instruction, portable }

    package let kernel: Kernel

    package init(_ kernel: Kernel) { self.kernel = kernel }

    /// The kernel of this processor; nil if it has none.
    ///
    /// SAMI_BFLOAT16 can change it: `off` computes as a processor without the instruction would,
    /// `portable` takes the slow kernel.
    package static let available = kernel(
        setting: setting, hasInstruction: processorHasBFloat16())

    /// Whether SAMI_BFLOAT16 has one of the values with a meaning.
    package static let isSet = ["off", "portable"].contains(setting)

    private static let setting = ProcessInfo.processInfo.environment["SAMI_BFLOAT16"]

    static func kernel(setting: String?, hasInstruction: Bool) -> Kernel? {
        switch setting {
        case "off": nil
        case "portable": .portable
        default: hasInstruction ? .instruction : nil
        }
    }

    static let tileRows = Int(bfloat16TileRows)
    static let rowWords = Int(bfloat16RowWords)
    private static let tileColumns = Int(bfloat16TileColumns)
    /// Numbers of a line that are multiplied before the next ones: the panels of two times sixteen
    /// lines stay in the second cache.
    private static let innerBlock = 2048
    /// Most tiles that a worker packs together. Columns of a matrix are read together with their
    /// neighbors, because a cache line holds several; rows are prefetched meanwhile, into the
    /// second cache.
    private static let mostTiles = 8
    /// Least number of rows, of y or x, that are taken as the left side. Fewer leave it to the
    /// weights, which are then packed by the workers that use them.
    private static let manyRows = 128

    /// One product: out[i, j] = left_i · right_j, or out[j, i] if `isTransposed`.
    fileprivate struct Part {
        let left: BFloat16Operand
        let out: UnsafeMutablePointer<Float>
        let stride: Int
        let isTransposed: Bool
    }

    // The three products of a linear layer; see Matmul.swift.

    /// `out = x wᵀ (+ out)`: x (N, K), w (M, K), out (N, M).
    package func multiply(
        _ x: Tensor, transposed w: Tensor, into out: inout Tensor, accumulate: Bool = false
    ) {
        require(
            w.columns == x.columns && out.rows == x.rows && out.columns == w.rows,
            "product of \(x.shape) and the transpose of \(w.shape) into \(out.shape)")
        if takesRows(x, asLeftOf: [w]) {
            return multiply(leftRows: x, w, &out, accumulate: accumulate)
        }
        let part = Part(
            left: .rows(of: w), out: out.mutablePointer(), stride: w.rows, isTransposed: true)
        multiply([part], .rows(of: x), accumulate: accumulate)
    }

    /// x w_iᵀ for several w: x (N, K), w_i (M_i, K) → (N, M_i). x is packed once at most.
    package func multiply(_ x: Tensor, transposed weights: [Tensor]) -> [Tensor] {
        require(
            weights.allSatisfy { $0.columns == x.columns },
            "products of \(x.shape) and the transposes of \(weights.map(\.shape))")
        var outs = weights.map { Tensor(uninitialized: [x.rows, $0.rows]) }
        if takesRows(x, asLeftOf: weights) {
            for i in outs.indices { multiply(leftRows: x, weights[i], &outs[i], accumulate: false) }
            return outs
        }
        let parts = outs.indices.map {
            Part(
                left: .rows(of: weights[$0]), out: outs[$0].mutablePointer(),
                stride: weights[$0].rows, isTransposed: true)
        }
        multiply(parts, .rows(of: x), accumulate: false)
        return outs
    }

    /// `out = y w (+ out)`: y (N, M), w (M, K), out (N, K).
    package func multiply(
        _ y: Tensor, _ w: Tensor, into out: inout Tensor, accumulate: Bool = false
    ) {
        require(
            w.rows == y.columns && out.rows == y.rows && out.columns == w.columns,
            "product of \(y.shape) and \(w.shape) into \(out.shape)")
        let isTall = y.rows >= Self.manyRows
        let part = Part(
            left: isTall ? .rows(of: y) : .columns(of: w), out: out.mutablePointer(),
            stride: w.columns, isTransposed: !isTall)
        multiply([part], isTall ? .columns(of: w) : .rows(of: y), accumulate: accumulate)
    }

    /// `out = yᵀ x (+ out)`: y (N, M), x (N, K), out (M, K).
    package func multiply(
        transposed y: Tensor, _ x: Tensor, into out: inout Tensor, accumulate: Bool = false
    ) {
        multiply([part(y, x, &out)], .columns(of: x), accumulate: accumulate)
    }

    /// `out_i += y_iᵀ x` for several y: y_i (N, M_i), x (N, K), out_i (M_i, K). x is packed once.
    package func add(transposed ys: [Tensor], _ x: Tensor, to outs: inout [Tensor]) {
        require(ys.count == outs.count, "\(ys.count) products into \(outs.count) tensors")
        let parts = ys.indices.map { part(ys[$0], x, &outs[$0]) }
        multiply(parts, .columns(of: x), accumulate: true)
    }

    /// yᵀ x
    private func part(_ y: Tensor, _ x: Tensor, _ out: inout Tensor) -> Part {
        require(
            x.rows == y.rows && out.rows == y.columns && out.columns == x.columns,
            "product of the transpose of \(y.shape) and \(x.shape) into \(out.shape)")
        return Part(
            left: .columns(of: y), out: out.mutablePointer(), stride: x.columns,
            isTransposed: false)
    }

    /// x wᵀ with x as the left side.
    private func multiply(
        leftRows x: Tensor, _ w: Tensor, _ out: inout Tensor, accumulate: Bool
    ) {
        let part = Part(
            left: .rows(of: x), out: out.mutablePointer(), stride: w.rows, isTransposed: false)
        multiply([part], .rows(of: w), accumulate: accumulate)
    }

    /// Whether x wᵀ takes the rows of x as the left side, and packs the weights, because that is
    /// less work: rows of a right side are transposed, those of a left side copied, or used in
    /// place if they are bfloat16.
    private func takesRows(_ x: Tensor, asLeftOf weights: [Tensor]) -> Bool {
        let lines = weights.reduce(0) { $0 + $1.rows }
        func work(left: Tensor, _ leftLines: Int, rightLines: Int) -> Int {
            2 * rightLines + (left.format == .bfloat16 ? 0 : leftLines)
        }
        guard x.rows >= Self.manyRows, let weight = weights.first else { return false }
        return work(left: x, x.rows, rightLines: lines)
            < work(left: weight, lines, rightLines: x.rows)
    }

    private func multiply(_ parts: [Part], _ right: BFloat16Operand, accumulate: Bool) {
        let lines = parts.reduce(0) { $0 + $1.left.lines }
        guard lines > 0, right.lines > 0 else { return }
        if right.inner == 0 {
            if !accumulate { for part in parts { part.clear(columns: right.lines) } }
            return
        }
        // For smaller products a second thread costs more time than it saves.
        let isShared = lines * right.lines * right.inner > 1 << 17
        var isAdding = accumulate
        for start in stride(from: 0, to: right.inner, by: Self.innerBlock) {
            let inner = start..<min(start + Self.innerBlock, right.inner)
            let panels = packedPanels(right, inner, isShared: isShared)
            let shares = shares(of: parts, isShared: isShared)
            func work(_ index: Int) {
                multiply(
                    shares[index].part, shares[index].tiles, panels.pointer, right.lines, inner,
                    accumulate: isAdding)
            }
            if isShared {
                Workers.each(shares.count) { index, _ in work(index) }
            } else {
                for index in shares.indices { work(index) }
            }
            withExtendedLifetime(panels) {}
            isAdding = true
        }
        withExtendedLifetime((parts.map(\.left.matrix), right.matrix)) {}
    }

    /// The panels of the right side: (panels, pairs, 16) words.
    private func packedPanels(
        _ right: BFloat16Operand, _ inner: Range<Int>, isShared: Bool
    ) -> Tensor {
        let (count, pairs) = ((right.lines + 15) / 16, (inner.count + 1) / 2)
        var panels = Tensor(uninitialized: [count * 16 * pairs])
        let target = WordTarget(panels.mutablePointer(), count: panels.count)
        func pack(_ range: Range<Int>) {
            Self.withWords(16 * pairs) { scratch in
                for first in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                    right.packPanels(
                        first..<min(first + 8, range.upperBound), inner,
                        into: target.words + first * 16 * pairs, scratch: scratch)
                }
            }
        }
        if isShared { Workers.split(count, pack) } else { pack(0..<count) }
        return panels
    }

    /// Runs of tiles, a few for each worker where there are enough.
    private func shares(
        of parts: [Part], isShared: Bool
    ) -> [(part: Part, tiles: Range<Int>)] {
        let counts = parts.map { ($0.left.lines + Self.tileRows - 1) / Self.tileRows }
        let total = counts.reduce(0, +)
        let wanted = 3 * Workers.count
        let length = isShared ? (total + wanted - 1) / wanted : total
        var shares: [(part: Part, tiles: Range<Int>)] = []
        for (part, count) in zip(parts, counts) {
            for first in stride(from: 0, to: count, by: length) {
                shares.append((part, first..<min(first + length, count)))
            }
        }
        return shares
    }

    /// Some tiles of a part by all panels.
    private func multiply(
        _ part: Part, _ tiles: Range<Int>, _ panels: UnsafePointer<Float>, _ columns: Int,
        _ inner: Range<Int>, accumulate: Bool
    ) {
        let (left, pairs) = (part.left, (inner.count + 1) / 2)
        let words = left.tileWords(pairs)
        let right = UnsafeRawPointer(panels).assumingMemoryBound(to: UInt32.self)
        Self.withWords(min(tiles.count, Self.mostTiles) * words) { packed in
            Self.withSums { sums in
                let (start, end) = (tiles.lowerBound, tiles.upperBound)
                for first in stride(from: start, to: end, by: Self.mostTiles) {
                    let group = first..<min(first + Self.mostTiles, end)
                    left.packTiles(group, inner, into: packed)
                    for column in stride(from: 0, to: columns, by: Self.tileColumns) {
                        let width = min(Self.tileColumns, columns - column)
                        for tile in group {
                            let next = left.memory(
                                ofTile: tile + group.count, inner, turn: column / Self.tileColumns)
                            part.fetch(row: tile * Self.tileRows, column: column, width: width)
                            part.write(
                                row: tile * Self.tileRows, column: column, width: width,
                                accumulate: accumulate, by: sums
                            ) { out in
                                var product = bfloat16Product(
                                    left: left.left(tile, inner, packed + (tile - first) * words),
                                    right: bfloat16Right(
                                        words: right + column * pairs, panelStep: 16 * pairs,
                                        isWide: width > 16),
                                    pairs: pairs, next: next.start,
                                    nextStep: (next.bytes + pairs - 1) / pairs, out: out)
                                bfloat16Tile(kernel == .instruction, &product)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func withSums(_ body: (UnsafeMutablePointer<Float>) -> Void) {
        withUnsafeTemporaryAllocation(
            byteCount: 4 * tileRows * tileColumns, alignment: 64
        ) { memory in
            guard let place = memory.baseAddress else { return }
            body(place.assumingMemoryBound(to: Float.self))
        }
    }

    /// Memory for words, from the pool.
    private static func withWords(_ count: Int, _ body: (UnsafeMutablePointer<UInt32>) -> Void) {
        var scratch = Tensor(uninitialized: [count])
        body(WordTarget(scratch.mutablePointer(), count: count).words)
        withExtendedLifetime(scratch) {}
    }
}

/// The memory of a tensor as words; each worker writes its own.
private struct WordTarget: @unchecked Sendable {
    let words: UnsafeMutablePointer<UInt32>

    init(_ floats: UnsafeMutablePointer<Float>, count: Int) {
        words = UnsafeMutableRawPointer(floats).assumingMemoryBound(to: UInt32.self)
    }
}

extension BFloat16Matmul.Part {
    func clear(columns: Int) {
        let count = left.lines * columns
        out.update(repeating: 0, count: count)
    }

    /// Prefetches the place of a tile's sums, which is in memory by the time that they are.
    @inline(__always)
    func fetch(row: Int, column: Int, width: Int) {
        let tileRows = Int(bfloat16TileRows)
        if isTransposed {
            for j in column..<column + width {
                fetchToWrite(out + (j * stride + row))
                fetchToWrite(out + (j * stride + row + tileRows - 1))
            }
        } else {
            for i in row..<min(row + tileRows, left.lines) {
                let line = out + (i * stride + column)
                fetchToWrite(line)
                fetchToWrite(line + 16)
            }
        }
    }

    /// Lets `tile` write its sums to `out`, or add them; where the tile is larger than its place,
    /// to `sums` first.
    @inline(__always)
    func write(
        row: Int, column: Int, width: Int, accumulate: Bool,
        by sums: UnsafeMutablePointer<Float>, _ tile: (bfloat16Out) -> Void
    ) {
        let (tileRows, tileColumns) = (Int(bfloat16TileRows), Int(bfloat16TileColumns))
        let height = min(tileRows, left.lines - row)
        let place = out + (isTransposed ? column * stride + row : row * stride + column)
        if height == tileRows, width % 16 == 0 {
            return tile(
                bfloat16Out(
                    sums: place, stride: stride, isTransposed: isTransposed, adds: accumulate))
        }
        let step = isTransposed ? tileRows : tileColumns
        tile(bfloat16Out(sums: sums, stride: step, isTransposed: isTransposed, adds: false))
        let (lines, length) = isTransposed ? (width, height) : (height, width)
        for line in 0..<lines {
            let (place, sums) = (place + line * stride, sums + line * step)
            if accumulate {
                for i in 0..<length { place[i] += sums[i] }
            } else {
                place.update(from: sums, count: length)
            }
        }
    }
}
