import Layers

/// A batch: segments of tokens that continue each other, so that shared tokens are stored once.
///
/// A token sees its own segment up to itself and all of its ancestors. A plain sequence is a forest
/// of one segment. There is no padding: every row of the flat token array is real.
public struct TokenForest: Sendable {
    public struct Segment: Sendable, Hashable {
        /// The segment that this one continues. Its number is always lower.
        public let parent: Int?
        /// The range of its tokens in the flat array.
        public let range: Range<Int>
        /// The position of its first token.
        public let start: Int
        /// The tree it belongs to, counted from zero.
        public let tree: Int
    }

    public private(set) var tokens: [Int32] = []
    public private(set) var segments: [Segment] = []
    public private(set) var trees = 0

    public init() {}

    /// Adds a segment; returns its number. A parent that does not exist begins a new tree.
    @discardableResult
    public mutating func append(_ tokens: some Collection<Int32>, parent: Int? = nil) -> Int {
        let above = parent.flatMap { segments.indices.contains($0) ? segments[$0] : nil }
        let first = self.tokens.count
        self.tokens.append(contentsOf: tokens)
        segments.append(
            Segment(
                parent: above == nil ? nil : parent, range: first..<self.tokens.count,
                start: above.map { $0.start + $0.range.count } ?? 0, tree: above?.tree ?? trees))
        if above == nil { trees += 1 }
        return segments.count - 1
    }

    /// The position of every row in its own sequence.
    public var positions: [Int] {
        var positions = [Int](repeating: 0, count: tokens.count)
        for segment in segments {
            for (offset, row) in segment.range.enumerated() {
                positions[row] = segment.start + offset
            }
        }
        return positions
    }

    /// Number of tokens from the root to the end of the longest sequence.
    public var longestSequence: Int {
        segments.reduce(0) { max($0, $1.start + $1.range.count) }
    }

    /// The rows of a segment's ancestors, from the root down.
    public func contexts(of segment: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var next = segments[segment].parent
        while let number = next {
            let segment = segments[number]
            if !segment.range.isEmpty { ranges.append(segment.range) }
            next = segment.parent
        }
        return ranges.reversed()
    }

    /// The row that sees the whole segment: the row of its last token, or of an ancestor's if the
    /// segment is empty.
    public func lastRow(of segment: Int) -> Int? {
        var number: Int? = segment
        while let current = number {
            if let row = segments[current].range.last { return row }
            number = segments[current].parent
        }
        return nil
    }

    /// Attention among the forest's own rows.
    func plan(window: Int?) -> AttentionPlan {
        var spans: [AttentionPlan.Span] = []
        var groups = [[Int]](repeating: [], count: trees)
        for (number, segment) in segments.enumerated() where !segment.range.isEmpty {
            groups[segment.tree].append(spans.count)
            spans.append(
                AttentionPlan.Span(
                    queries: segment.range, contexts: contexts(of: number), own: segment.range))
        }
        return AttentionPlan(spans: spans, groups: groups.filter { !$0.isEmpty }, window: window)
    }

    /// Attention of some rows, numbered from zero, to keys that keep their numbers in this forest.
    func plan(of rows: Range<Int>, window: Int?) -> AttentionPlan {
        var spans: [AttentionPlan.Span] = []
        for (number, segment) in segments.enumerated() where segment.range.overlaps(rows) {
            let part = segment.range.clamped(to: rows)
            spans.append(
                AttentionPlan.Span(
                    queries: part.lowerBound - rows.lowerBound..<part.upperBound - rows.lowerBound,
                    contexts: contexts(of: number), own: segment.range.lowerBound..<part.upperBound)
            )
        }
        return AttentionPlan(spans: spans, groups: [], window: window)
    }

    /// One tree as a forest of its own, and the numbers of its rows in this forest.
    func tree(_ tree: Int) -> (forest: TokenForest, rows: [Int]) {
        var (result, rows): (TokenForest, [Int]) = (TokenForest(), [])
        var numbers: [Int: Int] = [:]
        for (number, segment) in segments.enumerated() where segment.tree == tree {
            numbers[number] = result.append(
                tokens[segment.range], parent: segment.parent.flatMap { numbers[$0] })
            rows.append(contentsOf: segment.range)
        }
        return (result, rows)
    }
}

extension TokenForest {
    /// A forest in which sequences share their common beginnings, if these are long enough for a
    /// segment of their own.
    ///
    /// - Returns: the forest, and for each sequence the number of its last segment.
    public static func sharingPrefixes(
        of sequences: [[Int32]], shortest: Int = 16
    ) -> (forest: TokenForest, ends: [Int]) {
        var forest = TokenForest()
        var ends = [Int](repeating: 0, count: sequences.count)
        let order = sequences.indices.sorted {
            sequences[$0].lexicographicallyPrecedes(sequences[$1])
        }
        // Sorted, so that the common prefix of a group is the common prefix of its first and last
        // sequence.
        var pending = [(members: order[...], depth: 0, parent: Int?.none, known: 0)]
        while let (members, depth, parent, known) = pending.popLast() {
            guard let first = members.first, let last = members.last else { continue }
            let (head, tail) = (sequences[first], sequences[last])
            var common = known
            while common < head.count, common < tail.count, head[common] == tail[common] {
                common += 1
            }
            if common == tail.count {  // all equal
                let end = forest.append(head[depth..<common], parent: parent)
                for member in members { ends[member] = end }
                continue
            }
            var (start, above) = (depth, parent)
            if common - depth >= shortest || common == head.count {
                above = forest.append(head[depth..<common], parent: parent)
                start = common
            }
            var rest = members
            while let member = rest.first, sequences[member].count == common {
                if let above { ends[member] = above }
                rest.removeFirst()
            }
            var groups: [(members: ArraySlice<Int>, depth: Int, parent: Int?, known: Int)] = []
            while let member = rest.first {
                let token = sequences[member][common]
                let group = rest.prefix { sequences[$0][common] == token }
                groups.append((group, start, above, common))
                rest = rest.dropFirst(group.count)
            }
            pending.append(contentsOf: groups.reversed())
        }
        return (forest, ends)
    }
}
