import JSON
import TestSupport
import Testing

@testable import Tokenizers

/// A tokenizer whose tokens are the characters of the normalized text.
private func normalized(_ normalizer: String, _ text: String) throws -> String {
    let root = Field(try JSON.read(normalizer), path: "normalizer")
    return String(decoding: try makeNormalizer(root).apply(Array(text.utf8)), as: UTF8.self)
}

private func pieces(_ preTokenizer: String, _ text: String) throws -> [String] {
    let root = Field(try JSON.read(preTokenizer), path: "pre_tokenizer")
    let pieces = try makePreTokenizer(root).apply(Pieces(Array(text.utf8), startsText: true))
    return pieces.ranges.map { String(decoding: pieces.bytes[$0], as: UTF8.self) }
}

private func split(_ pattern: String, _ behavior: String = "Isolated") -> String {
    let escaped = pattern.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return #"{"type": "Split", "pattern": {"Regex": "\#(escaped)"}, "behavior": "\#(behavior)", "#
        + #""invert": false}"#
}

/// Each line was checked against `tokenizers` 0.22.2.
@Suite struct NormalizerTests {
    private static let normalizations: [(String, String, String)] = [
        ("NFC", "e\u{301}", "\u{E9}"),
        ("NFD", "\u{E9}", "e\u{301}"),
        ("NFKC", "ﬁ①\u{212B}", "fi1\u{C5}"),
        ("NFKD", "ｱﾞ", "\u{30A2}\u{3099}"),
        // Marks that come out of a decomposition move to their places.
        ("NFKD", "a\u{307}\u{FF9E}", "a\u{3099}\u{307}"),
        ("NFC", "\u{5D0}\u{307}\u{F73}", "\u{5D0}\u{F71}\u{F72}\u{307}"),
        // Characters added after Unicode 9 stay unchanged and in place.
        ("NFKC", "\u{32FF}", "\u{32FF}"),
        ("NFD", "a\u{307}\u{1DFA}\u{323}", "a\u{307}\u{1DFA}\u{323}"),
        ("NFC", "\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
        ("Lowercase", "İΑΣ ẞ", "i\u{307}ας ß"),
    ]

    @Test(arguments: normalizations)
    func textIsNormalizedAsInTheTokenizersPackage(
        _ name: String, _ text: String, _ expected: String
    ) throws {
        let result = try normalized(#"{"type": "\#(name)"}"#, text)
        // A final sigma has no special treatment.
        #expect(sameBytes(result, expected.replacing("ς", with: "σ")), "\(result.debugDescription)")
    }

    @Test func stepsFollowEachOther() throws {
        let steps = """
            {"type": "Sequence", "normalizers": [
              {"type": "Strip", "strip_left": true, "strip_right": false},
              {"type": "Replace", "pattern": {"Regex": "\\\\s{2,}"}, "content": " "},
              {"type": "Prepend", "prepend": "▁"}]}
            """
        #expect(try normalized(steps, " \u{3000}a  \n b ") == "▁a b ")
        #expect(try normalized(steps, "  ").isEmpty)
    }

    @Test(arguments: [
        ("Removed", ["a", "b"]), ("Isolated", ["a", "-", "-", "b"]),
        ("MergedWithPrevious", ["a-", "-", "b"]), ("MergedWithNext", ["a", "-", "-b"]),
        ("Contiguous", ["a", "--", "b"]),
    ])
    func everyWayToCutAtAMatch(_ behavior: String, _ expected: [String]) throws {
        #expect(try pieces(split("-", behavior), "a--b") == expected)
    }

    private static let patterns: [(String, String, [String])] = [
        // Oniguruma's word characters include the superscripts of Latin-1 and no others.
        (#"\w+"#, "a²b⁴c", ["a²b", "⁴", "c"]),
        (#"\s+"#, "a\u{180E}\u{3000}b", ["a\u{180E}", "\u{3000}", "b"]),
        (#"\h+"#, "fog", ["f", "og"]),
        (#"(?m:a.b)"#, "xa\nb", ["x", "a\nb"]),
        (#"a.b"#, "xa\nb", ["xa\nb"]),
        (#"^b"#, "a\nb", ["a\n", "b"]),
        (#"\v"#, "a\u{B}\nb", ["a", "\u{B}", "\nb"]),
        // A letter of Unicode 16 counts as a letter.
        (#"\p{L}+"#, "!\u{1C89}a!", ["!", "\u{1C89}a", "!"]),
        (#"[^\s\p{L}]+"#, "!\u{1C89}!", ["!", "\u{1C89}", "!"]),
        (#"\P{L}+"#, "a!\u{1C8A}", ["a", "!", "\u{1C8A}"]),
        (#"x*"#, "axxb", ["a", "xx", "b"]),
    ]

    @Test(arguments: patterns)
    func patternsMeanWhatOnigurumaMeans(
        _ pattern: String, _ text: String, _ expected: [String]
    ) throws {
        #expect(try pieces(split(pattern), text) == expected)
    }

    @Test(arguments: [
        #"[a-z&&[^b]]"#, #"a{2}+"#, #"\X"#, #"a(?i)b|c"#, #"[[:alpha:]]"#, #"\p{Nonsense}"#,
        "(", "a\\", "(*ACCEPT)", #"\C"#,
    ])
    func patternsThatWouldMeanSomethingElseAreRefused(_ pattern: String) {
        #expect(throws: TokenizerError.self) { try pieces(split(pattern), "a") }
    }

    @Test func theOtherPreTokenizersCutWhereThePackageDoes() throws {
        #expect(
            try pieces(#"{"type": "Digits", "individual_digits": true}"#, "a12½b")
                == ["a", "1", "2", "½", "b"])
        #expect(try pieces(#"{"type": "Digits"}"#, "a12b") == ["a", "12", "b"])
        // U+2E52 is newer than the package's tables.
        #expect(
            try pieces(#"{"type": "Punctuation"}"#, "a,«b\u{2E52}$")
                == ["a", ",", "«", "b\u{2E52}", "$"])
        #expect(
            try pieces(#"{"type": "Whitespace"}"#, "It's  ²!? ok") == ["It", "'", "s", "²!?", "ok"])
        let metaspace = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}"#
        #expect(try pieces(metaspace, "a  b") == ["▁a", "▁", "▁b"])
    }
}
