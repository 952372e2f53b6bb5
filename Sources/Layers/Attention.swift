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
    ///
    /// The products are float32 in each case: a model's scores go through here.
    public func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ plan: AttentionPlan) -> Tensor {
        var out = Tensor(uninitialized: q.shape)
        let (q, k, v, y) = (q.pointer, k.pointer, v.pointer, out.mutablePointer())
        var memory = scratch(for: plan.spans, .float32, isBackward: false)
        memory.withBuffers { buffers in
            Workers.each(plan.spans.count * keyHeads) { unit, worker in
                let (span, keyHead) = (plan.spans[unit / keyHeads], unit % keyHeads)
                forwardSpan(q, y, span, plan.window, keyHead, .float32, buffers[worker]) {
                    gather(span, k, v, keyHead, keyScale: $0, $1, $2)
                }
            }
        }
        return out
    }

    /// Gradients of queries, keys and values; `dk` and `dv` sum over all spans that see a key.
    ///
    /// With P = softmax(S), S = scale · q kᵀ and y = P v:
    ///     dv += Pᵀ dy,   dP = dy vᵀ,   dS = P · (dP − Σ_keys P dP),
    ///     dq = scale · dS k,   dk += scale · dSᵀ q
    ///
    /// - Parameter arithmetic: of the products, for spans of as many queries as are worth it.
    public func backward(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ plan: AttentionPlan,
        _ arithmetic: Arithmetic = .float32
    ) -> (dq: Tensor, dk: Tensor, dv: Tensor) {
        var (dq, dk, dv) = (
            Tensor(zeros: q.shape), Tensor(zeros: k.shape), Tensor(zeros: v.shape)
        )
        let (up, q, k, v) = (dy.pointer, q.pointer, k.pointer, v.pointer)
        let (dqs, dks, dvs) = (dq.mutablePointer(), dk.mutablePointer(), dv.mutablePointer())
        var memory = scratch(for: plan.spans, arithmetic, isBackward: true)
        memory.withBuffers { buffers in
            // Spans of one tree share keys, so one worker processes one key head of a whole tree.
            Workers.each(plan.groups.count * keyHeads) { unit, worker in
                let keyHead = unit % keyHeads
                for index in plan.groups[unit / keyHeads] {
                    let span = plan.spans[index]
                    backwardSpan(
                        up, q, dqs, span, plan.window, keyHead, arithmetic, buffers[worker]
                    ) {
                        gather(span, k, v, keyHead, keyScale: $0, $1, $2)
                    } scatter: {
                        scatterAdd(span, keyHead, keyScale: $0, $1, $2, dks, dvs)
                    }
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

    /// A place for gathered keys, times a factor, and one for values: (length, size) each.
    typealias Gather = (
        _ keyScale: Float, _ keys: UnsafeMutablePointer<Float>,
        _ values: UnsafeMutablePointer<Float>
    ) -> Void

    /// The span's queries over the keys and values that `gather` writes.
    func forwardSpan(
        _ q: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ span: AttentionPlan.Span,
        _ window: Int?, _ keyHead: Int, _ arithmetic: Arithmetic,
        _ memory: UnsafeMutablePointer<Float>, _ gather: Gather
    ) {
        if let tiles = arithmetic.tiles(rows: span.queries.count) {
            let scratch = BFloat16AttentionScratch(span, size, isBackward: false, in: memory)
            gather(1, scratch.keys, scratch.values)
            BFloat16Attention(self, tiles, span, window: window, scratch).forward(q, out, keyHead)
        } else {
            let scratch = AttentionScratch(span, size, isBackward: false, in: memory)
            gather(scale, scratch.keys, scratch.values)
            forwardSpan(q, out, span, window, keyHead, scratch)
        }
    }

    private func forwardSpan(
        _ q: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ span: AttentionPlan.Span,
        _ window: Int?, _ keyHead: Int, _ scratch: AttentionScratch
    ) {
        let width = heads * size
        for head in group(of: keyHead) {
            span.forEachBlock(of: AttentionScratch.blockRows, window) { rows, visible in
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

    /// Writes dq, and passes the gradients of keys, still to be multiplied with the first argument,
    /// and of values to `scatter`.
    private func backwardSpan(
        _ dy: UnsafePointer<Float>, _ q: UnsafePointer<Float>, _ dq: UnsafeMutablePointer<Float>,
        _ span: AttentionPlan.Span, _ window: Int?, _ keyHead: Int, _ arithmetic: Arithmetic,
        _ memory: UnsafeMutablePointer<Float>, _ gather: Gather,
        scatter: (Float, UnsafePointer<Float>, UnsafePointer<Float>) -> Void
    ) {
        if let tiles = arithmetic.tiles(rows: span.queries.count) {
            let scratch = BFloat16AttentionScratch(span, size, isBackward: true, in: memory)
            gather(1, scratch.keys, scratch.values)
            BFloat16Attention(self, tiles, span, window: window, scratch)
                .backward(dy, q, dq, keyHead)
            scatter(1, scratch.dkeys, scratch.dvalues)
        } else {
            let scratch = AttentionScratch(span, size, isBackward: true, in: memory)
            gather(scale, scratch.keys, scratch.values)
            backwardSpan(dy, q, dq, span, window, keyHead, scratch)
            scatter(scale, scratch.dkeys, scratch.dvalues)
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
            span.forEachBlock(of: AttentionScratch.blockRows, window) { rows, visible in
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

    /// Copies the keys and values of one head that the span sees, the keys times `keyScale`.
    private func gather(
        _ span: AttentionPlan.Span, _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>,
        _ keyHead: Int, keyScale: Float, _ keys: UnsafeMutablePointer<Float>,
        _ values: UnsafeMutablePointer<Float>
    ) {
        let width = keyHeads * size
        forEachKeyRange(span, span.length) { column, rows in
            var (source, target) = (rows.lowerBound * width + keyHead * size, column * size)
            for _ in rows {
                copy(k + source, times: keyScale, to: keys + target, size)
                (values + target).update(from: v + source, count: size)
                source += width
                target += size
            }
        }
    }

    /// Adds the span's gradients of keys, times `keyScale`, and of values to those of all.
    private func scatterAdd(
        _ span: AttentionPlan.Span, _ keyHead: Int, keyScale: Float,
        _ dkeys: UnsafePointer<Float>, _ dvalues: UnsafePointer<Float>,
        _ dk: UnsafeMutablePointer<Float>, _ dv: UnsafeMutablePointer<Float>
    ) {
        let width = keyHeads * size
        forEachKeyRange(span, span.length) { column, rows in
            var (target, source) = (rows.lowerBound * width + keyHead * size, column * size)
            for _ in rows {
                accumulate(dk + target, keyScale, dkeys + source, size)
                accumulate(dv + target, 1, dvalues + source, size)
                target += width
                source += size
            }
        }
    }

    /// Memory of each worker for any of these spans.
    func scratch(
        for spans: [AttentionPlan.Span], _ arithmetic: Arithmetic, isBackward: Bool,
        atLeast floats: Int = 0
    ) -> WorkerScratch {
        let needed = spans.map { span in
            arithmetic.tiles(rows: span.queries.count) == nil
                ? AttentionScratch.floats(span, size, isBackward: isBackward)
                : BFloat16AttentionScratch.floats(span, size, isBackward: isBackward)
        }
        return WorkerScratch(floats: max(floats, needed.max() ?? 0))
    }
}
