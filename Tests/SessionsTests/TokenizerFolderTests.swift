import Foundation
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import Values

/// A tokenizer with the files beside it.
@Suite struct TokenizerFolderTests {
    /// A folder `t` whose class puts `<s>` before a text and `</s>` after it.
    private func bench(_ access: Access = .ephemeral) throws -> Workbench {
        let bench = try Workbench(access: access)
        try FileManager.default.createDirectory(
            atPath: bench.folder + "/t", withIntermediateDirectories: true)
        try bench.write(
            "t/tokenizer.json",
            """
            {"added_tokens": [{"id": 3, "content": "<s>", "special": true},
               {"id": 4, "content": "</s>", "special": true}],
             "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
            """)
        try bench.write(
            "t/tokenizer_config.json",
            """
            {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>",
             "add_eos_token": true}
            """)
        return bench
    }

    @Test func `load tokenizer FOLDER reads what load model FOLDER reads`() throws {
        let bench = try bench(.readWrite)
        let tokenize = "tokenize \"abb\" tokenizer=tokenizer"
        #expect(
            try bench.text("load tokenizer t; x = \(tokenize); x").contains("[3, 2, 1, 4]"))
        // The file alone says nothing about tokens around a text.
        #expect(
            try bench.text("load tokenizer t/tokenizer.json; x = \(tokenize); x")
                .contains("[2, 1]"))
        // A workspace keeps the files.
        try bench.output("load tokenizer t")
        bench.session.close()
        try FileManager.default.removeItem(atPath: bench.folder + "/t")
        let later = try bench.reopened()
        defer { later.close() }
        let found = try #require(later.outcomes(of: "x = \(tokenize); x").last)
        #expect(try found.result.get().text.plain.contains("[3, 2, 1, 4]"))
    }

    @Test func `a folder that does not fit is refused with its fault`() throws {
        let bench = try bench()
        try bench.write("t/tokenizer_config.json", "{\"do_lower_case\": true}")
        #expect(
            bench.complaint("load tokenizer t").hasPrefix(
                "error: t: tokenizer_config.json beside the tokenizer cannot be used: the setting "
                    + "“do_lower_case” is not known here"))
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            try FileManager.default.removeItem(atPath: bench.folder + "/t/" + name)
        }
        #expect(
            bench.complaint("load tokenizer t").contains(
                "holds neither tokenizer.json nor tokenizer.model"))
    }
}
