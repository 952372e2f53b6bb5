import Tensors

/// Grouped-query attention (Ainslie et al., arXiv 2305.13245) over the spans of a plan: out =
/// softmax(q kᵀ / √size) v. Query head h uses key head h / (H / K).
///
/// The probabilities are never kept. Forward and backward each compute them for a few queries of
/// one head at a time. This costs one more product and saves an (N, T) matrix per head.
public struct Attention: Sendable {
    public let heads: Int
    public let keyHeads: Int
    public let size: Int
    let scale: Float

    public init(heads: Int, keyHeads: Int, size: Int) {
        self.heads = heads
        self.keyHeads = keyHeads
        self.size = size
        scale = 1 / Float(size).squareRoot()
    }

    /// q (N, H · size); k, v (rows, K · size) → (N, H · size).
    public func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ plan: AttentionPlan) -> Tensor {
        var out = Tensor(uninitialized: q.shape)
        let (q, k, v, y) = (q.pointer, k.pointer, v.pointer, out.mutablePointer())
        var memory = WorkerScratch(
            floats: plan.spans.map { AttentionScratch.floats($0, size, isBackward: false) }.max()
                ?? 0)
        memory.withBuffers { buffers in
            Workers.each(plan.spans.count * keyHeads) { unit, worker in
                let (span, keyHead) = (plan.spans[unit / keyHeads], unit % keyHeads)
                let scratch = AttentionScratch(span, size, isBackward: false, in: buffers[worker])
                gather(span, k, v, keyHead, into: scratch)
                forwardSpan(q, y, span, plan.window, keyHead, scratch)
            }
        }
        return out
    }

    /// Gradients of queries, keys and values; `dk` and `dv` sum over all spans that see a key.
    ///
    /// With P = softmax(S), S = scale · q kᵀ and y = P v:
    ///     dv += Pᵀ dy,   dP = dy vᵀ,   dS = P · (dP − Σ_keys P dP),
    ///     dq = scale · dS k,   dk += scale · dSᵀ q
    public func backward(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ plan: AttentionPlan
    ) -> (dq: Tensor, dk: Tensor, dv: Tensor) {
        var (dq, dk, dv) = (
            Tensor(zeros: q.shape), Tensor(zeros: k.shape), Tensor(zeros: v.shape)
        )
        let (up, q, k, v) = (dy.pointer, q.pointer, k.pointer, v.pointer)
        let (dqs, dks, dvs) = (dq.mutablePointer(), dk.mutablePointer(), dv.mutablePointer())
        var memory = WorkerScratch(
            floats: plan.spans.map { AttentionScratch.floats($0, size, isBackward: true) }.max()
                ?? 0)
        memory.withBuffers { buffers in
            // Spans of one tree share keys, so one worker processes one key head of a whole tree.
            Workers.each(plan.groups.count * keyHeads) { unit, worker in
                let keyHead = unit % keyHeads
                for index in plan.groups[unit / keyHeads] {
                    let span = plan.spans[index]
                    let scratch = AttentionScratch(
                        span, size, isBackward: true, in: buffers[worker])
                    gather(span, k, v, keyHead, into: scratch)
                    backwardSpan(up, q, dqs, span, plan.window, keyHead, scratch)
                    scatterAdd(span, scratch, keyHead, dks, dvs)
                }
            }
        }
        return (dq, dk, dv)
    }

    // MARK: - One key head of a span

    /// The query heads that use a key head.
    func group(of keyHead: Int) -> Range<Int> {
        keyHead * heads / keyHeads..<(keyHead + 1) * heads / keyHeads
    }

    /// The span's queries over the keys and values in `scratch`.
    func forwardSpan(
        _ q: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ span: AttentionPlan.Span,
        _ window: Int?, _ keyHead: Int, _ scratch: AttentionScratch
    ) {
        let width = heads * size
        for head in group(of: keyHead) {
            forEachBlock(span, window) { rows, visible in
                let corner = rows.lowerBound * width + head * size
                probabilities(q + corner, visible, scratch)
                WeightedSums.add(
                    .init(scratch.p, rowStride: visible.length, columnStride: 1), scratch.values,
                    stride: size, size: size, to: out + corner, stride: width, count: rows.count,
                    accumulate: false
                ) { visible.keys(of: $0) }
            }
        }
    }

    /// Writes dq; leaves the gradients of keys and values in `scratch`.
    private func backwardSpan(
        _ dy: UnsafePointer<Float>, _ q: UnsafePointer<Float>, _ dq: UnsafeMutablePointer<Float>,
        _ span: AttentionPlan.Span, _ window: Int?, _ keyHead: Int, _ scratch: AttentionScratch
    ) {
        let width = heads * size
        scratch.dkeys.update(repeating: 0, count: scratch.length * size)
        scratch.dvalues.update(repeating: 0, count: scratch.length * size)
        for head in group(of: keyHead) {
            forEachBlock(span, window) { rows, visible in
                let corner = rows.lowerBound * width + head * size
                let length = visible.length
                probabilities(q + corner, visible, scratch)
                // dP = dy vᵀ
                products(dy + corner, scratch.values, visible, scratch.packedQueries, scratch.dp)
                for row in 0..<rows.count {
                    let (keys, line) = (visible.keys(of: row), row * length)
                    softmaxBackward(
                        scratch.p + (line + keys.lowerBound), scratch.dp + (line + keys.lowerBound),
                        keys.count)
                    clear(scratch.dp + line, outside: keys, length)
                }
                for row in 0..<rows.count {
                    (scratch.dy + row * size).update(from: dy + (corner + row * width), count: size)
                    (scratch.q + row * size).update(from: q + (corner + row * width), count: size)
                }
                // dv += Pᵀ dy;  dk += dSᵀ q;  dq = dS k
                WeightedSums.add(
                    .init(scratch.p, rowStride: 1, columnStride: length), scratch.dy, stride: size,
                    size: size, to: scratch.dvalues, stride: size, count: length, accumulate: true
                ) { visible.queries(of: $0) }
                WeightedSums.add(
                    .init(scratch.dp, rowStride: 1, columnStride: length), scratch.q, stride: size,
                    size: size, to: scratch.dkeys, stride: size, count: length, accumulate: true
                ) { visible.queries(of: $0) }
                WeightedSums.add(
                    .init(scratch.dp, rowStride: length, columnStride: 1), scratch.keys,
                    stride: size,
                    size: size, to: dq + corner, stride: width, count: rows.count,
                    accumulate: false
                ) { visible.keys(of: $0) }
            }
        }
    }

    /// softmax(scale · q kᵀ) of a block of queries; zero where a query does not see.
    private func probabilities(
        _ q: UnsafePointer<Float>, _ visible: KeyVisibility, _ scratch: AttentionScratch
    ) {
        products(q, scratch.keys, visible, scratch.packedQueries, scratch.p)
        for row in 0..<visible.count {
            let (keys, line) = (visible.keys(of: row), scratch.p + row * visible.length)
            softmaxInPlace(line + keys.lowerBound, keys.count)
            clear(line, outside: keys, visible.length)
        }
    }

    /// out (count, length): products of a block's rows with the rows of the keys, or values, that
    /// they see.
    private func products(
        _ rows: UnsafePointer<Float>, _ keys: UnsafePointer<Float>, _ visible: KeyVisibility,
        _ packedQueries: UnsafeMutablePointer<Float>, _ out: UnsafeMutablePointer<Float>
    ) {
        PackedMatmul.pack(
            rows, stride: heads * size, rows: visible.count, size, into: packedQueries)
        for first in stride(from: 0, to: visible.count, by: PackedMatmul.panelRows) {
            let panel = first..<min(first + PackedMatmul.panelRows, visible.count)
            PackedMatmul.multiply(
                packed: packedQueries + first * size, rows: panel.count, keys, size,
                out + first * visible.length, stride: visible.length, visible.keys(of: panel),
                accumulate: false)
        }
    }

    private func clear(
        _ line: UnsafeMutablePointer<Float>, outside keys: Range<Int>, _ length: Int
    ) {
        for hidden in 0..<keys.lowerBound { line[hidden] = 0 }
        for hidden in keys.upperBound..<length { line[hidden] = 0 }
    }

    /// The span's queries, one block at a time.
    @inline(__always)
    private func forEachBlock(
        _ span: AttentionPlan.Span, _ window: Int?, _ body: (Range<Int>, KeyVisibility) -> Void
    ) {
        let (length, end) = (span.length, span.queries.upperBound)
        for first in stride(from: span.queries.lowerBound, to: end, by: AttentionScratch.blockRows)
        {
            let rows = first..<min(first + AttentionScratch.blockRows, end)
            body(
                rows,
                KeyVisibility(
                    count: rows.count, length: length - (end - rows.upperBound), window: window))
        }
    }

    // MARK: - Keys and values of a span

    /// The ranges of keys below position `length`, each with its first position.
    @inline(__always)
    func forEachKeyRange(
        _ span: AttentionPlan.Span, _ length: Int, _ body: (Int, Range<Int>) -> Void
    ) {
        var column = 0
        for keys in span.contexts {
            body(column, keys)
            column += keys.count
        }
        body(column, span.own.lowerBound..<span.own.lowerBound + length - column)
    }

    /// Copies the keys and values of one head that the span sees to `scratch`, the keys times
    /// `scale`.
    private func gather(
        _ span: AttentionPlan.Span, _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>,
        _ keyHead: Int, into scratch: AttentionScratch
    ) {
        let width = keyHeads * size
        forEachKeyRange(span, scratch.length) { column, rows in
            var (source, target) = (rows.lowerBound * width + keyHead * size, column * size)
            for _ in rows {
                for e in 0..<size { scratch.keys[target + e] = k[source + e] * scale }
                for e in 0..<size { scratch.values[target + e] = v[source + e] }
                source += width
                target += size
            }
        }
    }

    /// Adds the gradients in `scratch` to those of all keys and values.
    private func scatterAdd(
        _ span: AttentionPlan.Span, _ scratch: AttentionScratch, _ keyHead: Int,
        _ dk: UnsafeMutablePointer<Float>, _ dv: UnsafeMutablePointer<Float>
    ) {
        let width = keyHeads * size
        forEachKeyRange(span, scratch.length) { column, rows in
            var (target, source) = (rows.lowerBound * width + keyHead * size, column * size)
            for _ in rows {
                accumulate(dk + target, scale, scratch.dkeys + source, size)
                accumulate(dv + target, 1, scratch.dvalues + source, size)
                target += width
                source += size
            }
        }
    }
}
