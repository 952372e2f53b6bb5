import CProcessor
import Tensors

/// Attention over the cached keys and values, for generation.
extension Attention {
    /// q (N, H · size); keys and values of K heads → (N, H · size).
    ///
    /// - Parameter arithmetic: of the products, for spans of as many queries as are worth it: the
    ///   prompts.
    public func forward(
        _ q: Tensor, _ keys: QuantizedKVRows, _ values: QuantizedKVRows, _ plan: AttentionPlan,
        _ arithmetic: Arithmetic = .float32
    ) -> Tensor {
        var out = Tensor(uninitialized: q.shape)
        let (query, y) = (q.pointer, out.mutablePointer())
        var memory = cachedScratch(plan.spans, width: keys.width, arithmetic)
        memory.withBuffers { buffers in
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
                    // Many queries share the cost of converting the cached rows to float32.
                    forwardSpan(
                        query, y, span, plan.window, keyHead, arithmetic, buffers[worker]
                    ) { keyScale, keys, values in
                        forEachKeyRange(span, span.length) { column, rows in
                            k.widen(rows, size, times: keyScale, into: keys + column * size)
                            v.widen(rows, size, times: 1, into: values + column * size)
                        }
                    }
                }
            }
        }
        withExtendedLifetime((keys, values)) {}
        return out
    }

    private func cachedScratch(
        _ spans: [AttentionPlan.Span], width: Int, _ arithmetic: Arithmetic
    ) -> WorkerScratch {
        let single = spans.filter { $0.queries.count == 1 }.map(\.length).max()
        return scratch(
            for: spans.filter { $0.queries.count > 1 }, arithmetic, isBackward: false,
            atLeast: single.map { $0 + 2 * width } ?? 0)
    }

    /// One query of one head, (size) → (size).
    private func forwardCached(
        _ query: UnsafePointer<Float>, _ keys: QuantizedKVRows.Head, _ values: QuantizedKVRows.Head,
        _ out: UnsafeMutablePointer<Float>, _ span: AttentionPlan.Span, _ window: Int?,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let (length, width) = (span.length, keys.width)
        let start = window.map { max(0, length - $0) } ?? 0
        // The query and the result, padded to the length of a cached row.
        let (q, y, p) = (scratch, scratch + width, scratch + 2 * width)
        q.update(from: query, count: size)
        for i in size..<width { q[i] = 0 }
        forEachKeyRange(span, length) { column, rows in
            var (row, place) = (rows.lowerBound, p + column)
            while row &+ 4 <= rows.upperBound {
                // The rows of each head are contiguous, but too few for the hardware prefetcher to
                // detect the stream: prefetch the keys two kilobytes ahead, and the values of the
                // present rows, which are read next.
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
        // The weight of a quantized value is its probability times its scale.
        forEachKeyRange(span, length) { column, rows in
            for i in 0..<rows.count { p[column &+ i] *= values.scales[rows.lowerBound &+ i] }
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

    /// The scores of four keys. Their sums over lanes are computed together.
    @inline(__always)
    private func fourScores(
        _ q: UnsafePointer<Float>, _ keys: QuantizedKVRows.Head, _ row: Int,
        _ out: UnsafeMutablePointer<Float>
    ) {
        let first = keys.row(row)
        let stride = keys.width * 2
        var (a, b) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var (c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var i = 0
        while i < keys.width {
            let query = UnsafeRawPointer(q + i).loadUnaligned(as: SIMD8<Float>.self)
            a = a.addingProduct(query, QuantizedKVRows.eight(first, i))
            b = b.addingProduct(query, QuantizedKVRows.eight(first + stride, i))
            c = c.addingProduct(query, QuantizedKVRows.eight(first + 2 &* stride, i))
            d = d.addingProduct(query, QuantizedKVRows.eight(first + 3 &* stride, i))
            i &+= 8
        }
        let scales = UnsafeRawPointer(keys.scales + row).loadUnaligned(as: SIMD4<Float>.self)
        UnsafeMutableRawPointer(out).storeBytes(
            of: laneSums(a, b, c, d) * scales * scale, as: SIMD4<Float>.self)
    }

    @inline(__always)
    private func score(_ q: UnsafePointer<Float>, _ keys: QuantizedKVRows.Head, _ row: Int) -> Float
    {
        let place = keys.row(row)
        var sums = SIMD8<Float>.zero
        var i = 0
        while i < keys.width {
            let query = UnsafeRawPointer(q + i).loadUnaligned(as: SIMD8<Float>.self)
            sums = sums.addingProduct(query, QuantizedKVRows.eight(place, i))
            i &+= 8
        }
        return sums.sum() * keys.scales[row] * scale
    }

    /// Σ p_i · value_i for sixteen elements, or for thirty-two (one cache line): the sums stay in
    /// registers over all rows.
    @inline(__always)
    private func weightedSums(
        _ p: UnsafePointer<Float>, _ values: QuantizedKVRows.Head, _ span: AttentionPlan.Span,
        _ length: Int, _ element: Int, _ blocks: Int, _ out: UnsafeMutablePointer<Float>
    ) {
        var (a, b) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        var (c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero)
        forEachKeyRange(span, length) { column, rows in
            for i in 0..<rows.count {
                let place = values.row(rows.lowerBound &+ i)
                let weight = SIMD8(repeating: p[column &+ i])
                a = a.addingProduct(QuantizedKVRows.eight(place, element), weight)
                b = b.addingProduct(QuantizedKVRows.eight(place, element &+ 8), weight)
                if blocks == 2 {
                    c = c.addingProduct(QuantizedKVRows.eight(place, element &+ 16), weight)
                    d = d.addingProduct(QuantizedKVRows.eight(place, element &+ 24), weight)
                }
            }
        }
        out.store(Vector(lowHalf: a, highHalf: b), element)
        if blocks == 2 { out.store(Vector(lowHalf: c, highHalf: d), element &+ 16) }
    }
}
