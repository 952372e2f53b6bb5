import Tensors

/// Grouped-query attention (Ainslie et al., arXiv 2305.13245) over the spans of a plan:
/// out = softmax(q kᵀ / √size) v, each query head h using key head h / (H / K).
///
/// The probabilities are never kept. Forward and backward form them for a few queries of one head at
/// a time, which costs one product more and saves an (N, T) matrix a head.
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
        var scratch = ScratchSpace(
            floats: plan.spans.map { SpanRoom.floats($0, size, isBackward: false) }.max() ?? 0)
        scratch.withBuffers { buffers in
            Workers.each(plan.spans.count * keyHeads) { unit, worker in
                let (span, keyHead) = (plan.spans[unit / keyHeads], unit % keyHeads)
                let room = SpanRoom(span, size, isBackward: false, in: buffers[worker])
                gather(span, k, v, keyHead, into: room)
                forwardSpan(q, y, span, plan.window, keyHead, room)
            }
        }
        return out
    }

    /// Gradients of queries, keys and values; `dk` and `dv` gather what all spans say of a key.
    ///
    /// With P = softmax(S), S = scale · q kᵀ and y = P v:
    ///     dv += Pᵀ dy,   dP = dy vᵀ,   dS = P · (dP − Σ_keys P dP),   dq = scale · dS k,   dk += scale · dSᵀ q
    public func backward(
        _ dy: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ plan: AttentionPlan
    ) -> (dq: Tensor, dk: Tensor, dv: Tensor) {
        var (dq, dk, dv) = (
            Tensor(zeros: q.shape), Tensor(zeros: k.shape), Tensor(zeros: v.shape)
        )
        let (up, q, k, v) = (dy.pointer, q.pointer, k.pointer, v.pointer)
        let (dqs, dks, dvs) = (dq.mutablePointer(), dk.mutablePointer(), dv.mutablePointer())
        var scratch = ScratchSpace(
            floats: plan.spans.map { SpanRoom.floats($0, size, isBackward: true) }.max() ?? 0)
        scratch.withBuffers { buffers in
            // Spans of one tree share keys, so one worker takes a tree's whole key head.
            Workers.each(plan.groups.count * keyHeads) { unit, worker in
                let keyHead = unit % keyHeads
                for index in plan.groups[unit / keyHeads] {
                    let span = plan.spans[index]
                    let room = SpanRoom(span, size, isBackward: true, in: buffers[worker])
                    gather(span, k, v, keyHead, into: room)
                    backwardSpan(up, q, dqs, span, plan.window, keyHead, room)
                    scatterAdd(span, room, keyHead, dks, dvs)
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

    /// Queries over the keys and values in the room.
    func forwardSpan(
        _ q: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>, _ span: AttentionPlan.Span,
        _ window: Int?, _ keyHead: Int, _ room: SpanRoom
    ) {
        let width = heads * size
        for head in group(of: keyHead) {
            forEachBlock(span, window) { rows, seen in
                let corner = rows.lowerBound * width + head * size
                probabilities(q + corner, seen, room)
                WeightedSums.add(
                    .init(room.p, rowStride: seen.length, columnStride: 1), room.values,
                    stride: size, size: size, to: out + corner, stride: width, count: rows.count,
                    accumulate: false
                ) { seen.keys(of: $0) }
            }
        }
    }

    /// Writes dq; leaves the gradients of keys and values in the room.
    private func backwardSpan(
        _ dy: UnsafePointer<Float>, _ q: UnsafePointer<Float>, _ dq: UnsafeMutablePointer<Float>,
        _ span: AttentionPlan.Span, _ window: Int?, _ keyHead: Int, _ room: SpanRoom
    ) {
        let width = heads * size
        room.dkeys.update(repeating: 0, count: room.length * size)
        room.dvalues.update(repeating: 0, count: room.length * size)
        for head in group(of: keyHead) {
            forEachBlock(span, window) { rows, seen in
                let corner = rows.lowerBound * width + head * size
                let length = seen.length
                probabilities(q + corner, seen, room)
                // dP = dy vᵀ
                products(dy + corner, room.values, seen, room.turned, room.dp)
                for row in 0..<rows.count {
                    let (keys, line) = (seen.keys(of: row), row * length)
                    softmaxBackward(
                        room.p + (line + keys.lowerBound), room.dp + (line + keys.lowerBound),
                        keys.count)
                    clear(room.dp + line, outside: keys, length)
                }
                for row in 0..<rows.count {
                    (room.dy + row * size).update(from: dy + (corner + row * width), count: size)
                    (room.q + row * size).update(from: q + (corner + row * width), count: size)
                }
                // dv += Pᵀ dy;  dk += dSᵀ q;  dq = dS k
                WeightedSums.add(
                    .init(room.p, rowStride: 1, columnStride: length), room.dy, stride: size,
                    size: size, to: room.dvalues, stride: size, count: length, accumulate: true
                ) { seen.queries(of: $0) }
                WeightedSums.add(
                    .init(room.dp, rowStride: 1, columnStride: length), room.q, stride: size,
                    size: size, to: room.dkeys, stride: size, count: length, accumulate: true
                ) { seen.queries(of: $0) }
                WeightedSums.add(
                    .init(room.dp, rowStride: length, columnStride: 1), room.keys, stride: size,
                    size: size, to: dq + corner, stride: width, count: rows.count,
                    accumulate: false
                ) { seen.keys(of: $0) }
            }
        }
    }

    /// softmax(scale · q kᵀ) of a block of queries; zero where a query does not see.
    private func probabilities(_ q: UnsafePointer<Float>, _ seen: SeenKeys, _ room: SpanRoom) {
        products(q, room.keys, seen, room.turned, room.p)
        for row in 0..<seen.count {
            let (keys, line) = (seen.keys(of: row), room.p + row * seen.length)
            softmaxInPlace(line + keys.lowerBound, keys.count)
            clear(line, outside: keys, seen.length)
        }
    }

    /// out (count, length): the rows of a block by those of the keys, or values, that they see.
    private func products(
        _ rows: UnsafePointer<Float>, _ keys: UnsafePointer<Float>, _ seen: SeenKeys,
        _ turned: UnsafeMutablePointer<Float>, _ out: UnsafeMutablePointer<Float>
    ) {
        PanelProduct.turn(rows, stride: heads * size, rows: seen.count, size, into: turned)
        for first in stride(from: 0, to: seen.count, by: PanelProduct.panelRows) {
            let panel = first..<min(first + PanelProduct.panelRows, seen.count)
            PanelProduct.multiply(
                turned: turned + first * size, rows: panel.count, keys, size,
                out + first * seen.length, stride: seen.length, seen.keys(of: panel),
                accumulate: false)
        }
    }

    private func clear(
        _ line: UnsafeMutablePointer<Float>, outside keys: Range<Int>, _ length: Int
    ) {
        for hidden in 0..<keys.lowerBound { line[hidden] = 0 }
        for hidden in keys.upperBound..<length { line[hidden] = 0 }
    }

    /// The span's queries, a block at a time.
    @inline(__always)
    private func forEachBlock(
        _ span: AttentionPlan.Span, _ window: Int?, _ body: (Range<Int>, SeenKeys) -> Void
    ) {
        let (length, end) = (span.length, span.queries.upperBound)
        for first in stride(from: span.queries.lowerBound, to: end, by: SpanRoom.blockRows) {
            let rows = first..<min(first + SpanRoom.blockRows, end)
            body(
                rows,
                SeenKeys(
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

    /// Copies what the span sees of a head to the room, the keys times `scale`.
    private func gather(
        _ span: AttentionPlan.Span, _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>,
        _ keyHead: Int, into room: SpanRoom
    ) {
        let width = keyHeads * size
        forEachKeyRange(span, room.length) { column, rows in
            var (source, target) = (rows.lowerBound * width + keyHead * size, column * size)
            for _ in rows {
                for e in 0..<size { room.keys[target + e] = k[source + e] * scale }
                for e in 0..<size { room.values[target + e] = v[source + e] }
                source += width
                target += size
            }
        }
    }

    /// Adds the gradients in the room to those of all keys and values.
    private func scatterAdd(
        _ span: AttentionPlan.Span, _ room: SpanRoom, _ keyHead: Int,
        _ dk: UnsafeMutablePointer<Float>, _ dv: UnsafeMutablePointer<Float>
    ) {
        let width = keyHeads * size
        forEachKeyRange(span, room.length) { column, rows in
            var (target, source) = (rows.lowerBound * width + keyHead * size, column * size)
            for _ in rows {
                accumulate(dk + target, scale, room.dkeys + source, size)
                accumulate(dv + target, 1, room.dvalues + source, size)
                target += width
                source += size
            }
        }
    }
}
