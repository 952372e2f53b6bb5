/// A step in the path of a value that has no key of its own type.
enum StoredKey: CodingKey {
    case name(String)
    case place(Int)

    init(stringValue: String) { self = .name(stringValue) }
    init(intValue: Int) { self = .place(intValue) }

    var stringValue: String {
        switch self {
        case .name(let name): name
        case .place(let place): String(place)
        }
    }

    var intValue: Int? { if case .place(let place) = self { place } else { nil } }
}

/// Names of Swift in the form of the language: `columnAccuracy` is `column_accuracy`. Every name is
/// converted once.
final class SnakeCaseNames {
    private var converted: [String: String] = [:]

    subscript(name: String) -> String {
        // Most names are one word.
        guard name.utf8.contains(where: { !(0x61...0x7A).contains($0) }) else { return name }
        if let known = converted[name] { return known }
        let snake = Self.snakeCase(name)
        converted[name] = snake
        return snake
    }

    /// The rule of `JSONEncoder.KeyEncodingStrategy.convertToSnakeCase`, by which the workspaces of
    /// version 0.1.0 were written: an underscore between a lowercase and an uppercase letter, and
    /// before the last of several uppercase letters that a lowercase letter follows.
    static func snakeCase(_ name: String) -> String {
        let letters = Array(name)
        var words: [ArraySlice<Character>] = []
        var start = 0
        var place = 1
        while place < letters.count,
            let upper = letters[place...].firstIndex(where: \.isUppercase)
        {
            words.append(letters[start..<upper])
            guard let lower = letters[upper...].firstIndex(where: \.isLowercase) else {
                start = upper
                break
            }
            if lower == upper + 1 {
                start = upper
            } else {
                words.append(letters[upper..<lower - 1])
                start = lower - 1
            }
            place = lower + 1
        }
        words.append(letters[start...])
        return words.map { String($0).lowercased() }.joined(separator: "_")
    }

    /// The name with this snake case. Underscores around the name stay.
    static func camelCase(_ name: String) -> String {
        let front = name.prefix { $0 == "_" }
        let back = name.dropFirst(front.count).reversed().prefix { $0 == "_" }
        let words = name.dropFirst(front.count).dropLast(back.count).split(separator: "_")
        guard words.count > 1 else { return name }
        return front + words[0].lowercased()
            + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }
            .joined() + String(back)
    }
}
