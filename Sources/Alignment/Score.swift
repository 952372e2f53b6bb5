import LongWork
import Tokenizers
import Transformers

/// The settings of a score.
public struct ScoreSettings: Sendable, Codable, Hashable {
    public enum Normalization: String, Sendable, Codable, CaseIterable {
        /// Nats a token.
        case mean
        /// Nats a response.
        case sum
    }

    public var normalize = Normalization.mean
    /// Whether the end-of-sequence token after a response counts as one of its tokens.
    public var scoresEnd = false

    public init(normalize: Normalization = .mean, scoresEnd: Bool = false) {
        self.normalize = normalize
        self.scoresEnd = scoresEnd
    }
}

/// S of one query, and the data it was computed from.
public struct QueryScores: Sendable, Codable, Hashable {
    public var id: QueryID
    /// Nats per token or per response, depending on the settings.
    public var scores: ScoreMatrix
    /// Number of scored tokens of each sequence, ordered by constitution.
    public var lengths: [Int]
    /// The log-probs in nats of the scored tokens, and their ids: one list for each sequence,
    /// ordered by constitution. Empty unless requested.
    public var tokenLogProbs: [[Float]] = []
    public var tokens: [[Int32]] = []

    /// One log-prob for each token of response `j` under constitution `i`, if requested.
    public func tokenLogProbs(_ constitution: Int, _ response: Int) -> [Float]? {
        let index = constitution * scores.responses + response
        return tokenLogProbs.indices.contains(index) ? tokenLogProbs[index] : nil
    }

    /// How much constitution `i` rather than `j` raises each token of a response: `log p(y_k | c_i)
    /// − log p(y_k | c_j)`, in nats. `nil` if token log-probs were not requested, or if the two
    /// prompts split the response into different tokens.
    public func shifts(response: Int, from other: Int, to constitution: Int) -> [Float]? {
        let one = constitution * scores.responses + response
        let two = other * scores.responses + response
        guard tokens.indices.contains(one), tokens.indices.contains(two),
            tokens[one] == tokens[two], tokenLogProbs.count == tokens.count
        else { return nil }
        return zip(tokenLogProbs[one], tokenLogProbs[two]).map { $0 - $1 }
    }

    /// Scores from another source, such as numbers that a user typed.
    public init(id: QueryID, scores: ScoreMatrix, lengths: [Int] = []) {
        self.id = id
        self.scores = scores
        self.lengths = lengths
    }

    init(_ batch: ContrastBatch, _ logProbs: ArraySlice<Float>, _ settings: ScoreSettings) {
        id = batch.id
        lengths = batch.sequences.map(\.scored.count)
        var scores = ScoreMatrix(zeros: batch.constitutions, batch.responses)
        var next = logProbs.startIndex
        for (index, length) in lengths.enumerated() {
            let sum = logProbs[next..<next + length].reduce(0.0) { $0 + Double($1) }
            next += length
            scores.values[index] = settings.normalize == .mean ? sum / Double(length) : sum
        }
        self.scores = scores
    }

    mutating func keepTokens(_ batch: ContrastBatch, _ logProbs: ArraySlice<Float>) {
        var next = logProbs.startIndex
        for sequence in batch.sequences {
            tokenLogProbs.append(Array(logProbs[next..<next + sequence.scored.count]))
            tokens.append(Array(sequence.tokens[sequence.scored]))
            next += sequence.scored.count
        }
    }
}

/// Scores every response of a query under every constitution:
/// `S[i, j] = (1/|y_j|) Σ_k log π(y_j[k] | c_i, x, y_j[<k])`.
public struct Scorer: Sendable {
    public var settings: ScoreSettings
    /// Queries go through the model together, up to this many rows.
    public var packRows = 2048

    public init(_ settings: ScoreSettings = ScoreSettings()) { self.settings = settings }

    /// - Parameters:
    ///   - perToken: keeps the log-prob of every token.
    ///   - progress: asked before every block of the model and after every pack of queries.
    /// - Throws: `AlignmentError` that names the query that cannot be scored, `.stopped` if
    ///   `progress` answers `.stop`, `.scoreNotFinite`; `ModelError`.
    public func score(
        _ groups: [RolloutGroup], model: LanguageModel, tokenizer: Tokenizer?,
        perToken: Bool = false, progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> [QueryScores] {
        guard !groups.isEmpty else { throw AlignmentError.noRollouts }
        let batches = try groups.map {
            try ContrastBatch(
                $0, tokenizer: tokenizer, configuration: model.configuration,
                scoresEnd: settings.scoresEnd)
        }
        return try score(batches, model: model, perToken: perToken, progress: progress)
    }

    public func score(
        _ batches: [ContrastBatch], model: LanguageModel, perToken: Bool = false,
        progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> [QueryScores] {
        var results: [QueryScores] = []
        var tokens = 0
        func report(_ pack: ForestPack, _ share: Double) -> WorkProgress {
            WorkProgress(
                .score, done: results.count, of: batches.count, finished: share, of: pack,
                tokens: tokens)
        }
        let crew = model.activeCrew((any Crew).self)
        let packs =
            crew?.dividesLayers == true
            ? ForestPack.packs(batches, rows: packRows, overStages: crew?.count ?? 1)
            : ForestPack.packs(batches, rows: packRows, over: crew?.count ?? 1)
        // A crew computes all packs before the first result.
        var found = try crew.map { crew in
            try logProbs(of: packs, batches.count, model, crew, progress)[...]
        }
        for pack in packs {
            let logProbs: [Float]
            do {
                logProbs =
                    try found?.popFirst()
                    ?? model.logProbs(pack.forest, pack.targets) { progress(report(pack, $0)) }
            } catch is Canceled {
                throw AlignmentError.stopped(.score, done: results.count, of: batches.count)
            }
            tokens += pack.forest.tokens.count
            for part in pack.parts {
                var scores = QueryScores(part.batch, logProbs[part.targets], settings)
                try scores.checkFinite()
                if perToken { scores.keepTokens(part.batch, logProbs[part.targets]) }
                results.append(scores)
            }
            if progress(report(pack, 0)) == .stop, results.count < batches.count {
                throw AlignmentError.stopped(.score, done: results.count, of: batches.count)
            }
        }
        return results
    }

    private func logProbs(
        of packs: [ForestPack], _ count: Int, _ model: LanguageModel, _ crew: any Crew,
        _ progress: (WorkProgress) -> Continuation
    ) throws -> [[Float]] {
        do {
            return try crew.logProbs(
                of: packs.map { ScoredForest($0.forest, $0.targets) }, model
            ) { step in
                let share = (Double(step.finished) + step.underway) / Double(packs.count)
                return progress(
                    WorkProgress(
                        .score, done: 0, of: count, underway: share * Double(count),
                        unit: .queries, tokens: step.tokens))
            }
        } catch is Canceled {
            throw AlignmentError.stopped(.score, done: 0, of: count)
        }
    }
}

extension QueryScores {
    func checkFinite() throws {
        if let bad = scores.values.firstIndex(where: { !$0.isFinite }) {
            throw AlignmentError.scoreNotFinite(
                query: id.text, constitution: bad / scores.responses,
                response: bad % scores.responses)
        }
    }
}
