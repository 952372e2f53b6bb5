import ChatTemplates
import Foundation
import GGUF
import TestSupport
import Testing

@testable import Tokenizers

/// Tokenizers of GGUF files against the tokenizers that they were made from.
@Suite struct GGUFTokenizerTests {
    private struct Case: Decodable {
        var tokenizer, text: String
        var ids: [Int32]
        var decoded: String
    }

    private typealias Keys = [(String, GGUFBuilder.Value)]

    private static func directory(_ keys: Keys) throws -> TokenizerDirectory? {
        try TokenizerDirectory(gguf: GGUFFile(data: GGUFBuilder(keys: keys).data, file: "m.gguf"))
    }

    private func complaint(_ keys: Keys) -> String {
        do {
            _ = try Self.directory(keys)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    private static func cases(_ name: String) throws -> [Case] {
        try Fixture.lines("tokenizers/cases.jsonl", as: Case.self).filter { $0.tokenizer == name }
    }

    // MARK: - Byte-level BPE

    /// GPT-2's tokenizer, or one of its first merges alone, which loads faster.
    private static func gpt2(_ more: Keys = [], merges limit: Int = .max) throws -> Keys {
        let merges = try String(
            contentsOfFile: Fixture.path("tokenizers/gpt2/merges.txt"), encoding: .utf8
        ).split(separator: "\n").prefix(limit).map(String.init)
        let end = UInt32(256 + merges.count)
        let printed = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
        let bytes = printed + (0..<256 - printed.count).map { 0x100 + $0 }
        let tokens =
            bytes.compactMap { Unicode.Scalar(UInt32($0)).map(String.init) }
            + merges.map { $0.replacing(" ", with: "") } + ["<|endoftext|>"]
        return [
            ("tokenizer.ggml.model", .text("gpt2")), ("tokenizer.ggml.pre", .text("gpt-2")),
            ("tokenizer.ggml.tokens", .texts(tokens)),
            (
                "tokenizer.ggml.token_type",
                .int32s([Int32](repeating: 1, count: tokens.count - 1) + [3])
            ),
            ("tokenizer.ggml.merges", .texts(merges)),
            ("tokenizer.ggml.bos_token_id", .uint32(end)),
            ("tokenizer.ggml.eos_token_id", .uint32(end)),
        ] + more
    }

    @Test func `ids of GPT-2 equal the reference`() throws {
        let directory = try #require(try Self.directory(try Self.gpt2()))
        let tokenizer = directory.tokenizer
        let cases = try Self.cases("gpt2")
        #expect(cases.count >= 50)
        for one in cases {
            #expect(tokenizer.encode(one.text) == one.ids)
            #expect(tokenizer.decode(one.ids, skipSpecial: false) == one.decoded)
        }
        #expect(tokenizer.stops == [50_256] && tokenizer.isSpecial(50_256))
        #expect(directory.specialTokens["bos_token"] == "<|endoftext|>")
        #expect(directory.templates.isEmpty)
    }

    @Test func `tokens are added around a text where the file says so`() throws {
        let flags: Keys = [
            ("tokenizer.ggml.add_bos_token", .bool(true)),
            ("tokenizer.ggml.add_eos_token", .bool(true)),
        ]
        let tokenizer = try #require(try Self.directory(try Self.gpt2(flags, merges: 99))).tokenizer
        let bare = tokenizer.encode("a text", special: false)
        #expect(tokenizer.encode("a text") == [355] + bare + [355])
    }

    @Test func `the shipped tokenizer survives the journey`() throws {
        let file = try GGUFFile(path: Fixture.path("gguf/llama.gguf"))
        let directory = try #require(try TokenizerDirectory(gguf: file))
        let own = try Tokenizer(file: Repository.path("models/tiny/tokenizer.json"))
        for one in try Self.cases("gpt2") {
            #expect(directory.tokenizer.encode(one.text) == own.encode(one.text))
        }
        let message = ChatMessage(role: "user", content: "hi")
        #expect(try directory.prompt([message]) == "[user] hi")
        // Other programs read the files that an export writes.
        let again = try TokenizerDirectory(files: directory.files)
        #expect(again.tokenizer.encode("An é 😀.") == own.encode("An é 😀."))
    }

    @Test(arguments: GGUFPreTokenizer.all.compactMap(\.names.first))
    func `every known way to split compiles and loses no text`(name: String) throws {
        var keys = try Self.gpt2(merges: 1000)
        keys[1].1 = .text(name)
        let tokenizer = try #require(try Self.directory(keys)).tokenizer
        for text in [
            "I'll pay $1,234.56 — isn't THAT\r\n\r\n  much?  \t", "für Ärger 漢字 かな 😀\u{301} x",
            "a_b[c] == `d`;\n\n\tif (x<3) {}", "1234567 ١٢٣ ABCdef",
        ] {
            #expect(tokenizer.decode(tokenizer.encode(text)) == text.precomposedIfComposed(name))
        }
    }

    /// The pieces that a tokenizer whose every piece is a token would give.
    private func pieces(_ name: String, _ text: String) throws -> [String] {
        var keys = try Self.gpt2(merges: 0)
        keys[1].1 = .text(name)
        guard case .texts(var tokens) = keys[2].1 else { return [] }
        var merges: [String] = []
        // Words of up to six digits and spaces, merged from the left.
        var words: Set<String> = ["Ġ", "2", "0", "3"]
        for start in ["Ġ", "2", "0", "3"] {
            var longer = [start]
            for _ in 0..<4 {
                longer = longer.flatMap { word in
                    ["2", "0", "3"].map { digit in
                        if words.insert(word + digit).inserted {
                            tokens.append(word + digit)
                            merges.append("\(word) \(digit)")
                        }
                        return word + digit
                    }
                }
            }
        }
        keys[2].1 = .texts(tokens)
        keys[3].1 = .int32s([Int32](repeating: 1, count: tokens.count))
        keys[4].1 = .texts(merges)
        let tokenizer = try #require(try Self.directory(keys)).tokenizer
        return tokenizer.encode(text, special: false).map { tokenizer.text(of: $0) }
    }

    @Test func `ways to split differ as their names say`() throws {
        #expect(try pieces("gpt-2", " 2023") == [" 2023"])
        #expect(try pieces("smollm", " 2023") == [" ", "2", "0", "2", "3"])
        #expect(try pieces("llama-bpe", " 2023") == [" ", "202", "3"])
        #expect(try pieces("qwen2", " 2023") == [" ", "2", "0", "2", "3"])
        #expect(try pieces("default", " 2023") == [" ", "202", "3"])
        #expect(try pieces("qwen2", "e\u{301}") == ["\u{FFFD}", "\u{FFFD}"])
    }

    // MARK: - SentencePiece

    /// Mistral's `tokenizer.model` as the metadata of a GGUF file.
    private static func mistral() throws -> Keys {
        let file = try SentencePieceFile(
            Array(Fixture.data("tokenizers/mistral-v1/tokenizer.model")))
        return [
            ("tokenizer.ggml.model", .text("llama")),
            ("tokenizer.ggml.tokens", .texts(file.pieces.map(\.text))),
            ("tokenizer.ggml.scores", .float32s(file.pieces.map(\.score))),
            (
                "tokenizer.ggml.token_type",
                .int32s(file.pieces.map { Int32($0.kind.rawValue) })
            ),
            ("tokenizer.ggml.bos_token_id", .uint32(1)),
            ("tokenizer.ggml.eos_token_id", .uint32(2)),
            ("tokenizer.ggml.unknown_token_id", .uint32(0)),
        ]
    }

    @Test func `ids of Mistral equal the reference`() throws {
        let directory = try #require(try Self.directory(try Self.mistral()))
        let cases = try Self.cases("mistral-v1")
        #expect(cases.count >= 50)
        // SentencePiece itself never finds control tokens in text; with chat templates they are.
        for one in cases where !one.text.contains("<s>") && !one.text.contains("</s>") {
            #expect(directory.tokenizer.encode(one.text, special: false) == one.ids)
        }
        #expect(directory.tokenizer.encode("a").first == 1)
        #expect(directory.tokenizer.stops == [2])
        let without = try Self.mistral() + [("tokenizer.ggml.add_space_prefix", .bool(false))]
        let other = try #require(try Self.directory(without)).tokenizer
        let first = other.encode("text", special: false)[0]
        #expect(other.token(first)?.hasPrefix("\u{2581}") == false)
    }

    // MARK: - Faults

    @Test func `a file without a tokenizer has none`() throws {
        #expect(try Self.directory([]) == nil)
        #expect(try Self.directory([("tokenizer.ggml.model", .text("none"))]) == nil)
    }

    @Test func `what is missing, wrong or unknown is named`() throws {
        func small(_ changes: Keys) -> Keys {
            let keys: Keys = [
                ("tokenizer.ggml.model", .text("gpt2")), ("tokenizer.ggml.pre", .text("gpt-2")),
                ("tokenizer.ggml.tokens", .texts(["a", "b", "ab"])),
                ("tokenizer.ggml.merges", .texts(["a b"])),
            ]
            return keys.filter { key, _ in !changes.contains { $0.0 == key } } + changes
        }
        #expect(complaint(small([])) == "none")
        #expect(
            complaint(small([("tokenizer.ggml.model", .text("t5"))]))
                == "m.gguf: its tokenizer is of kind \"t5\", which is not supported; supported are "
                + "gpt2 (byte-level BPE) and llama (SentencePiece BPE).")
        #expect(
            complaint(small([("tokenizer.ggml.pre", .text("martian"))]))
                .hasPrefix(
                    "m.gguf: its tokenizer splits text by \"martian\" (tokenizer.ggml.pre), which "
                        + "is not known here; known are a.x-4.0, "))
        #expect(
            complaint(small([("tokenizer.ggml.tokens", .texts(["a", "b", "a"]))]))
                == "m.gguf: its token 2, “a”, is there twice.")
        #expect(
            complaint(small([("tokenizer.ggml.token_type", .int32s([1, 1]))]))
                == "m.gguf: tokenizer.ggml.token_type has 2 values for 3 tokens.")
        #expect(
            complaint(small([("tokenizer.ggml.token_type", .int32s([1, 1, 9]))]))
                == "m.gguf: tokenizer.ggml.token_type has a value of 9; 0 to 6 exist.")
        #expect(
            complaint(small([("tokenizer.ggml.bos_token_id", .uint32(3))]))
                == "m.gguf: tokenizer.ggml.bos_token_id is 3, outside the 3 tokens of the file.")
        #expect(
            complaint(small([("tokenizer.ggml.add_bos_token", .bool(true))]))
                == "m.gguf: it asks for a token around texts, but has no "
                + "tokenizer.ggml.bos_token_id.")
        for merge in ["a", "", " a", "a "] {
            #expect(
                complaint(small([("tokenizer.ggml.merges", .texts([merge]))]))
                    == "m.gguf: tokenizer.ggml.merges: merge 0 is no pair.")
        }
        #expect(complaint(small([("tokenizer.ggml.merges", .texts(["a c"]))])) != "none")
        #expect(
            complaint(small([("tokenizer.ggml.add_bos_token", .uint32(1))]))
                == "m.gguf: tokenizer.ggml.add_bos_token is a whole number, where true or false "
                + "was expected.")
        let pieces = small([("tokenizer.ggml.model", .text("llama"))])
        #expect(
            complaint(pieces)
                == "m.gguf: it has a SentencePiece tokenizer, but no tokenizer.ggml.scores.")
        #expect(
            complaint(pieces + [("tokenizer.ggml.scores", .float32s([.nan, 0, 0]))]) != "none")
    }
}

extension String {
    /// The text as a tokenizer that composes letters gives it back.
    fileprivate func precomposedIfComposed(_ name: String) -> String {
        GGUFPreTokenizer.named(name)?.composes == true
            ? precomposedStringWithCanonicalMapping : self
    }
}
