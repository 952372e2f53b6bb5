import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// A small `tokenizer.json` with one of each component.
private let everything: String = {
    let bytes = (0..<256).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return #""<0x\#(byte < 16 ? "0" : "")\#(digits)>": \#(byte + 3)"#
    }
    return #"""
        {"version": "1.0", "truncation": {"max_length": 2}, "padding": null,
         "added_tokens": [{"id": 1, "content": "<s>", "single_word": false, "lstrip": true,
           "rstrip": true, "normalized": false, "special": true},
          {"id": 300, "content": "[W]", "single_word": true, "normalized": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"},
           {"type": "Strip", "strip_left": true, "strip_right": false},
           {"type": "Replace", "pattern": {"Regex": "\\s{2,}"}, "content": " "},
           {"type": "Prepend", "prepend": "▁"}]},
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
           {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}]?\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\w"},
            "behavior": "Isolated", "invert": false},
           {"type": "Digits", "individual_digits": true}, {"type": "Punctuation"},
           {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}]},
         "post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"},
           {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}}], "pair": [],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}]},
         "decoder": {"type": "Sequence", "decoders": [
           {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
           {"type": "ByteFallback"}, {"type": "Fuse"},
           {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
         "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": true,
           "byte_fallback": true, "ignore_merges": false,
           "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, \#(bytes.joined(separator: ", ")),
             "▁": 259, "a": 260, "b": 261, "▁a": 262, "ab": 263, "\u00e9": 264},
           "merges": ["▁ a", ["a", "b"]]}}
        """#
}()

private let texts = ["a ab  é1234!", "<s> x [W] 😀\n\n", "", "▁▁ Ab's \u{1C89}\u{301}"]

private func use(_ tokenizer: Tokenizer) {
    for text in texts {
        let ids = tokenizer.encode(text)
        _ = tokenizer.decode(ids)
        var decoder = tokenizer.streamingDecoder()
        for id in ids { _ = decoder.append(id) }
        _ = decoder.finish()
    }
    _ = tokenizer.json
}

/// A `tokenizer.model` of a few pieces, written field by field.
struct ModelWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ field: UInt64, _ value: UInt64) {
        raw(field << 3)
        raw(value)
    }

    mutating func data(_ field: UInt64, _ content: [UInt8]) {
        raw(field << 3 | 2)
        raw(UInt64(content.count))
        bytes += content
    }

    mutating func float(_ field: UInt64, _ value: Float) {
        raw(field << 3 | 5)
        for shift in [0, 8, 16, 24] {
            bytes.append(UInt8(value.bitPattern >> UInt32(shift) & 0xFF))
        }
    }

    private mutating func raw(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    static var small: [UInt8] {
        var model = ModelWriter()
        func piece(_ text: String, _ score: Float, _ kind: UInt64) {
            var piece = ModelWriter()
            piece.data(1, Array(text.utf8))
            piece.float(2, score)
            piece.varint(3, kind)
            model.data(1, piece.bytes)
        }
        piece("<unk>", 0, 2)
        piece("<s>", 0, 3)
        piece("</s>", 0, 3)
        for byte in 0..<256 {
            let digits = String(byte, radix: 16, uppercase: true)
            piece("<0x" + (byte < 16 ? "0" : "") + digits + ">", 0, 6)
        }
        piece("[X]", 0, 4)
        for (rank, text) in ["▁a", "ab", "▁", "a", "b", "é"].enumerated() {
            piece(text, -Float(rank), 1)
        }
        var trainer = ModelWriter()
        trainer.varint(3, 2)
        trainer.varint(35, 1)
        trainer.varint(41, 1)
        trainer.varint(42, 2)
        model.data(2, trainer.bytes)
        var normalizer = ModelWriter()
        normalizer.varint(3, 1)
        normalizer.varint(4, 0)
        model.data(3, normalizer.bytes)
        return model.bytes
    }
}

@Suite struct MutatedFileTests {
    @Test func theFilesThemselvesAreFine() throws {
        let json = try Tokenizer(json: everything)
        #expect(json.encode("a ab") == [1, 262, 262, 261])
        let model = Tokenizer(core: try TokenizerCore(sentencePiece: ModelWriter.small))
        #expect(model.encode("a ab[X]é") == [1, 260, 260, 264, 259, 265])
        #expect(model.decode([1, 260, 260, 264, 259, 265]) == "a ab[X]é")
    }

    @Test func aThousandMutationsOfATokenizerFileEachGiveATokenizerOrASentence() {
        var random = SeededGenerator(7)
        let seed = Array(everything.utf8)
        let words = [
            "null", "true", "-1", "1e300", "99999999999", "\"", "{", "}", "[", "]", ",", ":", "\\u",
            "\\ud800", "+", "*", "(?", "\\\\p{L}", "{0,65535}", "é", "\u{301}", "\"type\"", "0x",
        ]
        for _ in 0..<1000 {
            var bytes = seed
            for _ in 0...random.below(3) { random.mutate(&bytes, words: words) }
            do {
                use(try Tokenizer(json: String(decoding: bytes, as: UTF8.self)))
            } catch {
                #expect(error is TokenizerError && !"\(error)".isEmpty)
            }
        }
    }

    @Test func aThousandMutationsOfAModelFileEachGiveATokenizerOrASentence() {
        var random = SeededGenerator(8)
        for _ in 0..<1000 {
            var bytes = ModelWriter.small
            for _ in 0...random.below(3) { random.mutate(&bytes) }
            do {
                use(Tokenizer(core: try TokenizerCore(sentencePiece: bytes)))
            } catch {
                #expect(error is TokenizerError && !"\(error)".isEmpty)
            }
        }
    }

    @Test func aModelFileThatIsNoneIsSaid() {
        func sentence(_ bytes: [UInt8]) -> String {
            do {
                _ = try TokenizerCore(sentencePiece: bytes)
                return ""
            } catch {
                return "\(error)"
            }
        }
        let start = "the file is not a SentencePiece model that can be used: "
        #expect(sentence([]) == start + "it holds no pieces")
        #expect(
            sentence([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
                == start + "a field of 4294967295 bytes where 0 are left, at byte 6")
        #expect(
            sentence(Array(repeating: 0xFF, count: 12))
                == start + "a number of more than ten bytes, at byte 10")
        // A Unigram model has no such setting.
        var writer = ModelWriter()
        writer.data(1, [0x0A, 1, 0x61])
        #expect(
            sentence(writer.bytes)
                == start + "its algorithm is Unigram, and byte-pair encoding is the one supported")
        // A normalization with a table of one byte.
        writer.data(3, [0x0A, 8] + Array("nmt_nfkc".utf8) + [0x12, 1, 7])
        #expect(
            sentence(writer.bytes)
                == start + "its normalization “nmt_nfkc”, a table of character rewritings, is not "
                + "supported; identity is")
    }

    @Test func stepsThatDoubleATextAreRefused() throws {
        func sequence(_ count: Int) -> String {
            let double = #"{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}"#
            let steps = Array(repeating: double, count: count).joined(separator: ", ")
            return #"{"type": "Sequence", "normalizers": [\#(steps)]}"#
        }
        let model = #""model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}"#
        let two = try Tokenizer(json: #"{"normalizer": \#(sequence(2)), \#(model)}"#)
        #expect(two.encode("a") == [0, 0, 0, 0])
        #expect(
            throws: TokenizerError.unsupportedSetting(
                field: "normalizer", value: "steps that make a text more than 4096 times as long")
        ) { try Tokenizer(json: #"{"normalizer": \#(sequence(70)), \#(model)}"#) }
        let part = #"{"Sequence": {"id": "A", "type_id": 0}}"#
        let template = #"{"type": "TemplateProcessing", "single": [\#(part), \#(part)]}"#
        #expect(
            throws: TokenizerError.unsupportedSetting(
                field: "post_processor.single", value: "the text 2 times")
        ) { try Tokenizer(json: #"{"post_processor": \#(template), \#(model)}"#) }
    }

    /// A pattern with unlimited backtracking must give up, not hang.
    @Test func aPatternThatBacktracksWithoutEndGivesUp() throws {
        let file = everything.replacing("\\\\s+(?!\\\\S)", with: "(a+)+$x")
        let tokenizer = try Tokenizer(json: file)
        let text = String(repeating: "a", count: 200) + "!"
        #expect(!tokenizer.encode(text).isEmpty)
    }
}
