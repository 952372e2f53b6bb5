import Testing

@testable import Tokenizers

private struct PublishedCase: Decodable {
    var tokenizer: String
    var text: String
    var ids: [Int32]
    var decoded: String
}

/// Five published tokenizers, 60 texts each; ids and text by `tokenizers` 0.22.2 and `sentencepiece`
/// 0.2.3 (cases.jsonl of the reference files).
@Suite(
    .enabled(
        if: SharedReference.exists("tokenizers/cases.jsonl"),
        "the reference files are not beside the repository"))
struct PublishedTokenizerTests {
    private static let names = [
        "mistral-v1/tokenizer.json", "mistral-v1/tokenizer.model", "llama2/tokenizer.model",
        "gpt2/tokenizer.json", "pythia/tokenizer.json",
    ]

    @Test(arguments: names)
    func idsAndTextEqualTheReference(_ name: String) throws {
        let cases = try SharedReference.lines("tokenizers/cases.jsonl", as: PublishedCase.self)
            .filter { $0.tokenizer == name }
        #expect(cases.count == 60)
        let tokenizer = try Tokenizer(file: SharedReference.path("tokenizers/" + name))
        for item in cases {
            #expect(
                tokenizer.encode(item.text, special: false) == item.ids,
                "\(item.text.debugDescription)")
            #expect(
                sameBytes(tokenizer.decode(item.ids, skipSpecial: false), item.decoded),
                "\(item.text.debugDescription)")
        }
    }

    @Test(arguments: names)
    func streamingShowsEveryCharacterWholeAndNothingElse(_ name: String) throws {
        let cases = try SharedReference.lines("tokenizers/cases.jsonl", as: PublishedCase.self)
            .filter { $0.tokenizer == name }
        let tokenizer = try Tokenizer(file: SharedReference.path("tokenizers/" + name))
        for item in cases {
            var decoder = tokenizer.streamingDecoder(skipSpecial: false)
            let parts = item.ids.map { decoder.append($0) } + [decoder.finish()]
            #expect(sameBytes(parts.joined(), item.decoded), "\(item.text.debugDescription)")
            if !item.decoded.unicodeScalars.contains("\u{FFFD}") {
                #expect(!parts.contains { $0.unicodeScalars.contains("\u{FFFD}") })
            }
        }
    }

    @Test func aModelFileAndItsConversionAgree() throws {
        let model = try Tokenizer(
            file: SharedReference.path("tokenizers/mistral-v1/tokenizer.model"))
        let converted = try Tokenizer(json: model.json)
        #expect(model.vocabularySize == 32000 && converted.vocabularySize == 32000)
        #expect((model.bos, model.eos) == (1, 2))
        #expect(model.isSpecial(1) && converted.isSpecial(1))
        for text in ["Hello  world", "café – naïve", "日本語 😀", "  two\n\nlines\t"] {
            #expect(model.encode(text) == converted.encode(text))
        }
    }
}
