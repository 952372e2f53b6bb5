import Tensors

/// Which of the first `length` keys of a span a block of `count` queries sees: the last query all of
/// them, the one before it all but the last, and so on; with a window, only the latest.
struct SeenKeys {
    let count: Int
    let length: Int
    let window: Int?

    func keys(of query: Int) -> Range<Int> {
        let end = length - (count - 1 - query)
        return (window.map { max(0, end - $0) } ?? 0)..<end
    }

    /// Keys that any of some neighbouring queries sees.
    func keys(of queries: Range<Int>) -> Range<Int> {
        keys(of: queries.lowerBound).lowerBound..<keys(of: queries.upperBound - 1).upperBound
    }

    /// Queries that see any of some neighbouring keys.
    func queries(of keys: Range<Int>) -> Range<Int> {
        let before = length - count
        let first = max(0, keys.lowerBound - before)
        let end = window.map { min(count, keys.upperBound - 1 + $0 - before) } ?? count
        return first..<max(first, end)
    }
}

/// What one worker needs for one key head of a span: what the queries see of it, row by row, and room
/// for a block of queries.
struct SpanRoom {
    /// Queries of one head worked on together: their rows of probabilities stay in cache.
    static let blockRows = 64

    typealias Floats = UnsafeMutablePointer<Float>

    /// Keys that the last query sees.
    let length: Int
    let keys, values: Floats  // (length, size)
    let turned: Floats  // a block's rows, as `PanelProduct` wants them
    let p: Floats  // (block, length)
    /// For the backward pass alone.
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
        turned = take(PanelProduct.turnedCount(rows: block, size))
        p = take(block * length)
        dkeys = take(isBackward ? length * size : 0)
        dvalues = take(isBackward ? length * size : 0)
        dp = take(isBackward ? block * length : 0)
        q = take(isBackward ? block * size : 0)
        dy = take(isBackward ? block * size : 0)
    }

    /// Floats it takes.
    static func floats(_ span: AttentionPlan.Span, _ size: Int, isBackward: Bool) -> Int {
        let block = min(blockRows, span.queries.count)
        let forward = span.length * (2 * size + block)
        let turned = PanelProduct.turnedCount(rows: block, size)
        return isBackward ? 2 * (forward + block * size) + turned : forward + turned
    }
}

/// Memory for each worker.
struct ScratchSpace {
    private var memory: Tensor

    /// So much for each.
    init(floats: Int) { memory = Tensor(uninitialized: [Workers.count, max(1, floats)]) }

    mutating func withBuffers(_ body: ([UnsafeMutablePointer<Float>]) -> Void) {
        let columns = memory.columns
        memory.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            body((0..<Workers.count).map { base + $0 * columns })
        }
    }
}
