import CProcessor
import Foundation
import LongWork
import NumberTypes
import Tensors

/// The output head for scored rows: logits, log-softmax and the log-probs of chosen tokens, fused.
///
/// It receives only scored rows and processes a few at a time, so that no (N, V) matrix exists. The
/// backward pass recomputes the logits, unless the head is frozen.
public enum ScoredHead {
    /// One row of hidden states, and the tokens `tokens[range]` whose log-probs are wanted there.
    public struct Rows: Sendable {
        public var starts: [Int] = [0]
        public var tokens: [Int32] = []
        public init() {}

        /// Adds the tokens that the next row scores.
        public mutating func append(_ tokens: some Sequence<Int32>) {
            self.tokens.append(contentsOf: tokens)
            starts.append(self.tokens.count)
        }
        public var count: Int { starts.count - 1 }

        /// The positions of a row's tokens in `tokens`.
        @inline(__always)
        func range(_ row: Int) -> Range<Int> { starts[row]..<starts[row + 1] }
    }

    /// A second distribution at each row, and the weight of its KL divergence in the loss.
    public struct Reference: Sendable {
        /// Hidden states (M, D') and head (V, D') of the reference model.
        public var hidden: Tensor
        public var weight: Tensor
        /// ∂loss/∂KL of one row: β divided by the number of rows.
        public var coefficient: Float
        public init(hidden: Tensor, weight: Tensor, coefficient: Float) {
            self.hidden = hidden
            self.weight = weight
            self.coefficient = coefficient
        }
    }

    /// The results of a forward pass that spare the backward pass of the same rows a product.
    public final class Kept {
        /// The largest number of logits that is kept: 128 megabytes, as a chunk of them may take in
        /// the backward pass. Recomputing costs a product. A frozen head keeps 16 megabytes: it has
        /// the means in their place.
        public static func mostLogits(isFrozen: Bool) -> Int { isFrozen ? 1 << 22 : 1 << 25 }

        /// Whether the head has no gradient and the loss no penalty. The backward pass then needs
        /// only the mean of the head's rows under the probabilities, and no logits. Logits that are
        /// few enough to keep serve it too, with the same bits as a head that trains.
        fileprivate let isFrozen: Bool
        /// One tensor per chunk of rows.
        fileprivate var logits: [Tensor] = []
        /// softmax(h Wᵀ) W: (M, D)
        fileprivate var means: Tensor?
        fileprivate var logProbs: [Float] = []

        public init(isFrozen: Bool = false) { self.isFrozen = isFrozen }
    }

    /// log softmax(h Wᵀ)[token] in nats, in the order of `rows.tokens`. h (M, D), weight (V, D).
    ///
    /// - Parameter watch: asked before every chunk of rows, here and in the other passes.
    /// - Throws: `Canceled`.
    public static func forward(
        _ hidden: Tensor, weight: Tensor, _ rows: Rows, keeping kept: Kept? = nil,
        _ arithmetic: Arithmetic = .float32, watch: Watch = { _ in .more }
    ) throws(Canceled) -> [Float] {
        let isKept = rows.count * weight.rows <= Kept.mostLogits(isFrozen: kept?.isFrozen ?? true)
        if let kept, kept.isFrozen, !isKept {
            let found = try means(hidden, weight: weight, rows, arithmetic, watch: watch)
            (kept.means, kept.logProbs) = (found.means, found.logProbs)
            return found.logProbs
        }
        var logProbs = [Float](repeating: 0, count: rows.tokens.count)
        try forEachChunk(rows.count, weight, watch) { chunk in
            let logits = logitsOf(hidden, chunk, weight: weight, arithmetic)
            let (columns, base) = (logits.columns, logits.pointer)
            logProbs.withUnsafeMutableBufferPointer { logProbs in
                let out = Shared(logProbs.baseAddress)
                Workers.split(chunk.count) { part in
                    for row in part {
                        let logits = base + row * columns
                        let logSum = logSumOfExponentials(logits, columns)
                        for i in rows.range(chunk.lowerBound + row) {
                            out.pointer?[i] = logits[Int(rows.tokens[i])] - logSum
                        }
                    }
                }
            }
            withExtendedLifetime(logits) {}
            if isKept { kept?.logits.append(logits) }
        }
        return logProbs
    }

