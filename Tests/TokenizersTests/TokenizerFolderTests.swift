import Foundation
import JSON
import TestSupport
import Testing

@testable import Tokenizers

/// Settings of the files beside a tokenizer. Oracle: transformers 5 on the same folders,
/// Tests/Fixtures/tokenizers/folders.jsonl.
@Suite struct TokenizerFolderTests {
    struct Folder: Decodable, Sendable, CustomTestStringConvertible {
        struct Case: Decodable, Sendable {
            var text: String
            var ids: [Int32]
        }
        var name: String
        var files: [String: String]
        var cases: [Case]

        var testDescription: String { name }

        /// The files by name, base64 decoded.
        var content: [String: Data] {
            Dictionary(
                uniqueKeysWithValues: files.map { name, text in
                    name.hasSuffix(".base64")
                        ? (String(name.dropLast(7)), Data(base64Encoded: text) ?? Data())
                        : (name, Data(text.utf8))
                })
        }
    }

    static let folders =
        (try? Fixture.lines("tokenizers/folders.jsonl", as: Folder.self)) ?? []

    @Test func `the fixture has every folder`() { #expect(Self.folders.count == 11) }

    @Test(arguments: folders)
    func `ids are those of transformers`(_ folder: Folder) throws {
        let tokenizer = try TokenizerDirectory(files: folder.content).tokenizer
        for example in folder.cases {
            #expect(tokenizer.encode(example.text) == example.ids, "\(example.text)")
        }
    }

    private static let small = #"""
        {"added_tokens": [{"id": 3, "content": "<s>", "special": true},
           {"id": 4, "content": "</s>", "special": true}],
         "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
        """#

    private func read(_ configuration: String, isAccepted: Bool = false) throws -> Tokenizer {
        try TokenizerDirectory(
            files: [
                "tokenizer.json": Data(Self.small.utf8),
                "tokenizer_config.json": Data(configuration.utf8),
            ], isAccepted: isAccepted
        ).tokenizer
    }

    private func complaint(_ configuration: String) -> String {
        do {
            _ = try read(configuration)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    /// A text that is continued or scored has no end.
    @Test func `the token after a text is left out of a beginning`() throws {
        let tokenizer = try read(
            #"""
            {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>",
             "add_eos_token": true}
            """#)
        #expect(tokenizer.encode("ab") == [3, 2, 4])
        #expect(tokenizer.encode(beginning: "ab") == [3, 2])
    }

    @Test func `a setting that is not known is refused by name`() throws {
        #expect(
            complaint(#"{"do_lower_case": true}"#)
                == "tokenizer_config.json beside the tokenizer cannot be used: the setting "
                + "“do_lower_case” is not known here and may change the token ids; if it does not, "
                + "remove it from the file")
        #expect(
            complaint(#"{"fix_mistral_regex": true}"#).contains("the setting “fix_mistral_regex”"))
        #expect(
            complaint(#"{"do_lower_case": false, "sp_model_kwargs": {}, "x": null}"#) == "none")
        #expect(
            complaint(
                #"{"model_max_length": 1e30, "padding_side": "left", "model_type": "gpt2", "_a": 1}"#
            )
                == "none")
        _ = try read(#"{"do_lower_case": true}"#, isAccepted: true)
    }

    @Test func `add_prefix_space that contradicts the file is refused`() {
        #expect(
            complaint(#"{"add_prefix_space": true}"#)
                == "tokenizer_config.json beside the tokenizer cannot be used: add_prefix_space is "
                + "true, and tokenizer.json puts no blank before a text; programs disagree on which "
                + "counts, so make them agree, or remove add_prefix_space")
        #expect(complaint(#"{"add_prefix_space": false}"#) == "none")
    }

    @Test func `minus one is no stop`() throws {
        let directory = try TokenizerDirectory(
            files: [
                "tokenizer.json": Data(Self.small.utf8),
                "generation_config.json": Data(#"{"eos_token_id": -1}"#.utf8),
            ])
        #expect(directory.tokenizer.stops == [4])
    }
}
