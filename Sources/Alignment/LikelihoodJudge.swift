import LongWork
import TextModels
import Transformers

/// A frozen model decides: the response with the larger `log p(y | c) − log p(y | c̄)` wins, where
/// c̄ is the constitution with every principle replaced by its opposite.
///
/// Fluency and length of a response change its probability under both constitutions alike and
/// cancel. The difference says how much the response speaks for one constitution rather than the
/// other. The two responses are scored separately, so there is no order of presentation.
public struct LikelihoodJudge: Judge {
    public let text: TextModel
    private let queries: QueryList
    /// Sum of token log-probs, or their mean.
    public var normalize = ScoreSettings.Normalization.sum
    public var name: String { "likelihood" }

    /// Differences below this many nats are ties.
    static let tolerance = 1e-6

    /// - Parameter queries: the queries of the pairs.
    /// - Throws: `AlignmentError.noQueries`, `.duplicateQuery`.
    public init(_ text: TextModel, queries: [Query]) throws {
        self.text = text
        self.queries = try QueryList(queries)
    }

    public func judge(
        _ pairs: [ResponsePair], progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> Verdicts {
        guard !pairs.isEmpty else { throw AlignmentError.noQueries }
        var batches: [ContrastBatch] = []
        var places: [Int] = []
        var comparisons = pairs.map { Comparison(pair: $0, judgement: nil) }
        for (place, pair) in pairs.enumerated() {
            switch try batch(pair) {
            case .success(let batch):
                batches.append(batch)
                places.append(place)
            case .failure(let reason): comparisons[place].exclusion = reason.reason
            }
        }
        guard !batches.isEmpty else { return Verdicts(judge: name, comparisons: comparisons) }

        var done = 0
        var isStopped = false
        // In portions, so that a stop keeps the comparisons that are already judged.
        while done < batches.count, !isStopped {
            let portion = done..<min(batches.count, done + 64 * text.model.processes)
            func report(_ done: Int, _ underway: Double = 0) -> WorkProgress {
                WorkProgress(
                    .judge, done: done, of: batches.count, underway: underway, unit: .comparisons)
            }
            let scores: [QueryScores]
            do {
                scores = try Scorer(ScoreSettings(normalize: normalize)).score(
                    Array(batches[portion]), model: text.model
                ) { progress(report(portion.lowerBound + $0.done, $0.underway)) }
            } catch AlignmentError.stopped {
                isStopped = true
                break
            }
            for (place, score) in zip(places[portion], scores) {
                let margins = (0..<2).map { score.scores[0, $0] - score.scores[1, $0] }
                comparisons[place].scores = margins
                comparisons[place].judgement = Judgement(
                    margins[0], margins[1], tolerance: LikelihoodJudge.tolerance)
            }
            done = portion.upperBound
            isStopped = progress(report(done)) == .stop && done < batches.count
        }
        if isStopped {
            comparisons.removeAll { $0.judgement == nil && $0.exclusion == nil }
        }
        return Verdicts(judge: name, comparisons: comparisons, isStopped: isStopped)
    }

    private struct Unjudged: Error { var reason: ExclusionReason }

    /// Two prompts, c and c̄, by two responses.
    private func batch(_ pair: ResponsePair) throws -> Result<ContrastBatch, Unjudged> {
        guard let opposed = pair.constitution.antithesis else {
            return .failure(Unjudged(reason: .noAntithesis))
        }
        let query = try queries.query(of: pair)
        let responses = [pair.first, pair.second].map(\.trimmed)
        guard !responses.contains("") else { return .failure(Unjudged(reason: .empty)) }
        let group = RolloutGroup(
            id: pair.id,
            prompts: try [pair.constitution, opposed].map {
                try text.prompts.trainingPrompt(query, $0, chat: text.chat)
            },
            responses: responses.enumerated().map {
                Response(content: .text($0.element), constitution: $0.offset, sample: 0)
            })
        do {
            return .success(
                try ContrastBatch(
                    group, tokenizer: text.tokenizer, configuration: text.model.configuration))
        } catch AlignmentError.tooLong {
            return .failure(Unjudged(reason: .overflow))
        } catch AlignmentError.emptyResponse {
            return .failure(Unjudged(reason: .empty))
        }
    }
}