    /// The log-probs, and the mean of the head's rows under each row's probabilities, (M, D).
    private static func means(
        _ hidden: Tensor, weight: Tensor, _ rows: Rows, _ arithmetic: Arithmetic, watch: Watch
    ) throws(Canceled) -> (logProbs: [Float], means: Tensor) {
        var logProbs = [Float](repeating: 0, count: rows.tokens.count)
        var means = Tensor(uninitialized: hidden.shape)
        try forEachChunk(rows.count, weight, watch) { chunk in
            var logits = logitsOf(hidden, chunk, weight: weight, arithmetic)
            let (columns, base) = (logits.columns, logits.mutablePointer())
            logProbs.withUnsafeMutableBufferPointer { logProbs in
                let out = Shared(logProbs.baseAddress)
                Workers.split(chunk.count) { part in
                    for row in part {
                        _ = score(
                            base + row * columns, columns, rows, chunk.lowerBound + row, out)
                    }
                }
            }
            // The logits have become probabilities.
            var part = Tensor(uninitialized: [chunk.count, hidden.columns])
            arithmetic.inputGradient(logits, weight, into: &part)
            copy(part, into: &means, row: chunk.lowerBound)
        }
        return (logProbs, means)
    }

    /// The gradient of the hidden states from the means: `logp_t = h · W_t − lse(h Wᵀ)` gives
    /// `dh = Σ_t coefficient_t · (W_t − mean)`.
    private static func backward(
        _ means: Tensor, weight: Tensor, _ rows: Rows, coefficients: [Float],
        into dhidden: inout Tensor
    ) {
        let own = Embedding.forward(rows.tokens, table: weight)
        let d = means.columns
        let (mean, words, target) = (means.pointer, own.pointer, dhidden.mutablePointer())
        for row in 0..<rows.count {
            let (tokens, dh) = (rows.range(row), target + row * d)
            let total = tokens.reduce(Float(0)) { $0 + coefficients[$1] }
            for i in 0..<d { dh[i] = -total * mean[row * d + i] }
            for token in tokens { accumulate(dh, coefficients[token], words + token * d, d) }
        }
        withExtendedLifetime(own) {}
    }

    /// Computes the log-probs again, and from `coefficients` (∂loss/∂log-prob, one a token) the
    /// gradients of the hidden states (M, D), which are written, and of the head, which are
    /// added, unless it is nil because the head is frozen.
    /// Returns the divergences of the rows if a reference is given. Consumes what a forward pass of
    /// the same rows has kept.
    ///
    /// `logp_t = z_t − lse(z)` gives `dz = Σ_t coefficient_t · (onehot_t − softmax(z))`; and
    /// `KL = Σ p (log p − log q)` gives `dz = p · (log p − log q − KL)`.
    public static func backward(
        _ hidden: Tensor, weight: Tensor, _ rows: Rows, coefficients: [Float],
        reference: Reference? = nil, kept: Kept? = nil, into dhidden: inout Tensor,
        _ dweight: inout Tensor?, _ arithmetic: Arithmetic = .float32,
        watch: Watch = { _ in .more }
    ) throws(Canceled) -> (logProbs: [Float], divergences: [Float]) {
        if let kept, let means = kept.means, reference == nil, dweight == nil {
            kept.means = nil
            backward(means, weight: weight, rows, coefficients: coefficients, into: &dhidden)
            return (kept.logProbs, [])
        }
        var logProbs = [Float](repeating: 0, count: rows.tokens.count)
        var divergences = [Float](repeating: 0, count: reference == nil ? 0 : rows.count)
        kept?.logits.reverse()
        try forEachChunk(rows.count, weight, watch) { chunk in
            var logits =
                kept?.logits.popLast() ?? logitsOf(hidden, chunk, weight: weight, arithmetic)
            var other = reference.map { logitsOf($0.hidden, chunk, weight: $0.weight, arithmetic) }
            let (columns, base) = (logits.columns, logits.mutablePointer())
            let otherBase = other?.mutablePointer()
            logProbs.withUnsafeMutableBufferPointer { logProbs in
                divergences.withUnsafeMutableBufferPointer { divergences in
                    let (out, kl) = (Shared(logProbs.baseAddress), Shared(divergences.baseAddress))
                    Workers.split(chunk.count) { part in
                        for row in part {
                            let index = chunk.lowerBound + row
                            let divergence = differentiate(
                                base + row * columns, otherBase.map { $0 + row * columns }, columns,
                                rows, index, coefficients, reference?.coefficient ?? 0, out)
                            if otherBase != nil { kl.pointer?[index] = divergence }
                        }
                    }
                }
            }
            withExtendedLifetime(other) {}
            let part = slice(hidden, chunk)
            if var sum = dweight.take() {
                arithmetic.addWeightGradient(logits, part, into: &sum)
                dweight = sum
            }
            var dpart = Tensor(uninitialized: part.shape)
            arithmetic.inputGradient(logits, weight, into: &dpart)
            copy(dpart, into: &dhidden, row: chunk.lowerBound)
        }
        return (logProbs, divergences)
    }

