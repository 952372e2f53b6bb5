import HeapModule
import JSON

/// Counts words and learns merges from the counts.
struct MergeLearner {
    private struct Pair: Hashable {
        var left: Int32
        var right: Int32
    }

    /// A pair that waits to be merged, with the words in which it was found since it was last
    /// queued.
    private struct Candidate: Comparable {
        var pair: Pair
        var count: Int
        var words: Set<Int>

        /// The greatest is merged first: the most frequent pair, and of equals that of smaller ids.
        static func < (one: Candidate, other: Candidate) -> Bool {
            if one.count != other.count { return one.count < other.count }
            return (one.pair.left, one.pair.right) > (other.pair.left, other.pair.right)
        }

        static func == (one: Candidate, other: Candidate) -> Bool {
            one.count == other.count && one.pair == other.pair
        }
    }

    private var words = ByteTable()
    private var counts: [Int] = []
    private var tokens: [String] = []
    private var idOfToken = ByteTable()
    private var merges: [(left: Int32, right: Int32)] = []
    private var specialCount: Int

    var wordCount: Int { words.count }
    var tokenCount: Int { tokens.count }

    /// Special tokens first, then the byte alphabet in the order of its characters.
    init(specialTokens: [String]) throws {
        specialCount = specialTokens.count
        for token in specialTokens where !add(token) {
            throw TokenizerError.duplicateSpecialToken(token: token)
        }
        for scalar in ByteAlphabet.scalars.sorted() { add(String(scalar)) }
    }

    mutating func count(_ pieces: Pieces) {
        for range in pieces.ranges {
            let (word, isNew) = words.insert(pieces.bytes, range)
            if isNew { counts.append(1) } else { counts[word] += 1 }
        }
    }

    /// Merges until the vocabulary is full or no pair is frequent enough. False if `proceed`
    /// stopped it.
    mutating func learn(
        upTo size: Int, atLeast minimum: Int, proceed: (Int) -> Bool
    ) -> Bool {
        var symbols = (0..<words.count).map { spelled(words[$0]) }
        var pairCounts: [Pair: Int] = [:]
        var seenIn: [Pair: Set<Int>] = [:]
        for (word, ids) in symbols.enumerated() {
            for place in ids.indices.dropLast() {
                let pair = Pair(left: ids[place], right: ids[place + 1])
                pairCounts[pair, default: 0] += counts[word]
                seenIn[pair, default: []].insert(word)
            }
        }
        var queue = Heap<Candidate>()
        func enqueue() {
            for (pair, found) in seenIn {
                guard let count = pairCounts[pair], count > 0 else { continue }
                queue.insert(Candidate(pair: pair, count: count, words: found))
            }
            seenIn.removeAll(keepingCapacity: true)
        }
        enqueue()
        while tokens.count < size, var top = queue.popMax() {
            let current = pairCounts[top.pair] ?? 0
            if top.count != current {
                top.count = current
                queue.insert(top)
                continue
            }
            guard top.count >= max(1, minimum) else { break }
            let merged = merge(top.pair)
            for word in top.words {
                for (pair, change) in replace(top.pair, by: merged, in: &symbols[word]) {
                    pairCounts[pair, default: 0] += change * counts[word]
                    if change > 0 { seenIn[pair, default: []].insert(word) }
                }
            }
            enqueue()
            guard proceed(tokens.count) else { return false }
        }
        return true
    }

    /// The model in the form of `tokenizer.json`.
    var json: JSON {
        .object([
            .init("type", .string("BPE")), .init("dropout", .null), .init("unk_token", .null),
            .init("continuing_subword_prefix", .null), .init("end_of_word_suffix", .null),
            .init("fuse_unk", .bool(false)), .init("byte_fallback", .bool(false)),
            .init("ignore_merges", .bool(false)),
            .init(
                "vocab",
                .object(tokens.enumerated().map { .init($0.element, .integer($0.offset)) })),
            .init(
                "merges",
                .array(
                    merges.map { merge in
                        .array([
                            .string(tokens[Int(merge.left)]), .string(tokens[Int(merge.right)]),
                        ])
                    })),
        ])
    }

    @discardableResult
    private mutating func add(_ token: String) -> Bool {
        let isNew = idOfToken.insert(Array(token.utf8)).isNew
        if isNew { tokens.append(token) }
        return isNew
    }

    /// The word as one token for each character.
    private func spelled(_ word: ArraySlice<UInt8>) -> [Int32] {
        String(decoding: word, as: UTF8.self).unicodeScalars.compactMap {
            idOfToken.find(Array(String($0).utf8)).map { Int32($0) }
        }
    }

    /// Two pairs may spell the same token, which then keeps its first id.
    private mutating func merge(_ pair: Pair) -> Int32 {
        let token = tokens[Int(pair.left)] + tokens[Int(pair.right)]
        let (id, isNew) = idOfToken.insert(Array(token.utf8))
        if isNew { tokens.append(token) }
        merges.append((pair.left, pair.right))
        return Int32(id)
    }

    /// Replaces a pair in a word and reports the neighboring pairs that appeared and disappeared.
    private func replace(
        _ pair: Pair, by merged: Int32, in symbols: inout [Int32]
    ) -> [(Pair, Int)] {
        var changes: [(Pair, Int)] = []
        var place = 0
        while place + 1 < symbols.count {
            if symbols[place] == pair.left, symbols[place + 1] == pair.right {
                if place > 0 {
                    let before = symbols[place - 1]
                    changes.append((Pair(left: before, right: pair.left), -1))
                    changes.append((Pair(left: before, right: merged), 1))
                }
                symbols[place] = merged
                symbols.remove(at: place + 1)
                if place + 1 < symbols.count {
                    let behind = symbols[place + 1]
                    changes.append((Pair(left: pair.right, right: behind), -1))
                    changes.append((Pair(left: merged, right: behind), 1))
                }
            }
            place += 1
        }
        return changes
    }
}
