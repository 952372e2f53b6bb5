import LongWork
import Tensors
import TextModels

/// A language model reads both responses and says which one follows the constitution better.
///
/// It is asked twice, with the responses in both orders. If the orders name different winners, or
/// one of them a tie, the comparison is a tie. A text that names no winner excludes its pair. Equal
/// responses tie without a question.
///
/// Models prefer a place. So the judge also reads some responses beside themselves, and the places
/// that it names there are reported.
public struct ModelJudge: Judge {
    public let name: String
    public let voice: Voice
    private let queries: QueryList
    public var template: PromptTemplate
    public var sampling = Sampling(temperature: 0, maxTokens: 64)
    /// Most responses that are read beside themselves.
    public var controls = 10
    private let key: RandomKey
    /// Pairs that are asked about together, so that a stop keeps the others.
    private static let portion = 32

    /// - Parameters:
    ///   - template: nil for the shipped one of the form that the voice's prompts have.
    ///   - queries: the queries of the pairs.
    ///   - key: decides the judge's random numbers, if it draws any.
    /// - Throws: `AlignmentError.noQueries`, `.duplicateQuery`.
    public init(
        _ voice: Voice, template: PromptTemplate? = nil, queries: [Query], key: RandomKey
    ) throws {
        self.voice = voice
        name = voice.name
        self.template = template ?? (voice.prompts.isChat ? .comparisonChat : .comparison)
        self.queries = try QueryList(queries)
        self.key = key
    }

    public func judge(
        _ pairs: [ResponsePair], progress: (WorkProgress) -> Continuation
    ) throws -> Verdicts {
        guard !pairs.isEmpty else { throw AlignmentError.noQueries }
        var comparisons: [Comparison] = []
        var control = PositionControl()
        let controls = (0..<min(max(0, controls), pairs.count)).map { pairs[$0] }
        let total = pairs.count + controls.count
        func report(_ step: WorkProgress, done: Int, of portion: Int) -> Continuation {
            progress(
                WorkProgress(
                    .judge, done: done, of: total,
                    underway: step.fraction * Double(portion), unit: .comparisons,
                    tokens: step.tokens))
        }
        do {
            while comparisons.count < pairs.count {
                let done = comparisons.count
                let portion = pairs[done..<min(done + Self.portion, pairs.count)]
                comparisons += try judge(portion) { report($0, done: done, of: portion.count) }
            }
            let prompts = try controls.map { try prompt($0, $0.first, $0.first) }
            for verdict in try verdicts(
                prompts,
                progress: {
                    report($0, done: pairs.count, of: controls.count)
                })
            {
                switch verdict {
                case .win: control.first += 1
                case .loss: control.second += 1
                case .tie: control.ties += 1
                case .unparsed, nil: control.unparsed += 1
                }
            }
        } catch is Canceled {
            return Verdicts(
                judge: name, comparisons: comparisons,
                isStopped: comparisons.count < pairs.count)
        }
        return Verdicts(
            judge: name, comparisons: comparisons, control: control.count > 0 ? control : nil)
    }

    private func judge(
        _ pairs: ArraySlice<ResponsePair>, progress: (WorkProgress) -> Continuation
    ) throws -> [Comparison] {
        let asked = pairs.filter { !$0.first.trimmed.utf8.elementsEqual($0.second.trimmed.utf8) }
        let prompts = try asked.flatMap {
            [try prompt($0, $0.first, $0.second), try prompt($0, $0.second, $0.first)]
        }
        var verdicts = try verdicts(prompts, progress: progress)[...]
        return pairs.map { pair in
            guard !pair.first.trimmed.utf8.elementsEqual(pair.second.trimmed.utf8) else {
                return Comparison(pair: pair, judgement: .tie, orders: [.tie])
            }
            let own = Array(verdicts.prefix(2))
            verdicts = verdicts.dropFirst(2)
            guard own.count == 2, let straight = own[0], let crossed = own[1] else {
                return Comparison(pair: pair, judgement: nil, exclusion: .overflow)
            }
            // With the second response shown first, its win is the first one's loss.
            let orders = [straight, crossed.reversed]
            let isUnparsed = orders.contains(.unparsed)
            return Comparison(
                pair: pair,
                judgement: isUnparsed
                    ? nil : orders[0] == orders[1] ? orders[0].judgement : .tie,
                exclusion: isUnparsed ? .unparsed : nil, orders: orders)
        }
    }

    private func prompt(
        _ pair: ResponsePair, _ first: String, _ second: String
    ) throws -> PromptContent {
        let query = try queries.query(of: pair)
        return template.rendered([
            "constitution": pair.constitution.text, "query": query.text.trimmed,
            "first": first.trimmed, "second": second.trimmed,
        ])
    }

    /// What the judge says of each prompt, for the response shown first; nil if the prompt does not
    /// fit its context.
    private func verdicts(
        _ prompts: [PromptContent], progress: (WorkProgress) -> Continuation
    ) throws -> [OrderVerdict?] {
        let stops = template.isChat ? [] : ["\n\n"]
        return try voice.engine.write(
            prompts.map { TextRequest($0, key: key) }, sampling, stops: stops, progress: progress
        ).enumerated().map { place, written in
            written.ending == .overflow
                ? nil : VerdictParser.verdict(in: prompts[place].beginning + written.text)
        }
    }
}

extension OrderVerdict {
    /// The same verdict for the other response.
    fileprivate var reversed: OrderVerdict {
        switch self {
        case .win: .loss
        case .loss: .win
        case .tie, .unparsed: self
        }
    }
}

/// Reads a judge's text: a line `Better: A`, `Better: B` or `Better: tie`, or the name alone. Two
/// lines that differ name no winner.
enum VerdictParser {
    static func verdict(in text: String) -> OrderVerdict {
        let lines = text.split(whereSeparator: \.isNewline).map { bare($0) }
        let named = lines.compactMap { line -> OrderVerdict? in
            guard line.hasPrefix("better:") else { return nil }
            return winner(bare(line.dropFirst("better:".count))) ?? .unparsed
        }
        let all = named.isEmpty ? [winner(bare(text[...])) ?? .unparsed] : named
        return Set(all).count == 1 ? all[0] : .unparsed
    }

    /// Without the marks around a word, in small letters: `**Better: A.**` says "better: a".
    private static func bare(_ text: Substring) -> Substring {
        let marks: Set<Character> = ["*", "_", "`", "\"", "'", ".", "#", "(", ")", "[", "]"]
        func isMark(_ character: Character) -> Bool {
            marks.contains(character) || character.isWhitespace
        }
        let start = text.drop(while: isMark)
        let end = start.lastIndex { !isMark($0) }
        return end.map { start[...$0].lowercased()[...] } ?? ""
    }

    private static func winner(_ words: Substring) -> OrderVerdict? {
        switch words {
        case "a", "response a": .win
        case "b", "response b": .loss
        case "tie", "neither", "both": .tie
        default: nil
        }
    }
}
