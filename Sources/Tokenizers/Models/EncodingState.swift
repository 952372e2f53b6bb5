import HeapModule

/// The state that encoding reuses from piece to piece: known pieces, and buffers for merging.
struct EncodingState: Sendable {
    var symbols: [Int32] = []

    private var words = ByteTable()
    private var ids: [Int32] = []
    private var ends: [Int] = []
    private var values: [UInt64] = []
    private var heap = Heap<UInt64>()
    private var next: [Int32] = []
    private var previous: [Int32] = []

    /// Longer pieces seldom repeat.
    private static let longestWord = 64
    private static let mostWords = 1 << 16
    /// Up to this length, checking every pair is faster than a heap.
    private static let shortWord = 48

    mutating func takeKnown(_ bytes: [UInt8], _ range: Range<Int>, into ids: inout [Int32]) -> Bool
    {
        guard range.count <= Self.longestWord, let word = words.find(bytes, range) else {
            return false
        }
        ids.append(contentsOf: self.ids[(word == 0 ? 0 : ends[word - 1])..<ends[word]])
        return true
    }

    mutating func remember(_ bytes: [UInt8], _ range: Range<Int>, _ found: ArraySlice<Int32>) {
        guard range.count <= Self.longestWord else { return }
        if words.count >= Self.mostWords {
            words.removeAll()
            ids.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
        words.insert(bytes, range)
        ids.append(contentsOf: found)
        ends.append(ids.count)
    }

    /// Merges `symbols`: always the pair of lowest rank, and of equal pairs the leftmost.
    mutating func merge(_ merges: MergeTable) {
        if symbols.count <= Self.shortWord { mergeShort(merges) } else { mergeLong(merges) }
    }

    private mutating func mergeShort(_ merges: MergeTable) {
        guard symbols.count > 1 else { return }
        values.removeAll(keepingCapacity: true)
        for place in 1..<symbols.count {
            values.append(merges.value(symbols[place - 1], symbols[place]))
        }
        while true {
            var best = MergeTable.none
            var place = 0
            for (index, value) in values.enumerated() where value < best {
                (best, place) = (value, index)
            }
            guard best != MergeTable.none else { return }
            symbols[place] = MergeTable.result(best)
            symbols.remove(at: place + 1)
            values.remove(at: place)
            if place > 0 {
                values[place - 1] = merges.value(symbols[place - 1], symbols[place])
            }
            if place < values.count {
                values[place] = merges.value(symbols[place], symbols[place + 1])
            }
        }
    }

    /// Uses a linked list of symbols and a heap of candidate merges, so that a text of a million
    /// characters without a blank takes O(n log n). The symbols of a merged pair leave outdated
    /// candidates in the heap; their rank shows that they are outdated.
    private mutating func mergeLong(_ merges: MergeTable) {
        let count = symbols.count
        next.removeAll(keepingCapacity: true)
        previous.removeAll(keepingCapacity: true)
        for place in 0..<count {
            next.append(place + 1 < count ? Int32(place + 1) : -1)
            previous.append(Int32(place) - 1)
        }
        for place in 1..<count {
            push(merges.value(symbols[place - 1], symbols[place]), Int32(place - 1))
        }
        while let top = heap.popMin() {
            let place = Int(UInt32(truncatingIfNeeded: top))
            let right = next[place]
            guard symbols[place] >= 0, right >= 0 else { continue }
            let value = merges.value(symbols[place], symbols[Int(right)])
            guard value != MergeTable.none, UInt64(MergeTable.rank(value)) == top >> 32 else {
                continue
            }
            symbols[place] = MergeTable.result(value)
            symbols[Int(right)] = -1
            let after = next[Int(right)]
            next[place] = after
            if after >= 0 {
                previous[Int(after)] = Int32(place)
                push(merges.value(symbols[place], symbols[Int(after)]), Int32(place))
            }
            let before = previous[place]
            if before >= 0 { push(merges.value(symbols[Int(before)], symbols[place]), before) }
        }
        symbols.removeAll { $0 < 0 }
    }

    private mutating func push(_ value: UInt64, _ place: Int32) {
        guard value != MergeTable.none else { return }
        heap.insert(UInt64(MergeTable.rank(value)) << 32 | UInt64(UInt32(bitPattern: place)))
    }
}
