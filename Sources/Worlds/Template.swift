/// A placeholder in a sentence of the world.
public enum Slot: String, CaseIterable, Hashable, Sendable {
    case name, age, role, fact, second, feeling, ask, advice
}

/// A sentence with slots, such as `"They feel {feeling}."`. One definition both writes and reads
/// it.
struct Template: Sendable {
    enum Part: Sendable {
        case literal(Bytes)
        case slot(Slot)
    }

    let parts: [Part]

    /// Braces without the name of a slot remain literal text.
    init(_ pattern: String) {
        var parts: [Part] = []
        var literal = ""
        var rest = Substring(pattern)
        while let open = rest.firstIndex(of: "{") {
            literal += rest[..<open]
            let inside = rest[rest.index(after: open)...]
            if let close = inside.firstIndex(of: "}"),
                let slot = Slot(rawValue: String(inside[..<close]))
            {
                if !literal.isEmpty { parts.append(.literal(Bytes(literal))) }
                literal = ""
                parts.append(.slot(slot))
                rest = inside[inside.index(after: close)...]
            } else {
                literal += "{"
                rest = inside
            }
        }
        literal += rest
        if !literal.isEmpty { parts.append(.literal(Bytes(literal))) }
        self.parts = parts
    }

    /// The sentence with its slots filled; nil if a value is missing.
    func text(_ value: (Slot) -> String?) -> String? {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal.text
            case .slot(let slot):
                guard let filled = value(slot) else { return nil }
                text += filled
            }
        }
        return text
    }

    /// Reads the sentence at the scanner's place and moves the scanner past it. Returns nil and
    /// does not move if another text stands there.
    func read(_ scanner: inout Scanner, _ choices: [Slot: [Bytes]]) -> [Slot: String]? {
        let start = scanner.place
        var values: [Slot: String] = [:]
        for part in parts {
            switch part {
            case .literal(let literal):
                guard scanner.take(literal) else { return scanner.goBack(to: start) }
            case .slot(let slot):
                guard let value = scanner.take(oneOf: choices[slot] ?? []) else {
                    return scanner.goBack(to: start)
                }
                values[slot] = value
            }
        }
        return values
    }
}

/// Text of the world as bytes, for searching.
struct Bytes: Sendable {
    let text: String
    let bytes: [UInt8]

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }
}

/// A place in a text, moved past each recognized part. The scanner compares bytes: a similar text
/// with combining characters is not the world's text.
struct Scanner: Sendable {
    private let bytes: [UInt8]
    private(set) var place = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { place >= bytes.count }

    mutating func take(_ literal: Bytes) -> Bool {
        let end = place + literal.bytes.count
        guard end <= bytes.count else { return false }
        for (offset, byte) in literal.bytes.enumerated() where bytes[place + offset] != byte {
            return false
        }
        place = end
        return true
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    /// The longest of the choices at this place.
    mutating func take(oneOf choices: [Bytes]) -> String? {
        let start = place
        var best: (text: String, end: Int)?
        for choice in choices {
            if take(choice), place > best?.end ?? -1 { best = (choice.text, place) }
            place = start
        }
        if let best { place = best.end }
        return best?.text
    }

    /// Moves back and returns nil.
    mutating func goBack<Found>(to place: Int) -> Found? {
        self.place = place
        return nil
    }

    /// Moves past the next full stop, question mark or exclamation mark, or to the end.
    mutating func skipSentence() {
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?") {
                return
            }
        }
    }
}