    /// The same for a head that trains.
    public static func backward(
        _ hidden: Tensor, weight: Tensor, _ rows: Rows, coefficients: [Float],
        reference: Reference? = nil, kept: Kept? = nil, into dhidden: inout Tensor,
        _ dweight: inout Tensor
    ) throws(Canceled) -> (logProbs: [Float], divergences: [Float]) {
        var sum: Tensor? = dweight
        dweight = Tensor(zeros: [0])
        let result = try backward(
            hidden, weight: weight, rows, coefficients: coefficients, reference: reference,
            kept: kept, into: &dhidden, &sum)
        if let sum { dweight = sum }
        return result
    }

    /// KL(p ‖ q) of each row, in nats, without gradients.
    public static func divergences(
        _ hidden: Tensor, weight: Tensor, reference: Reference,
        _ arithmetic: Arithmetic = .float32, watch: Watch = { _ in .more }
    ) throws(Canceled) -> [Float] {
        var result = [Float](repeating: 0, count: hidden.rows)
        try forEachChunk(hidden.rows, weight, watch) { chunk in
            var (p, q) = (
                logitsOf(hidden, chunk, weight: weight, arithmetic),
                logitsOf(reference.hidden, chunk, weight: reference.weight, arithmetic)
            )
            let (columns, first, second) = (p.columns, p.mutablePointer(), q.mutablePointer())
            for row in 0..<chunk.count {
                result[chunk.lowerBound + row] = divergence(
                    first + row * columns, second + row * columns, columns)
            }
            withExtendedLifetime((p, q)) {}
        }
        return result
    }

    // MARK: - One row

    /// Writes the log-probs of the row's tokens and turns the logits into probabilities.
    @inline(__always)
    private static func score(
        _ logits: UnsafeMutablePointer<Float>, _ count: Int, _ rows: Rows, _ row: Int,
        _ out: Shared
    ) -> Float {
        let tokens = rows.range(row)
        for i in tokens { out.pointer?[i] = logits[Int(rows.tokens[i])] }
        let (largest, sum) = exponentialsInPlace(logits, count)
        let logSum = largest + log(sum)
        for i in tokens { out.pointer?[i] -= logSum }
        scale(logits, by: 1 / sum, count)
        return logSum
    }

