import CProcessor
import Tensors

/// Attention over the keys and values of a cache, as generation needs it.
extension Attention {
    /// q (N, H · size); keys and values of K heads → (N, H · size).
    public func forward(
        _ q: Tensor, _ keys: CompactRows, _ values: CompactRows, _ plan: AttentionPlan
    ) -> Tensor {
        var out = Tensor(uninitialized: q.shape)
        let (query, y) = (q.pointer, out.mutablePointer())
        let needed = plan.spans.map { cachedScratch($0, width: keys.width) }.max() ?? 0
        var scratch = ScratchSpace(floats: needed)
        scratch.withBuffers { buffers in
            Workers.each(plan.spans.count * keyHeads) { unit, worker in
                let (span, keyHead) = (plan.spans[unit / keyHeads], unit % keyHeads)
                let (k, v) = (keys.head(keyHead), values.head(keyHead))
                if span.queries.count == 1 {
                    for head in group(of: keyHead) {
                        let corner = (span.queries.lowerBound * heads + head) * size
                        forwardCached(
                            query + corner, k, v, y + corner, span, plan.window, buffers[worker])
                    }
                } else {
                    // What many queries see is widened, and is then like any other rows.
                    let room = SpanRoom(span, size, isBackward: false, in: buffers[worker])
                    forEachKeyRange(span, room.length) { column, rows in
                        k.widen(rows, size, times: scale, into: room.keys + column * size)
                        v.widen(rows, size, times: 1, into: room.values + column * size)
                    }
                    forwardSpan(query, y, span, plan.window, keyHead, room)
                }
            }
        }
        withExtendedLifetime((keys, values)) {}
        return out
    }

    /// Floats that a span takes beside its result.
    private func cachedScratch(_ span: AttentionPlan.Span, width: Int) -> Int {
        span.queries.count == 1
            ? span.length + 2 * width : SpanRoom.floats(span, size, isBackward: false)
    }

    /// One query of one head, (size) → (size).
    private func forwardCached(
        _ query: UnsafePointer<Float>, _ keys: CompactRows.Head, _ values: CompactRows.Head,
        _ out: UnsafeMutablePointer<Float>, _ span: AttentionPlan.Span, _ window: Int?,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let (length, width) = (span.length, keys.width)
        let start = window.map { max(0, length - $0) } ?? 0
        // The query and the result as long as a row of the cache is.
        let (q, y, p) = (scratch, scratch + width, scratch + 2 * width)
        q.update(from: query, count: size)
        for i in size..<width { q[i] = 0 }
        forEachKeyRange(span, length) { column, rows in
            var (row, place) = (rows.lowerBound, p + column)
            while row &+ 4 <= rows.upperBound {
                // Every head's rows are a stretch of their own, too short for the processor to see where
                // reading goes: it is told of keys two kilobytes on, and of the values wanted next.
                for line in 0..<width / 8 {
                    fetchAhead(keys.row(row) + (2048 &+ 64 &* line))
                    fetchAhead(values.row(row) + 64 &* line)
                }
                fourScores(q, keys, row, place)
                row &+= 4
                place += 4
            }
            while row < rows.upperBound {
                place.pointee = score(q, keys, row)
                row &+= 1
                place += 1
            }
        }
        softmaxInPlace(p + start, length - start)
        for hidden in 0..<start { p[hidden] = 0 }
        // A value counts by its probability times its step.
        forEachKeyRange(span, length) { column, rows in
            for i in 0..<rows.count { p[column &+ i] *= values.steps[rows.lowerBound &+ i] }
        }
        var element = 0
        while element < width {
            if element &+ 32 <= width {
                weightedSums(p, values, span, length, element, 2, y)
                element &+= 32
            } else {
                weightedSums(p, values, span, length, element, 1, y)
                element &+= 16
            }
        }
        out.update(from: y, count: size)
    }

    /// The scores of four keys, whose sums over lanes are made together.
    @inline(__always)
    private func fourScores(
        _ q: UnsafePointer<Float>, _ keys: CompactRows.Head, _ row: Int,
        _ out: UnsafeMutablePointer<Float>
    ) {
        let first = keys.row(row)
        let stride = keys.width * 2
        var (a, b) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var (c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var i = 0
        while i < keys.width {
            let query = UnsafeRawPointer(q + i).loadUnaligned(as: SIMD8<Float>.self)
            a = a.addingProduct(query, CompactRows.eight(first, i))
            b = b.addingProduct(query, CompactRows.eight(first + stride, i))
            c = c.addingProduct(query, CompactRows.eight(first + 2 &* stride, i))
            d = d.addingProduct(query, CompactRows.eight(first + 3 &* stride, i))
            i &+= 8
        }
        let steps = UnsafeRawPointer(keys.steps + row).loadUnaligned(as: SIMD4<Float>.self)
        UnsafeMutableRawPointer(out).storeBytes(
            of: laneSums(a, b, c, d) * steps * scale, as: SIMD4<Float>.self)
    }

    @inline(__always)
    private func score(_ q: UnsafePointer<Float>, _ keys: CompactRows.Head, _ row: Int) -> Float {
        let place = keys.row(row)
        var sums = SIMD8<Float>.zero
        var i = 0
        while i < keys.width {
            let query = UnsafeRawPointer(q + i).loadUnaligned(as: SIMD8<Float>.self)
            sums = sums.addingProduct(query, CompactRows.eight(place, i))
            i &+= 8
        }
        return sums.sum() * keys.steps[row] * scale
    }

    /// Σ p_i · value_i of sixteen elements, or of thirty-two, a line of memory: sums stay in registers
    /// over all rows.
    @inline(__always)
    private func weightedSums(
        _ p: UnsafePointer<Float>, _ values: CompactRows.Head, _ span: AttentionPlan.Span,
        _ length: Int, _ element: Int, _ blocks: Int, _ out: UnsafeMutablePointer<Float>
    ) {
        var (a, b) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var (c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        forEachKeyRange(span, length) { column, rows in
            for i in 0..<rows.count {
                let place = values.row(rows.lowerBound &+ i)
                let weight = SIMD8(repeating: p[column &+ i])
                a = a.addingProduct(CompactRows.eight(place, element), weight)
                b = b.addingProduct(CompactRows.eight(place, element &+ 8), weight)
                if blocks == 2 {
                    c = c.addingProduct(CompactRows.eight(place, element &+ 16), weight)
                    d = d.addingProduct(CompactRows.eight(place, element &+ 24), weight)
                }
            }
        }
        out.store(Vector(lowHalf: a, highHalf: b), element)
        if blocks == 2 { out.store(Vector(lowHalf: c, highHalf: d), element &+ 16) }
    }
}
