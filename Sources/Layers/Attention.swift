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

    /// Queries of one head worked on together: their rows of probabilities stay in cache.
    static let blockRows = 64

    /// q (N, H · size); k, v (rows, K · size) → (N, H · size).
    public func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ plan: AttentionPlan) -> Tensor {
        var out = Tensor(uninitialized: q.shape)
        let keyWidth = keyHeads * size
        let (q, k, v, y) = (q.pointer, k.pointer, v.pointer, out.mutablePointer())
        var scratch = ScratchSpace(plan, rows: Self.blockRows, matrices: 1)
        scratch.withBuffers { buffers in
            Workers.each(plan.spans.count * keyHeads) { unit, worker in
                let span = plan.spans[unit / keyHeads]
                let keyHead = unit % keyHeads
                let group = heads / keyHeads
                for head in keyHead * group..<(keyHead + 1) * group {
                    forwardSpan(
                        q, k + keyHead * size, v + keyHead * size, y, keyWidth, span, plan.window,
                        head, buffers[worker])
                }
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
        var scratch = ScratchSpace(plan, rows: Self.blockRows, matrices: 2)
        scratch.withBuffers { buffers in
            // Spans of one tree share keys, so one worker takes a tree's whole key head.
            Workers.each(plan.groups.count * keyHeads) { unit, worker in
                let keyHead = unit % keyHeads
                let group = heads / keyHeads
                for index in plan.groups[unit / keyHeads] {
                    for head in keyHead * group..<(keyHead + 1) * group {
                        backwardSpan(
                            up, q, k, v, dqs, dks, dvs, plan.spans[index], plan.window, head,
                            keyHead, buffers[worker])
                    }
                }
            }
        }
        return (dq, dk, dv)
    }

    // MARK: - One span, one head

    func forwardSpan(
        _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>, _ v: UnsafePointer<Float>,
        _ out: UnsafeMutablePointer<Float>, _ keyWidth: Int, _ span: AttentionPlan.Span,
        _ window: Int?, _ head: Int, _ scratch: UnsafeMutablePointer<Float>
    ) {
        let width = heads * size
        forEachBlock(span) { rows, length in
            probabilities(
                q + rows.lowerBound * width + head * size, k, keyWidth, span, window, rows.count,
                length, scratch)
            var first = true
            forEachKeyRange(span, length) { column, keys in
                blockProduct(
                    rows.count, size, keys.count, scratch + column, length, transposeA: false,
                    v + keys.lowerBound * keyWidth, keyWidth, transposeB: false,
                    out + rows.lowerBound * width + head * size, width, accumulate: !first)
                first = false
            }
        }
    }

    private func backwardSpan(
        _ dy: UnsafePointer<Float>, _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>,
        _ v: UnsafePointer<Float>, _ dq: UnsafeMutablePointer<Float>,
        _ dk: UnsafeMutablePointer<Float>, _ dv: UnsafeMutablePointer<Float>,
        _ span: AttentionPlan.Span, _ window: Int?, _ head: Int, _ keyHead: Int,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let (width, keyWidth) = (heads * size, keyHeads * size)
        forEachBlock(span) { rows, length in
            let corner = rows.lowerBound * width + head * size
            let p = scratch
            let dp = scratch + rows.count * length
            probabilities(
                q + corner, k + keyHead * size, keyWidth, span, window, rows.count, length, p)
            forEachKeyRange(span, length) { column, keys in
                let corner = keys.lowerBound * keyWidth + keyHead * size
                // dP = dy vᵀ;  dv += Pᵀ dy
                blockProduct(
                    rows.count, keys.count, size, dy + rows.lowerBound * width + head * size, width,
                    transposeA: false, v + corner, keyWidth, transposeB: true, dp + column, length,
                    accumulate: false)
                blockProduct(
                    keys.count, size, rows.count, p + column, length, transposeA: true,
                    dy + rows.lowerBound * width + head * size, width, transposeB: false,
                    dv + corner, keyWidth, accumulate: true)
            }
            for row in 0..<rows.count {
                softmaxBackward(p + row * length, dp + row * length, length)
            }
            forEachKeyRange(span, length) { column, keys in
                let keyCorner = keys.lowerBound * keyWidth + keyHead * size
                // dq += scale · dS k;  dk += scale · dSᵀ q
                blockProduct(
                    rows.count, size, keys.count, dp + column, length, transposeA: false,
                    k + keyCorner, keyWidth, transposeB: false, dq + corner, width, scale: scale,
                    accumulate: true)
                blockProduct(
                    keys.count, size, rows.count, dp + column, length, transposeA: true,
                    q + corner, width, transposeB: false, dk + keyCorner, keyWidth, scale: scale,
                    accumulate: true)
            }
        }
    }

    /// softmax(scale · q kᵀ) of `count` queries over their first `length` keys; zero where a query does not see.
    private func probabilities(
        _ q: UnsafePointer<Float>, _ k: UnsafePointer<Float>, _ keyWidth: Int,
        _ span: AttentionPlan.Span, _ window: Int?, _ count: Int, _ length: Int,
        _ out: UnsafeMutablePointer<Float>
    ) {
        let width = heads * size
        forEachKeyRange(span, length) { column, keys in
            blockProduct(
                count, keys.count, size, q, width, transposeA: false,
                k + keys.lowerBound * keyWidth, keyWidth, transposeB: true, out + column, length,
                scale: scale, accumulate: false)
        }
        for row in 0..<count {
            let end = length - (count - 1 - row)
            let start = window.map { max(0, end - $0) } ?? 0
            let line = out + row * length
            softmaxInPlace(line + start, end - start)
            for hidden in 0..<start { line[hidden] = 0 }
            for hidden in end..<length { line[hidden] = 0 }
        }
    }

    /// The span's queries, a block at a time, with the number of keys the block's last one sees.
    @inline(__always)
    private func forEachBlock(_ span: AttentionPlan.Span, _ body: (Range<Int>, Int) -> Void) {
        var first = span.queries.lowerBound
        while first < span.queries.upperBound {
            let end = min(first + Self.blockRows, span.queries.upperBound)
            body(first..<end, span.length - (span.queries.upperBound - end))
            first = end
        }
    }

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
}

/// Memory for the probabilities of one block of queries, for each worker.
struct ScratchSpace {
    private var memory: Tensor

    init(_ plan: AttentionPlan, rows: Int, matrices: Int) {
        let largest = plan.spans.map { min(rows, $0.queries.count) * $0.length }.max() ?? 0
        self.init(floats: largest * matrices)
    }

    /// So much for each worker.
    init(floats: Int) { memory = Tensor(uninitialized: [Workers.count, max(1, floats)]) }

    mutating func withBuffers(_ body: ([UnsafeMutablePointer<Float>]) -> Void) {
        let columns = memory.columns
        memory.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            body((0..<Workers.count).map { base + $0 * columns })
        }
    }
}
