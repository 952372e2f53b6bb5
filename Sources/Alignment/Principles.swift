import TextModels

/// A sentence that asks for a behavior, and the sentence that asks for its opposite.
public struct PrinciplePair: Sendable, Codable, Hashable {
    public var principle: String
    public var antithesis: String
    /// The queries that it fits ("The summary should …" does not fit a question); `nil` fits all.
    public var form: QueryForm?
    /// A program that decides whether a response follows the principle, in a language of the
    /// caller's. It decides about the antithesis too, which asks for the opposite.
    public var check: String?
    /// A program for the antithesis alone, if the opposite is not simply the denial.
    public var antithesisCheck: String?

    public init(
        principle: String, antithesis: String, form: QueryForm? = nil, check: String? = nil,
        antithesisCheck: String? = nil
    ) {
        self.principle = principle
        self.antithesis = antithesis
        self.form = form
        self.check = check
        self.antithesisCheck = antithesisCheck
    }

    public func fits(_ form: QueryForm) -> Bool { self.form == nil || self.form == form }

    /// Whether principle and antithesis are the same sentence, so that no two constitutions can
    /// differ in it.
    public var isSelfOpposed: Bool {
        PrinciplePair.key(principle) == PrinciplePair.key(antithesis)
    }

    /// Pairs from two lists of equal length, as in a constitutions file.
    ///
    /// - Throws: `AlignmentError.constitutionLengths`, `.principleOpposesItself`, `.noPrinciples`.
    public static func pairs(
        principles: [String], antitheses: [String], form: QueryForm? = nil
    ) throws -> [PrinciplePair] {
        guard principles.count == antitheses.count else {
            throw AlignmentError.constitutionLengths(
                positive: principles.count, negative: antitheses.count)
        }
        guard !principles.isEmpty else { throw AlignmentError.noPrinciples(form: form) }
        return try zip(principles, antitheses).map { principle, antithesis in
            let pair = PrinciplePair(
                principle: principle.trimmed, antithesis: antithesis.trimmed, form: form)
            guard !pair.isSelfOpposed else {
                throw AlignmentError.principleOpposesItself(pair.principle)
            }
            return pair
        }
    }

    /// A key that different wordings of a sentence share: lower case, letters and digits only. Two
    /// pairs are duplicates if a sentence of one has the same key as a sentence of the other.
    static func key(_ sentence: String) -> String {
        var words: [String] = []
        var word = ""
        for character in sentence.lowercased() {
            if character.isLetter || character.isNumber {
                word.append(character)
            } else if !word.isEmpty {
                words.append(word)
                word = ""
            }
        }
        if !word.isEmpty { words.append(word) }
        return words.joined(separator: " ")
    }
}
