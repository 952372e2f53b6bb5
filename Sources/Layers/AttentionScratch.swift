import Tensors

/// The causal mask of one block: `count` queries over the first `length` keys of a span. The last
/// query sees all of these keys, the query before it all but the last key, and so on. With a
/// window, a query sees only the latest `window` of its keys.
struct KeyVisibility {
    let count: Int
    let length: Int
    let window: Int?

    func keys(of query: Int) -> Range<Int> {
        let end = length - (count - 1 - query)
        return (window.map { max(0, end - $0) } ?? 0)..<end
    }

    /// The keys that at least one of these neighboring queries sees.
    func keys(of queries: Range<Int>) -> Range<Int> {
        keys(of: queries.lowerBound).lowerBound..<keys(of: queries.upperBound - 1).upperBound
    }

    /// The queries that see at least one of these neighboring keys.
    func queries(of keys: Range<Int>) -> Range<Int> {
        let before = length - count
        let first = max(0, keys.lowerBound - before)
        let end = window.map { min(count, keys.upperBound - 1 + $0 - before) } ?? count
        return first..<max(first, end)
    }
}

extension AttentionPlan.Span {
    /// Passes blocks of `count` queries, with the keys that they see.
    @inline(__always)
    func forEachBlock(
        of count: Int, _ window: Int?, _ body: (Range<Int>, KeyVisibility) -> Void
    ) {
        let (length, end) = (length, queries.upperBound)
        for first in stride(from: queries.lowerBound, to: end, by: count) {
            let rows = first..<min(first + count, end)
            body(
                rows,
                KeyVisibility(
                    count: rows.count, length: length - (end - rows.upperBound), window: window))
        }
    }
}

/// Per-worker scratch for one KV head of one span: the gathered keys and values, and buffers for
/// one block of queries.
struct AttentionScratch {
    /// Queries of one head that are computed together, so that their rows of probabilities stay in
    /// cache.
    static let blockRows = 64

    typealias Floats = UnsafeMutablePointer<Float>

    /// Number of keys that the last query sees.
    let length: Int
    let keys, values: Floats  // (length, size)
    let packedQueries: Floats  // a block's rows, in the layout of `PackedMatmul.pack`
    let p: Floats  // (block, length)
    /// Used by the backward pass only.
    let dkeys, dvalues: Floats  // (length, size)
    let dp: Floats  // (block, length)
    let q, dy: Floats  // (block, size)

    init(_ span: AttentionPlan.Span, _ size: Int, isBackward: Bool, in memory: Floats) {
        var next = memory
        func take(_ count: Int) -> Floats {
            defer { next += count }
            return next
        }
        length = span.length
        let block = min(Self.blockRows, span.queries.count)
        keys = take(length * size)
        values = take(length * size)
        packedQueries = take(PackedMatmul.packedCount(rows: block, size))
        p = take(block * length)
        dkeys = take(isBackward ? length * size : 0)
        dvalues = take(isBackward ? length * size : 0)
        dp = take(isBackward ? block * length : 0)
        q = take(isBackward ? block * size : 0)
        dy = take(isBackward ? block * size : 0)
    }

    /// Floats that the buffers take together.
    static func floats(_ span: AttentionPlan.Span, _ size: Int, isBackward: Bool) -> Int {
        let block = min(blockRows, span.queries.count)
        let forward = span.length * (2 * size + block)
        let packed = PackedMatmul.packedCount(rows: block, size)
        return isBackward ? 2 * (forward + block * size) + packed : forward + packed
    }
}

/// One buffer per worker.
struct WorkerScratch {
    private var memory: Tensor

    /// - Parameter floats: the size of each worker's buffer.
    init(floats: Int) { memory = Tensor(uninitialized: [Workers.count, max(1, floats)]) }

    mutating func withBuffers(_ body: ([UnsafeMutablePointer<Float>]) -> Void) {
        let columns = memory.columns
        memory.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            body((0..<Workers.count).map { base + $0 * columns })
        }
    }
}
