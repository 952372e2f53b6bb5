/// The keys that each query attends to: the shape of attention over a forest of segments.
///
/// Rows of queries and rows of keys have separate numbers, because in generation the keys lie in a
/// cache.
public struct AttentionPlan: Sendable {
    /// A run of queries with the same ancestors.
    public struct Span: Sendable {
        /// Rows of the query matrix.
        public var queries: Range<Int>
        /// Rows of the keys that all of these queries see, in order of position: the ancestors.
        public var contexts: [Range<Int>]
        /// Rows of the keys of the queries' own segment. The last query sees all of them, the query
        /// before it all but the last, and so on.
        public var own: Range<Int>

        public init(queries: Range<Int>, contexts: [Range<Int>], own: Range<Int>) {
            self.queries = queries
            self.contexts = contexts
            self.own = own
        }

        /// Number of keys that the last query sees: its position plus one.
        @inline(__always)
        var length: Int { contexts.reduce(own.count) { $0 + $1.count } }
    }

    public var spans: [Span]
    /// Spans by tree. Spans of different groups share no keys, so their backward passes are
    /// independent.
    public var groups: [[Int]]
    /// With a window W, a query sees itself and the W − 1 positions before it.
    public var window: Int?

    public init(spans: [Span], groups: [[Int]], window: Int? = nil) {
        self.spans = spans
        self.groups = groups
        self.window = window
    }

    /// The same plan for some of the queries, in this order; the numbers of keys stay the same.
    public func reading(_ rows: [Int]) -> AttentionPlan {
        var spanOfRow = [Int](repeating: 0, count: spans.map(\.queries.upperBound).max() ?? 0)
        for (number, span) in spans.enumerated() {
            for row in span.queries { spanOfRow[row] = number }
        }
        var groupOfSpan = [Int: Int]()
        for (group, members) in groups.enumerated() {
            for member in members { groupOfSpan[member] = group }
        }
        var plan = AttentionPlan(spans: [], groups: groups.map { _ in [] }, window: window)
        var first = 0
        while first < rows.count {
            let number = spanOfRow[rows[first]]
            let span = spans[number]
            var end = first + 1
            while end < rows.count, rows[end] == rows[end - 1] + 1, spanOfRow[rows[end]] == number {
                end += 1
            }
            // In its own segment the last of these rows sees all keys up to its own.
            let after = span.queries.upperBound - 1 - rows[end - 1]
            if let group = groupOfSpan[number] { plan.groups[group].append(plan.spans.count) }
            plan.spans.append(
                Span(
                    queries: first..<end, contexts: span.contexts,
                    own: span.own.lowerBound..<span.own.upperBound - after))
            first = end
        }
        plan.groups.removeAll { $0.isEmpty }
        return plan
    }
}
