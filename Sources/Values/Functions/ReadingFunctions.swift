import Foundation
import Patterns

extension Function {
    /// What a text is like to read: for checks of responses.
    package static let reading: [Function] = [
        Function(
            "words", "number of words; of a list, of each text",
            [.required("x", "text, or a list of texts")], example: "words(\"Be brief.\")"
        ) { (arguments) throws(EvaluationError) in
            try eachText(arguments) { Value(Reading.words(of: $0).count) }
        },
        Function(
            "sentences", "number of sentences; of a list, of each text",
            [.required("x", "text, or a list of texts")], example: "sentences(\"Yes. Be brief!\")"
        ) { (arguments) throws(EvaluationError) in
            try eachText(arguments) { Value(Reading.sentences(of: $0)) }
        },
        Function(
            "count", "how often a text holds another; of a list, each text",
            [
                .required("x", "text, or a list of texts"),
                .required("part", "the text to look for"),
            ], example: "count(\"one, two, three\", \",\")"
        ) { (arguments) throws(EvaluationError) in
            let part = try arguments.text("part")
            guard !part.isEmpty else { throw .other("`part` of `count` is empty") }
            return try eachText(arguments) { Value($0.ranges(of: part).count) }
        },
        Function(
            "matches", "whether a regular expression matches in a text; of a list, for each text",
            [
                .required("x", "text, or a list of texts"),
                .required("pattern", "in the dialect of Perl: (?i) ignores case, (?m) reads lines"),
            ], example: #"matches("It costs 12 euros.", "[0-9]+ euros")"#
        ) { (arguments) throws(EvaluationError) in
            let source = try arguments.text("pattern")
            let pattern: PatternCode
            do throws(PatternProblem) {
                pattern = try PatternCode(Array(source.utf8), isSearch: true)
            } catch {
                throw .other("`pattern` is no regular expression: \(error.description)")
            }
            return try eachText(arguments) { (text) throws(EvaluationError) in
                do throws(PatternStop) {
                    return .bool(
                        try pattern.occurs(in: text, isInterrupted: arguments.isInterrupted))
                } catch {
                    switch error {
                    case .interrupted:
                        throw .interrupted("the search for the pattern was stopped")
                    case .gaveUp:
                        throw .tooMuchWork(
                            "the pattern tries too many ways to match, as (a+)+b does on a row of "
                                + "a's")
                    }
                }
            }
        },
        Function(
            "reading_grade",
            "school years that a text needs, by Flesch and Kincaid; of a list, each text",
            [.required("x", "English text, or a list of texts")],
            example: "reading_grade(\"The cat sat on the mat.\")"
        ) { (arguments) throws(EvaluationError) in
            try eachText(arguments) { .number(Reading.grade(of: $0)) }
        },
    ]
}

/// Counts of words, sentences and syllables.
enum Reading {
    /// Runs of characters that are no blanks and hold a letter or a digit.
    static func words(of text: String) -> [Substring] {
        text.split(whereSeparator: \.isWhitespace).filter {
            $0.contains { $0.isLetter || $0.isNumber }
        }
    }

    /// Ends of sentences: a word that ends in `.`, `!`, `?` or `…`, with or without closing quotes
    /// and brackets. Words after the last one are a sentence too.
    static func sentences(of text: String) -> Int {
        let closing: Set<Character> = ["\"", "'", "”", "’", ")", "]", "»"]
        let ends: Set<Character> = [".", "!", "?", "…"]
        var (count, isOpen) = (0, false)
        for word in text.split(whereSeparator: \.isWhitespace) {
            isOpen = isOpen || word.contains { $0.isLetter || $0.isNumber }
            let end = word.last { !closing.contains($0) }
            if isOpen, end.map(ends.contains) == true { (count, isOpen) = (count + 1, false) }
        }
        return count + (isOpen ? 1 : 0)
    }

    /// `0.39 words / sentences + 11.8 syllables / words − 15.59`; zero for a text without words.
    /// Kincaid, Fishburne, Rogers, Chissom: Derivation of new readability formulas, 1975.
    static func grade(of text: String) -> Double {
        let words = words(of: text)
        guard !words.isEmpty else { return 0 }
        let syllables = words.reduce(0) { $0 + Reading.syllables(of: $1) }
        return 0.39 * Double(words.count) / Double(max(1, sentences(of: text)))
            + 11.8 * Double(syllables) / Double(words.count) - 15.59
    }

    /// Groups of vowels, without a silent e at the end (but "ta-ble") or in "-ed" (but "wan-ted");
    /// at least one. An estimate for English.
    static func syllables(of word: Substring) -> Int {
        let letters = word.lowercased().filter(\.isLetter)
        var (count, wasVowel) = (0, false)
        for letter in letters {
            let isVowel = "aeiouyäöüéèáà".contains(letter)
            if isVowel, !wasVowel { count += 1 }
            wasVowel = isVowel
        }
        let end = Array(letters.suffix(3))
        guard end.count == 3, count > 1 else { return max(1, count) }
        func isVowel(_ place: Int) -> Bool { "aeiouy".contains(end[place]) }
        let isSilent =
            end[2] == "e"
            ? !isVowel(1) && (end[1] != "l" || isVowel(0))
            : end[1...] == ["e", "d"] && !isVowel(0) && !"dt".contains(end[0])
        return isSilent ? count - 1 : count
    }
}