    /// Replaces the row's logits by their gradient. Returns the divergence from `other` if there is
    /// one.
    private static func differentiate(
        _ logits: UnsafeMutablePointer<Float>, _ other: UnsafeMutablePointer<Float>?, _ count: Int,
        _ rows: Rows, _ row: Int, _ coefficients: [Float], _ penalty: Float, _ out: Shared
    ) -> Float {
        let tokens = rows.range(row)
        let total = tokens.reduce(Float(0)) { $0 + coefficients[$1] }
        var divergence: Float = 0
        var pull: Float = -total
        if let other {
            // `other` becomes log p − log q, lane by lane, before the logits become probabilities.
            for i in 0..<count { other[i] = logits[i] - other[i] }
            let (shift, sum) = logSumOfOther(logits, other, count)
            let logSum = score(logits, count, rows, row, out)
            // other = z − z'; log p − log q = (z − lse z) − (z' − lse z')
            let offset = shift + log(sum) - logSum
            for i in 0..<count { other[i] += offset }
            divergence = dot(UnsafePointer(logits), UnsafePointer(other), count)
            pull -= penalty * divergence
            for i in 0..<count { logits[i] *= pull + penalty * other[i] }
        } else {
            _ = score(logits, count, rows, row, out)
            scale(logits, by: pull, count)
        }
        for i in tokens { logits[Int(rows.tokens[i])] += coefficients[i] }
        return divergence
    }

    /// Maximum and sum of exponentials of z' = z − difference.
    private static func logSumOfOther(
        _ z: UnsafePointer<Float>, _ difference: UnsafePointer<Float>, _ count: Int
    ) -> (Float, Float) {
        var largest = -Float.infinity
        var i = 0
        while i &+ 16 <= count {
            largest = max(largest, largestLane(z.vector(i) - difference.vector(i)))
            i &+= 16
        }
        while i < count {
            largest = max(largest, z[i] - difference[i])
            i &+= 1
        }
        var lanes = Vector.zero
        i = 0
        while i &+ 16 <= count {
            lanes += exponential(z.vector(i) - difference.vector(i) - largest)
            i &+= 16
        }
        var sum = lanes.sum()
        while i < count {
            sum += exponential(z[i] - difference[i] - largest)
            i &+= 1
        }
        return (largest, sum)
    }

    private static func divergence(
        _ p: UnsafeMutablePointer<Float>, _ q: UnsafeMutablePointer<Float>, _ count: Int
    ) -> Float {
        for i in 0..<count { q[i] = p[i] - q[i] }
        let (shift, otherSum) = logSumOfOther(p, q, count)
        let (largest, sum) = exponentialsInPlace(p, count)
        let offset = shift + log(otherSum) - largest - log(sum)
        var total: Float = 0
        for i in 0..<count { total += p[i] * (q[i] + offset) }
        return total / sum
    }

    // MARK: - Chunks

    private static func logitsOf(
        _ hidden: Tensor, _ rows: Range<Int>, weight: Tensor, _ arithmetic: Arithmetic
    ) -> Tensor {
        var logits = Tensor(uninitialized: [rows.count, weight.rows])
        arithmetic.product(slice(hidden, rows), weight, into: &logits)
        return logits
    }

    private static func slice(_ x: Tensor, _ rows: Range<Int>) -> Tensor {
        if rows.count == x.rows { return x }
        return x.gatheringRows(Array(rows))
    }

    private static func copy(_ part: Tensor, into out: inout Tensor, row: Int) {
        (out.mutablePointer() + row * out.columns).update(from: part.pointer, count: part.count)
    }

    /// Chunks whose logits take up to 128 megabytes: for each of them the head is read and packed,
    /// which is larger than a cache.
    package static func chunkRows(vocabulary: Int) -> Int {
        min(512, max(128, (1 << 25) / max(1, vocabulary)))
    }

    private static func forEachChunk(
        _ rows: Int, _ weight: Tensor, _ watch: Watch, _ body: (Range<Int>) -> Void
    ) throws(Canceled) {
        // Chunks of one length, so that they use the same memory one after the other.
        let most = chunkRows(vocabulary: weight.rows)
        let chunks = max(1, (rows + most - 1) / most)
        let size = (rows + chunks - 1) / chunks
        var first = 0
        while first < rows {
            try Canceled.check(watch, Double(first) / Double(rows))
            body(first..<min(first + size, rows))
            first += size
        }
    }
}

/// A pointer into an array that the workers fill; each worker writes its own elements.
private struct Shared: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>?
    init(_ pointer: UnsafeMutablePointer<Float>?) { self.pointer = pointer }
}
