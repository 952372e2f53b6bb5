import CommandLanguage
import Rendering
import Values

/// One setting of a verb, defined once: its key, range and meaning, and the place of its value.
///
/// Parsing, completion, help and the default that help prints read this definition. A default is
/// printed from the value itself, so help cannot disagree with what a verb does.
struct SettingOption<Target: Sendable>: Sendable {
    let key: String
    let kind: ArgumentKind
    let summary: String
    /// Reads the argument, if there is one, into the target.
    let apply: @Sendable (Invocation, inout Target) throws -> Void
    /// The value of a target as a user would write it; nil if there is none.
    let shown: @Sendable (Target) -> String?

    /// The option as the grammar and help see it.
    ///
    /// - Parameter defaults: the targets that a verb starts from, each with the name of its preset;
    ///   a single one has no name.
    func specification(_ defaults: [(name: String, target: Target)]) -> OptionSpecification {
        let values = defaults.compactMap { name, target in shown(target).map { (name, $0) } }
        guard let first = values.first else { return OptionSpecification(key, kind, summary) }
        let text =
            values.count == defaults.count && values.allSatisfy { $0.1 == first.1 }
            ? first.1
            : values.map { "\($0.1) for \($0.0)" }.joined(separator: ", ")
        return OptionSpecification(key, kind, summary + "; default: " + text)
    }
}

extension SettingOption {
    /// A number in a range, both ends included.
    static func number(
        _ key: String, _ path: any WritableKeyPath<Target, Double> & Sendable,
        in range: ClosedRange<Double> = 0...Double.greatestFiniteMagnitude, rule: String? = nil,
        _ summary: String
    ) -> SettingOption {
        SettingOption(
            key: key, kind: .number, summary: summary,
            apply: { invocation, target in
                let value =
                    try range.upperBound == .greatestFiniteMagnitude
                    ? invocation.number(key, atLeast: range.lowerBound)
                    : invocation.number(
                        key, in: range,
                        rule: rule ?? "between \(NumberText.significant(range.lowerBound)) and "
                            + NumberText.significant(range.upperBound))
                if let value { target[keyPath: path] = value }
            },
            shown: { NumberText.significant($0[keyPath: path], digits: 4) })
    }

    /// A whole number in a range.
    static func integer(
        _ key: String, _ path: any WritableKeyPath<Target, Int> & Sendable,
        in range: ClosedRange<Int>, _ summary: String
    ) -> SettingOption {
        SettingOption(
            key: key, kind: .number, summary: summary,
            apply: { invocation, target in
                if let value = try invocation.integer(
                    key, atLeast: range.lowerBound, atMost: range.upperBound)
                {
                    target[keyPath: path] = value
                }
            },
            shown: { "\($0[keyPath: path])" })
    }

    /// A whole number that may be left open.
    static func integer(
        _ key: String, _ path: any WritableKeyPath<Target, Int?> & Sendable,
        in range: ClosedRange<Int>, _ summary: String
    ) -> SettingOption {
        SettingOption(
            key: key, kind: .number, summary: summary,
            apply: { invocation, target in
                if let value = try invocation.integer(
                    key, atLeast: range.lowerBound, atMost: range.upperBound)
                {
                    target[keyPath: path] = value
                }
            },
            shown: { target in target[keyPath: path].map { "\($0)" } })
    }

    /// `true` or `false`.
    static func flag(
        _ key: String, _ path: any WritableKeyPath<Target, Bool> & Sendable, _ summary: String
    ) -> SettingOption {
        SettingOption(
            key: key, kind: .flag, summary: summary,
            apply: { invocation, target in
                if let value = try invocation.flag(key) { target[keyPath: path] = value }
            },
            shown: { "\($0[keyPath: path])" })
    }

    /// One of the words of an enumeration. Every case must have a summary in `words`.
    static func word<Word: RawRepresentable & CaseIterable & Sendable>(
        _ key: String, _ path: any WritableKeyPath<Target, Word> & Sendable, _ words: [Choice],
        _ summary: String
    ) -> SettingOption where Word.RawValue == String {
        SettingOption(
            key: key, kind: .words(words), summary: summary,
            apply: { invocation, target in
                if let value = try invocation.word(key, Word.self) { target[keyPath: path] = value }
            },
            shown: { $0[keyPath: path].rawValue })
    }
}

extension Invocation {
    /// Reads every option that was given into the target.
    func apply<Target>(_ options: [SettingOption<Target>], to target: inout Target) throws {
        for option in options { try option.apply(self, &target) }
    }
}

extension [OptionSpecification] {
    init<Target>(
        _ options: [SettingOption<Target>], defaults: [(name: String, target: Target)]
    ) {
        self = options.map { $0.specification(defaults) }
    }
}
