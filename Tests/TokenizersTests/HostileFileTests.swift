import Foundation
import Testing

@testable import Tokenizers

/// The message for an invalid file, empty for a valid one.
private func complaint(_ json: String) -> String {
    do {
        _ = try Tokenizer(json: json)
        return ""
    } catch {
        return "\(error)"
    }
}

/// A small valid file, with parts to replace.
private func file(
    vocab: String = #"{"a": 0, "b": 1, "ab": 2}"#, merges: String = #"["a b"]"#,
    model: String = "", rest: String = ""
) -> String {
    #"{"model": {"type": "BPE", "vocab": \#(vocab), "merges": \#(merges)\#(model)}\#(rest)}"#
}

@Suite struct HostileFileTests {
    @Test func theSmallFileItselfIsFine() throws {
        let tokenizer = try Tokenizer(json: file())
        #expect(tokenizer.encode("abba") == [2, 1, 0])
        #expect(try Tokenizer(json: file(merges: #"[["a", "b"]]"#)).encode("ab") == [2])
    }

    @Test(arguments: [
        ("", "line 1, column 1: the text ends too early"),
        ("{", "line 1, column 2: the text ends too early"),
        ("{\n \"a\" 1}", "line 2, column 6: a colon was expected after a key"),
        ("{\"a\": tru}", "line 1, column 7: a value was expected"),
        ("{\"a\": \"\\ud800x\"}", "line 1, column 14: half of a surrogate pair stands alone"),
        ("{\"a\": \"\\x\"}", "line 1, column 9: this escape is not one that JSON has"),
        (
            "{\"a\": \"\n\"}",
            "line 1, column 8: the closing quote is missing before the end of the line"
        ),
        ("{\"a\": \"x", "line 1, column 9: the closing quote is missing"),
        ("{} {}", "line 1, column 4: more text follows the end of the value"),
        ("[1,]", "line 1, column 4: a value was expected"),
        ("{\"a\": 01}", "line 1, column 9: this is not a number"),
    ])
    func brokenJSONIsSaidWithItsPlace(_ json: String, _ expected: String) {
        #expect(complaint(json) == "the tokenizer file is not valid JSON: " + expected)
    }

