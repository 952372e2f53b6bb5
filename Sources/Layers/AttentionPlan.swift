/// Who attends to whom: the shape of attention over a forest of segments.
///
/// Rows of queries and rows of keys are numbered apart, because in generation the keys lie in a cache.
public struct AttentionPlan: Sendable {
    /// A run of queries with the same past.
    public struct Span: Sendable {
        /// Rows of the query matrix.
        public var queries: Range<Int>
        /// Rows of keys that all of these queries see, in order of position: the ancestors.
        public var contexts: [Range<Int>]
        /// Rows of keys of the queries' own segment. The last query sees all of them, the one before
        /// it all but the last, and so on.
        public var own: Range<Int>

        public init(queries: Range<Int>, contexts: [Range<Int>], own: Range<Int>) {
            self.queries = queries
            self.contexts = contexts
            self.own = own
        }

        /// Keys that the last query sees: its position plus one.
        @inline(__always)
        var length: Int { contexts.reduce(own.count) { $0 + $1.count } }
    }

    public var spans: [Span]
    /// Spans by tree: spans of different groups share no keys, so their backward passes are independent.
    public var groups: [[Int]]
    /// With a window W, a query sees itself and the W − 1 positions before it.
    public var window: Int?

    public init(spans: [Span], groups: [[Int]], window: Int? = nil) {
        self.spans = spans
        self.groups = groups
        self.window = window
    }
}
