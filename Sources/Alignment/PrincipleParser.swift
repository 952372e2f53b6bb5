/// Reads principle/antithesis pairs from a writer's text.
///
/// A pair is a line `Principle: …` and, before the next such line, a line `Antithesis: …`. Numbers,
/// bullets, emphasis and quotes around them are ignored. All other text is skipped.
public struct PrincipleParser: Sendable {
    /// The reason why a candidate pair is rejected.
    public enum Rejection: String, Sendable, Codable, CaseIterable {
        /// The text has no line that starts a pair.
        case noPairs
        /// A principle without its antithesis, or an antithesis without its principle.
        case unpaired
        /// The text was cut off inside the sentence.
        case unfinished
        /// A sentence of fewer than two words, of too many words, or with marks of a prompt.
        case malformed
        /// Principle and antithesis are the same sentence.
        case opposesItself
        /// A heading or a part of a sentence.
        case title
        /// A sentence that asks for nothing: no imperative, and no "should" or "must".
        case noInstruction
        /// The antithesis has no word in common with its principle, and neither has a negation.
        case unrelated
        /// An example of the request.
        case example
        /// One of its sentences is in a pair accepted before.
        case duplicate
    }

    /// The longest accepted sentence, in words.
    public var longest = 40

    public init() {}

    /// The pairs in the order of the text, and the rejected candidates with reason and text.
    ///
    /// - Parameters:
    ///   - isFinished: false if the limit of tokens ended the text; the last line is then not used.
    ///   - meaning: the topic of a sentence, if the caller can tell.
    public func pairs(
        in text: String, isFinished: Bool = true, meaning: (String) -> String? = { _ in nil }
    ) -> (pairs: [PrinciplePair], rejected: [(reason: Rejection, text: String)]) {
        var pairs: [PrinciplePair] = []
        var rejected: [(reason: Rejection, text: String)] = []
        var waiting: String?
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        var cut: Substring?
        if !isFinished, let last = lines.popLast(), sentence(of: last) != nil { cut = last }

        for line in lines {
            switch sentence(of: line) {
            case .principle(let text):
                if let unpaired = waiting { rejected.append((.unpaired, unpaired)) }
                waiting = text
            case .antithesis(let text):
                guard let principle = waiting else {
                    rejected.append((.unpaired, text))
                    continue
                }
                waiting = nil
                let pair = PrinciplePair(principle: principle, antithesis: text)
                if !isWellFormed(principle) || !isWellFormed(text) {
                    rejected.append((.malformed, "\(principle) / \(text)"))
                } else if pair.isSelfOpposed {
                    rejected.append((.opposesItself, principle))
                } else if let reason = fault(of: pair, meaning) {
                    rejected.append((reason, "\(principle) / \(text)"))
                } else {
                    pairs.append(pair)
                }
            case nil: continue
            }
        }
        if let cut {
            rejected.append(
                (.unfinished, [waiting, cut.trimmed].compactMap(\.self).joined(separator: " / ")))
        } else if let waiting {
            rejected.append((isFinished ? .unpaired : .unfinished, waiting))
        }
        if pairs.isEmpty, rejected.isEmpty { rejected.append((.noPairs, String(text.prefix(80)))) }
        return (pairs, rejected)
    }

    /// The reason why a well-formed pair asks for no behavior, or for no opposite.
    private func fault(
        of pair: PrinciplePair, _ meaning: (String) -> String?
    ) -> Rejection? {
        let sentences = [pair.principle, pair.antithesis]
        if sentences.contains(where: PrincipleSentence.isTitleOrFragment) { return .title }
        if !sentences.allSatisfy(PrincipleSentence.isInstruction) { return .noInstruction }
        if let topic = meaning(pair.principle), topic == meaning(pair.antithesis) { return nil }
        return PrincipleSentence.areRelated(pair.principle, pair.antithesis) ? nil : .unrelated
    }

    private enum Sentence {
        case principle(String)
        case antithesis(String)
    }

    private static let principleWords: Set = ["principle"]
    private static let antithesisWords: Set = ["antithesis", "antiprinciple", "opposite"]

    private func sentence(of line: Substring) -> Sentence? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        // "**2. Anti-Principle 2**" → "antiprinciple"
        let label = String(line[..<colon].lowercased().filter(\.isLetter))
        var text = line[line.index(after: colon)...].trimmed
        for mark in ["**", "*", "_"] where text.hasPrefix(mark) {
            text = text.dropFirst(mark.count).trimmed
        }
        if let first = text.first, let last = text.last, text.count > 1,
            [["\"", "\""], ["“", "”"], ["'", "'"]].contains([first, last])
        {
            text = text.dropFirst().dropLast().trimmed
        }
        if PrincipleParser.principleWords.contains(label) { return .principle(text) }
        if PrincipleParser.antithesisWords.contains(label) { return .antithesis(text) }
        return nil
    }

    private func isWellFormed(_ sentence: String) -> Bool {
        let words = sentence.split(whereSeparator: \.isWhitespace)
        guard (2...longest).contains(words.count), sentence.contains(where: \.isLetter) else {
            return false
        }
        return !sentence.contains { "{}<>|\u{FFFD}".contains($0) } && !sentence.contains(":")
    }
}
