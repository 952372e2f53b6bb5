import Foundation
import TestSupport
import Testing

@testable import Tokenizers

private struct PublishedCase: Decodable {
    var tokenizer: String
    var text: String
    var ids: [Int32]
    var decoded: String
}

/// Two published tokenizers on 60 texts each, compared with `tokenizers` and `sentencepiece`
/// (Tests/Fixtures/README.md).
@Suite struct PublishedTokenizerTests {
    /// GPT-2's tokenizer from its merges. Its file carries a truncation setting, which must not cut
    /// text.
    private static func gpt2() throws -> Tokenizer {
        let merges = try String(
            contentsOfFile: Fixture.path("tokenizers/gpt2/merges.txt"), encoding: .utf8
        ).split(separator: "\n").map(String.init)
        // Printable bytes stand for themselves and come first; the others follow from U+0100 on.
        let printed = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
        let bytes = printed + (0..<256 - printed.count).map { 0x100 + $0 }
        let tokens =
            bytes.compactMap { Unicode.Scalar(UInt32($0)).map(String.init) }
            + merges.map { $0.replacing(" ", with: "") } + ["<|endoftext|>"]
        let model: [String: Any] = [
            "type": "BPE",
            "vocab": Dictionary(uniqueKeysWithValues: zip(tokens, tokens.indices)),
            "merges": merges,
        ]
        let file: [String: Any] = [
            "version": "1.0", "model": model,
            "truncation": [
                "direction": "Right", "max_length": 50, "strategy": "LongestFirst", "stride": 0,
            ] as [String: Any],
            "added_tokens": [
                ["id": 50_256, "content": "<|endoftext|>", "normalized": true, "special": true]
                    as [String: Any]
            ],
            "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false, "use_regex": true]
                as [String: Any],
            "decoder": ["type": "ByteLevel"],
        ]
        return try Tokenizer(
            json: String(decoding: JSONSerialization.data(withJSONObject: file), as: UTF8.self))
    }

    private static func tokenizer(_ name: String) throws -> Tokenizer {
        name == "gpt2"
            ? try gpt2() : try Tokenizer(file: Fixture.path("tokenizers/\(name)/tokenizer.model"))
    }

    private static let names = ["gpt2", "mistral-v1"]

    @Test(arguments: names)
    func `ids and text equal the reference`(_ name: String) throws {
        try check(
            Self.tokenizer(name), Fixture.lines("tokenizers/cases.jsonl", as: PublishedCase.self),
            of: name)
    }

    @Test(arguments: names)
    func `streaming shows every character whole and nothing else`(_ name: String) throws {
        let tokenizer = try Self.tokenizer(name)
        for item in try Fixture.lines("tokenizers/cases.jsonl", as: PublishedCase.self)
        where item.tokenizer == name {
            var decoder = tokenizer.streamingDecoder(skipSpecial: false)
            let parts = item.ids.map { decoder.append($0) } + [decoder.finish()]
            #expect(sameBytes(parts.joined(), item.decoded), "\(item.text.debugDescription)")
            if !item.decoded.unicodeScalars.contains("\u{FFFD}") {
                #expect(!parts.contains { $0.unicodeScalars.contains("\u{FFFD}") })
            }
        }
    }

    @Test func `a model file and its conversion agree`() throws {
        let model = try Self.tokenizer("mistral-v1")
        let converted = try Tokenizer(json: model.json)
        #expect(model.vocabularySize == 32000 && converted.vocabularySize == 32000)
        #expect((model.bos, model.eos) == (1, 2))
        #expect(model.isSpecial(1) && converted.isSpecial(1))
        for text in ["Hello  world", "café – naïve", "日本語 😀", "  two\n\nlines\t"] {
            #expect(model.encode(text) == converted.encode(text))
        }
    }
}

/// Five published tokenizers from their own files, some of which may not be redistributed.
@Suite(.needsShared("reference/tokenizers/cases.jsonl")) struct SharedTokenizerTests {
    @Test(arguments: [
        "mistral-v1/tokenizer.json", "mistral-v1/tokenizer.model", "llama2/tokenizer.model",
        "gpt2/tokenizer.json", "pythia/tokenizer.json",
    ])
    func `ids and text equal the reference`(_ name: String) throws {
        try check(
            Tokenizer(file: SharedReference.path("reference/tokenizers/" + name)),
            SharedReference.lines("reference/tokenizers/cases.jsonl", as: PublishedCase.self),
            of: name)
    }
}

private func check(_ tokenizer: Tokenizer, _ cases: [PublishedCase], of name: String) {
    let cases = cases.filter { $0.tokenizer == name }
    #expect(cases.count == 60)
    for item in cases {
        #expect(
            tokenizer.encode(item.text, special: false) == item.ids,
            "\(item.text.debugDescription)")
        #expect(
            sameBytes(tokenizer.decode(item.ids, skipSpecial: false), item.decoded),
            "\(item.text.debugDescription)")
    }
}
