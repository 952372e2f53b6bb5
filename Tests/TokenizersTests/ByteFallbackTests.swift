import Testing

@testable import Tokenizers

/// A tokenizer as conversions from SentencePiece look, small.
private let fallback: String = {
    let bytes = (0..<256).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return #""<0x\#(byte < 16 ? "0" : "")\#(digits)>": \#(byte + 3)"#
    }
    return """
        {"added_tokens": [
          {"id": 1, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
           "normalized": false, "special": true}],
         "normalizer": {"type": "Sequence", "normalizers": [
           {"type": "Prepend", "prepend": "▁"},
           {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
         "decoder": {"type": "Sequence", "decoders": [
           {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
           {"type": "ByteFallback"}, {"type": "Fuse"},
           {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
         "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
           "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, \(bytes.joined(separator: ", ")),
             "▁": 259, "a": 260, "▁a": 261, "é": 262},
           "merges": ["▁ a"]}}
        """
}()

@Suite struct ByteFallbackTests {
    let tokenizer: Tokenizer

    init() throws {
        tokenizer = try Tokenizer(json: fallback)
    }

    private func streamed(_ ids: [Int32]) -> [String] {
        var decoder = tokenizer.streamingDecoder()
        return ids.map { decoder.append($0) } + [decoder.finish()]
    }

    @Test func charactersOutsideTheVocabularyAreBytes() {
        #expect(tokenizer.encode("a é😀") == [261, 259, 262, 243, 162, 155, 131])
        #expect(tokenizer.decode([261, 259, 262, 243, 162, 155, 131]) == "a é😀")
    }

    @Test func aCharacterOfFourTokensIsShownOnceItIsWhole() {
        #expect(
            streamed([261, 243, 162, 155, 131, 243, 162, 155, 131, 261])
                == ["a", "", "", "", "😀", "", "", "", "😀", " a", ""])
    }

    @Test func aTokenHasItsOwnBytes() {
        let bytes = [243, 162, 155, 131, 262, 1].map { tokenizer.bytes(of: $0) }
        #expect(bytes == [[0xF0], [0x9F], [0x98], [0x80], [0xC3, 0xA9], Array("<s>".utf8)])
    }

    @Test func bytesThatMakeNoCharacterAreShownOneByOneAndHoldNothingUp() {
        // Half a character before a word, at the end, and before another character.
        #expect(streamed([243, 162, 261]) == ["", "", "\u{FFFD}\u{FFFD} a", ""])
        #expect(streamed([261, 243, 162]) == ["a", "", "", "\u{FFFD}\u{FFFD}"])
        #expect(
            streamed([243, 243, 162, 155, 131]) == ["", "\u{FFFD}", "", "", "😀", ""])
        #expect(streamed([131, 258, 195]) == ["\u{FFFD}", "\u{FFFD}", "\u{FFFD}", ""])
    }

    @Test func spacesInFrontAreTakenOffOnceAndOnlyInFront() {
        #expect(streamed([259, 261, 259, 259, 260]) == ["", " a", " ", " ", "a", ""])
        #expect(tokenizer.decode([259, 261, 259, 259, 260]) == " a  a")
    }
}
