import TextModels

/// The sentence of a pair that a constitution holds: principle or antithesis.
public enum Polarity: String, Sendable, Codable {
    case principle, antithesis

    public var opposite: Polarity { self == .principle ? .antithesis : .principle }
}

/// One numbered line of a constitution.
public struct Slot: Sendable, Codable, Hashable {
    public var text: String
    public var polarity: Polarity
    /// The sentence that asks for the opposite, if it is known.
    public var opposite: String?

    public init(text: String, polarity: Polarity, opposite: String? = nil) {
        self.text = text
        self.polarity = polarity
        self.opposite = opposite
    }

    init(_ pair: PrinciplePair, _ polarity: Polarity) {
        let isPrinciple = polarity == .principle
        self.init(
            text: isPrinciple ? pair.principle : pair.antithesis, polarity: polarity,
            opposite: isPrinciple ? pair.antithesis : pair.principle)
    }

    var flipped: Slot? {
        opposite.map { Slot(text: $0, polarity: polarity.opposite, opposite: text) }
    }
}

/// An ordered, numbered list of principles, each slot holding the principle or its antithesis.
public struct Constitution: Sendable, Codable, Hashable {
    public var slots: [Slot]

    public init(slots: [Slot]) { self.slots = slots }

    /// The lines as a prompt shows them: `1. …`, `2. …`, one a line, no line feed at the end.
    public var text: String {
        slots.enumerated().map { "\($0.offset + 1). \($0.element.text)" }.joined(separator: "\n")
    }

    /// c̄: the constitution in which every slot with a known opposite holds the opposite. `nil` if
    /// no slot has one.
    public var antithesis: Constitution? {
        guard slots.contains(where: { $0.opposite != nil }) else { return nil }
        return Constitution(slots: slots.map { $0.flipped ?? $0 })
    }

    /// The same slots in another order.
    func reordered(_ order: [Int]) -> Constitution { Constitution(slots: order.map { slots[$0] }) }

    /// The sentences of a numbered list. A line without a number continues the line before.
    ///
    /// - Throws: `AlignmentError.constitutionText` if no line is numbered or a sentence is empty.
    public static func sentences(of text: String) throws -> [String] {
        var sentences: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let trimmed = line.trimmed
            if let rest = afterNumber(trimmed) {
                sentences.append(rest)
            } else if !trimmed.isEmpty {
                guard let last = sentences.indices.last else {
                    throw AlignmentError.constitutionText(found: String(trimmed.prefix(60)))
                }
                sentences[last] += sentences[last].isEmpty ? trimmed : " " + trimmed
            }
        }
        guard !sentences.isEmpty, !sentences.contains("") else {
            throw AlignmentError.constitutionText(found: String(text.prefix(60)))
        }
        return sentences
    }

    /// The text after `12.` or `12)` at the start of a line.
    static func afterNumber(_ line: String) -> String? {
        let digits = line.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, digits.count <= 3 else { return nil }
        let rest = line[digits.endIndex...]
        guard let mark = rest.first, mark == "." || mark == ")" else { return nil }
        let text = rest.dropFirst()
        // "1.5 kg" is a sentence, not a list item.
        guard text.isEmpty || text.first?.isWhitespace == true else { return nil }
        return text.trimmed
    }
}

extension Constitution {
    /// The two constitutions of a line of a constitutions file. If the sentences at a place are
    /// equal, the slot has no opposite; if they differ, each is the opposite of the other.
    ///
    /// - Throws: `AlignmentError.constitutionText`, `.constitutionLengths` if the two lists have
    ///   unequal lengths, `.constitutionsEqual` if no sentence differs.
    public static func pair(positive: String, negative: String) throws -> [Constitution] {
        let wanted = try sentences(of: positive)
        let opposed = try sentences(of: negative)
        guard wanted.count == opposed.count else {
            throw AlignmentError.constitutionLengths(
                positive: wanted.count, negative: opposed.count)
        }
        guard wanted != opposed else { throw AlignmentError.constitutionsEqual }
        let columns = zip(wanted, opposed).map { principle, other -> (Slot, Slot) in
            guard principle != other else {
                let slot = Slot(text: principle, polarity: .principle)
                return (slot, slot)
            }
            let pair = PrinciplePair(principle: principle, antithesis: other)
            return (Slot(pair, .principle), Slot(pair, .antithesis))
        }
        return [
            Constitution(slots: columns.map(\.0)), Constitution(slots: columns.map(\.1)),
        ]
    }
}
