import LongWork
import Tensors
import TextModels
import Transformers

/// The result of asking a writer.
public struct Proposal: Sendable, Codable, Hashable {
    public struct Rejected: Sendable, Codable, Hashable {
        public var reason: PrincipleParser.Rejection
        public var text: String
    }

    public var pairs: [PrinciplePair]
    public var rejected: [Rejected]
    /// Number of sampled texts.
    public var samples: Int
    /// Whether the caller stopped the work before its end.
    public var isStopped = false

    /// Number of occurrences of each reason, in a fixed order, without reasons that did not occur.
    public var counts: [(reason: PrincipleParser.Rejection, count: Int)] {
        PrincipleParser.Rejection.allCases.compactMap { reason in
            let count = rejected.count { $0.reason == reason }
            return count == 0 ? nil : (reason, count)
        }
    }
}

/// Asks a writer for principle/antithesis pairs until there are enough.
public struct Proposer: Sendable, Codable, Hashable {
    /// Number of wanted pairs.
    public var count = 6
    /// Number of texts in one request.
    public var batch = 4
    /// Largest number of texts before giving up.
    public var limit = 48
    public var sampling = Sampling(topP: 0.95, maxTokens: 128)

    public init(count: Int = 6, batch: Int = 4, limit: Int = 48) {
        self.count = count
        self.batch = batch
        self.limit = limit
    }

    /// Pairs about `about` ("summaries"), different from each other and from those in `known`.
    /// Fewer than `count` if the writer does not give enough within `limit` texts.
    ///
    /// - Parameter meaning: the topic of a sentence, if the caller can tell. Two pairs with the
    ///   same topic are duplicates, even in different words. Together in one constitution they
    ///   would contradict each other half of the time.
    /// - Throws: errors of the writer; `AlignmentError.proposeCount` for a count below one,
    ///   `.writerOverflow` if the request does not fit the writer's context.
    public func propose(
        about: String, prompts: Prompts, writer: any TextEngine, known: [PrinciplePair] = [],
        meaning: (String) -> String? = { _ in nil }, key: RandomKey,
        progress: (WorkProgress) -> Continuation = { _ in .more }
    ) throws -> Proposal {
        guard count >= 1, batch >= 1 else { throw AlignmentError.proposeCount(count) }
        let (prompt, beginning) = prompts.writerPrompt(about: about, count: count)
        let form = prompts.form(about: about)
        // The answer to messages ends by itself.
        let stops = if case .messages = prompt { [String]() } else { ["\n\n"] }
        let parser = PrincipleParser()
        let examples = Set(
            prompt.answers.flatMap { parser.pairs(in: $0).pairs }.flatMap {
                [PrinciplePair.key($0.principle), PrinciplePair.key($0.antithesis)]
            })
        func keys(_ pair: PrinciplePair) -> [String] {
            [pair.principle, pair.antithesis].flatMap { sentence in
                [PrinciplePair.key(sentence)] + (meaning(sentence).map { ["about: \($0)"] } ?? [])
            }
        }
        var seen = Set(known.flatMap { keys($0) })
        var proposal = Proposal(pairs: [], rejected: [], samples: 0)
        while proposal.pairs.count < count, proposal.samples < limit {
            let found = proposal.pairs.count
            let texts: [WrittenText]
            do {
                let requests = (0..<min(batch, limit - proposal.samples)).map {
                    TextRequest(prompt, key: key.child(UInt64(proposal.samples)).child(UInt64($0)))
                }
                texts = try writer.write(requests, sampling, stops: stops) { step in
                    // A request gives some number of pairs; half of the missing ones is a guess.
                    progress(
                        WorkProgress(
                            .propose, done: found, of: count,
                            underway: step.fraction * Double(count - found) / 2, unit: .pairs))
                }
            } catch is Canceled {
                proposal.isStopped = true
                break
            }
            guard !texts.isEmpty else { break }
            guard texts.contains(where: { $0.ending != .overflow }) else {
                throw AlignmentError.writerOverflow
            }
            proposal.samples += texts.count
            for text in texts {
                let found = parser.pairs(
                    in: beginning + text.text, isFinished: text.isFinished, meaning: meaning)
                proposal.rejected += found.rejected.map { .init(reason: $0.reason, text: $0.text) }
                for var pair in found.pairs where proposal.pairs.count < count {
                    let named = keys(pair)
                    guard examples.isDisjoint(with: named) else {
                        proposal.rejected.append(.init(reason: .example, text: pair.principle))
                        continue
                    }
                    guard seen.isDisjoint(with: named) else {
                        proposal.rejected.append(
                            .init(reason: .duplicate, text: pair.principle))
                        continue
                    }
                    seen.formUnion(named)
                    pair.form = form
                    proposal.pairs.append(pair)
                }
            }
            let step = WorkProgress(
                .propose, done: proposal.pairs.count, of: count, unit: .pairs)
            if progress(step) == .stop {
                proposal.isStopped = true
                break
            }
        }
        return proposal
    }
}
