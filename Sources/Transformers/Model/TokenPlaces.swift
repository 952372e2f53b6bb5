import Foundation
import Layers
import LongWork
import Tensors

/// A token of a sequence, its log-prob, and the tokens that were likeliest at its place.
public struct TokenPlace: Sendable {
    public var token: Int32
    /// log p(token | all tokens before it), in nats.
    public var logProb: Float
    /// The likeliest first.
    public var likeliest: [(token: Int32, logProb: Float)]
}

extension LanguageModel {
    /// The places of each sequence but its first, which nothing precedes.
    ///
    /// Sequences with a common beginning compute it once. The logits of few rows exist at a time.
    ///
    /// - Parameters:
    ///   - count: how many of the likeliest tokens, at least 0.
    ///   - rows: sequences go through the model together up to this many tokens.
    /// - Throws: `ModelError` if a sequence is empty, longer than the context, or has a token
    ///   outside the vocabulary; `Canceled`.
    public func places(
        _ sequences: [[Int32]], likeliest count: Int, rows: Int = 2048,
        watch: Watch = { _ in .more }
    ) throws -> [[TokenPlace]] {
        var result: [[TokenPlace]] = []
        var first = 0
        while first < sequences.count {
            var (end, tokens) = (first, 0)
            while end < sequences.count, end == first || tokens + sequences[end].count <= rows {
                tokens += sequences[end].count
                end += 1
            }
            let (done, all) = (Double(first), Double(sequences.count))
            let share = Double(end - first)
            result += try places(Array(sequences[first..<end]), count) {
                watch((done + $0 * share) / all)
            }
            first = end
        }
        return result
    }

    private func places(
        _ sequences: [[Int32]], _ count: Int, _ watch: Watch
    ) throws -> [[TokenPlace]] {
        let (forest, ends) = TokenForest.sharingPrefixes(of: sequences)
        try check(forest)
        /// The rows of each sequence's tokens.
        let paths = ends.map { end in
            (forest.contexts(of: end) + [forest.segments[end].range]).flatMap(Array.init)
        }
        let wanted = Set(paths.flatMap { $0.dropLast() }).sorted()
        var asked: [Int: Set<Int32>] = [:]
        for (sequence, path) in zip(sequences, paths) {
            for (place, row) in path.dropLast().enumerated() {
                asked[row, default: []].insert(sequence[place + 1])
            }
        }
        guard !wanted.isEmpty else { return sequences.map { _ in [] } }
        let hidden = try hiddenRows(forest, wanted) { watch($0 / 2) }
        var found: [Int: RowDistribution] = [:]
        let chunk = 64
        for start in stride(from: 0, to: wanted.count, by: chunk) {
            try Canceled.check(watch, 0.5 + 0.5 * Double(start) / Double(wanted.count))
            let rows = start..<min(wanted.count, start + chunk)
            let logits = headLogits(hidden.gatheringRows(Array(rows)))
            let (values, columns) = (logits.values, logits.columns)
            for row in rows {
                let first = (row - start) * columns
                found[wanted[row]] = RowDistribution(
                    values[first..<first + columns], tokens: asked[wanted[row]] ?? [], count)
            }
        }
        return zip(sequences, paths).map { sequence, path in
            path.dropLast().enumerated().map { place, row in
                let token = sequence[place + 1]
                return TokenPlace(
                    token: token, logProb: found[row]?.logProbs[token] ?? .nan,
                    likeliest: found[row]?.likeliest ?? [])
            }
        }
    }
}

/// The log-probs of some tokens and of the likeliest tokens after one row.
private struct RowDistribution {
    var logProbs: [Int32: Float] = [:]
    var likeliest: [(token: Int32, logProb: Float)]

    init(_ values: ArraySlice<Float>, tokens: Set<Int32>, _ count: Int) {
        let largest = values.max() ?? 0
        let sum = values.reduce(0.0) { $0 + exp(Double($1 - largest)) }
        let normalizer = Double(largest) + log(sum)
        func logProb(_ logit: Float) -> Float { Float(Double(logit) - normalizer) }
        for token in tokens {
            logProbs[token] = logProb(values[values.startIndex + Int(token)])
        }
        // A few of many: a list that keeps the largest so far.
        var best: [(token: Int32, logit: Float)] = []
        for (index, value) in values.enumerated() where count > 0 {
            if best.count == count, value <= best[count - 1].logit { continue }
            let place = best.firstIndex { $0.logit < value } ?? best.count
            best.insert((Int32(index), value), at: place)
            if best.count > count { best.removeLast() }
        }
        likeliest = best.map { ($0.token, logProb($0.logit)) }
    }
}