    @Test func deepNestingIsRefused() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(
            complaint(deep) == "the tokenizer file is not valid JSON: line 1, column 129: "
                + "it is nested more than 128 deep")
        let pairs = (0..<200).reduce("1") { inner, _ in "{\"a\":\(inner)}" }
        #expect(complaint(pairs).contains("nested more than 128 deep"))
    }

    private static let unknown =
        "is not supported, and ignoring it would change the token ids"
    private static let ids = "ids are whole numbers from 0 to 4194303"

    private static let wrongFiles: [(String, String)] = [
        (
            #"{"a": 1}"#,
            "a in the tokenizer file \(unknown)"
        ),
        ("[]", "the document in the tokenizer file should be an object, not a list"),
        ("{}", "the tokenizer file has no model"),
        (#"{"model": 3}"#, "model in the tokenizer file should be an object, not a number"),
        (
            #"{"model": {"type": "Unigram"}}"#,
            "a tokenizer of type “Unigram” is not supported; BPE is: byte-pair encoding, which Llama, "
                + "Mistral, Qwen and GPT-2 have"
        ),
        (
            file(vocab: #"{"a": 0, "a": 1}"#),
            "the tokenizer file is not valid JSON: line 1, column 45: the key \"a\" occurs twice"
        ),
        (file(vocab: #"{"a": 0, "b": 0}"#), "tokens “a” and “b” have the same id 0"),
        (
            file(vocab: #"{"a": -1}"#),
            "token “a” in model.vocab has the id -1; \(ids)"
        ),
        (
            file(vocab: #"{"a": 1.5}"#),
            "token “a” in model.vocab has the id 1.5; \(ids)"
        ),
        (
            file(vocab: #"{"a": 1e18}"#),
            "token “a” in model.vocab has the id 1000000000000000000; \(ids)"
        ),
        (
            file(vocab: #"{"a": "x"}"#),
            "token “a” in model.vocab has the id “x”; \(ids)"
        ),
        (file(vocab: "[]"), "model.vocab in the tokenizer file should be an object, not a list"),
        (file(merges: #"["a c"]"#), "merge 0 names “c”, which is not in the vocabulary"),
        (file(merges: #"["a b", "b a"]"#), "merge 1 makes “ba”, which is not in the vocabulary"),
        (file(merges: #"["ab"]"#), "merge 0 is “ab”; a merge is two tokens"),
        (file(merges: #"["a  b"]"#), "merge 0 is “a  b”; a merge is two tokens"),
        (file(merges: #"[["a"]]"#), "merge 0 is “a list of 1”; a merge is two tokens"),
        (file(merges: "[7]"), "merge 0 is “a number”; a merge is two tokens"),
        (
            file(model: #", "dropout": 0.1"#),
            "model.dropout = 0.1 in the tokenizer file is not supported"
        ),
        (
            file(model: #", "end_of_word_suffix": "</w>""#),
            "model.end_of_word_suffix = </w> in the tokenizer file is not supported"
        ),
        (
            file(rest: #", "pre_tokenizer": {"type": "BertPreTokenizer"}"#),
            "pre_tokenizer of type “BertPreTokenizer” is not supported; these are: "
        ),
        (file(rest: #", "pre_tokenizer": {}"#), "the tokenizer file has no pre_tokenizer.type"),
        (
            file(rest: #", "decoder": {"type": "ByteLevel", "speed": 3}"#),
            "decoder.speed in the tokenizer file \(unknown)"
        ),
        (
            // The next free id, which the count of the vocabulary gives, is taken.
            file(
                vocab: #"{"a": 0, "b": 3, "ab": 1}"#,
                rest: #", "added_tokens": [{"id": 9, "content": "x"}]"#),
            "tokens “b” and “x” have the same id 3"
        ),
        (
            file(rest: #", "added_tokens": [{"id": 3e9, "content": "x"}]"#),
            "token “x” in added_tokens[0].id has the id 3000000000; \(ids)"
        ),
        (
            file(
                rest:
                    #", "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}]}"#
            ),
            "the post-processor adds “<s>” but does not give its id"
        ),
    ]

    @Test(arguments: wrongFiles)
    func whatAFileSaysWrongIsNamed(_ json: String, _ expected: String) {
        let complaint = complaint(json)
        #expect(complaint.hasPrefix(expected) && !complaint.isEmpty, "\(complaint)")
    }

    @Test func cutAtAnyByteAFileIsASentence() throws {
        let whole = try String(contentsOfFile: fixturePath("trained.json"), encoding: .utf8)
        let bytes = Array(whole.utf8)
        for end in stride(from: 0, to: bytes.count - 1, by: 499) {
            #expect(!complaint(String(decoding: bytes[..<end], as: UTF8.self)).isEmpty)
        }
    }

    @Test func filesThatAreNoneAreSaid() throws {
        func message(_ path: String) -> String {
            do {
                _ = try Tokenizer(file: path)
                return ""
            } catch {
                return "\(error)"
            }
        }
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "tokenizers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let missing = folder.appending(path: "none.json").path
        #expect(message(missing) == "cannot read \(missing): no such file or directory")
        #expect(
            message(folder.path)
                == "cannot read \(folder.path): it is a folder; give the tokenizer.json in it")
        let empty = folder.appending(path: "empty.json")
        try Data().write(to: empty)
        #expect(
            message(empty.path) == "\(empty.path) is empty; a tokenizer.json was expected")
        let binary = folder.appending(path: "binary.json")
        try Data([0x7B, 0xFF, 0xFE]).write(to: binary)
        #expect(
            message(binary.path)
                == "the tokenizer file is not UTF-8 text; is it a tokenizer.json?")
    }

    /// A word of a million letters must not take a million squared.
    @Test func longWordsAreMergedInReasonableTime() throws {
        let tokenizer = try Tokenizer(file: fixturePath("trained.json"))
        let text = String(repeating: "boatharbour", count: 100_000)
        let ids = tokenizer.encode(text)
        #expect(tokenizer.decode(ids) == text)
    }

    @Test func tokensThatLookAlikeStayApart() throws {
        // Both spellings of é are tokens; Swift calls the strings equal, the file does not.
        let vocab = #"{"\u00e9": 0, "e\u0301": 1, "e": 2, "\u0301": 3}"#
        let tokenizer = try Tokenizer(json: file(vocab: vocab, merges: #"["e \u0301"]"#))
        #expect(tokenizer.encode("\u{E9}") == [0])
        #expect(tokenizer.encode("e\u{301}") == [1])
        #expect(tokenizer.id("\u{E9}") == 0 && tokenizer.id("e\u{301}") == 1)
    }
}
