import ChatTemplates
import Foundation
import Testing

@testable import Tokenizers

private func data(_ text: String) -> Data { Data(text.utf8) }

private let small = #"""
    {"added_tokens": [{"id": 3, "content": "<s>", "special": true},
       {"id": 4, "content": "</s>", "special": true}, {"id": 5, "content": "<|stop|>", "special": true}],
     "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
    """#

private let configuration = #"""
    {"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "<|stop|>",
     "chat_template": [{"name": "default", "template": "{{ bos_token }}{{ messages[0].content }}"},
                       {"name": "tool_use", "template": "T"}]}
    """#

@Suite struct TokenizerDirectoryTests {
    private func sentence(_ files: [String: String]) -> String {
        do {
            _ = try TokenizerDirectory(files: files.mapValues(data), path: "M")
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func specialTokensStopsAndTemplatesComeFromTheFilesBeside() throws {
        let files = [
            "tokenizer.json": small, "tokenizer_config.json": configuration,
            "generation_config.json": #"{"eos_token_id": [5, 4]}"#,
        ].mapValues(data)
        let directory = try TokenizerDirectory(files: files)
        #expect((directory.tokenizer.bos, directory.tokenizer.eos) == (3, 5))
        #expect(directory.tokenizer.stops == [5, 4])
        #expect(Set(directory.templates.keys) == ["default", "tool_use"])
        #expect(try directory.prompt([ChatMessage(role: "user", content: "ab")]) == "<s>ab")
        #expect(directory.tokenizer.encode("<s>ab", special: false) == [3, 2])
        #expect(directory.files == files)
    }

    @Test func aTemplateFileGoesBeforeTheConfiguration() throws {
        let directory = try TokenizerDirectory(
            files: [
                "tokenizer.json": small, "tokenizer_config.json": configuration,
                "chat_template.jinja": "J{{ eos_token }}",
                "additional_chat_templates/rag.jinja": "R",
            ].mapValues(data))
        #expect(try directory.prompt([]) == "J<|stop|>")
        #expect(directory.templates["rag"] == "R")
        #expect(try directory.template("none") == nil)
    }

    @Test func theClassesThatSetTheTokensAroundATextDoSo() throws {
        func ids(_ configuration: String) throws -> [Int32] {
            try TokenizerDirectory(
                files: ["tokenizer.json": small, "tokenizer_config.json": configuration]
                    .mapValues(data)
            ).tokenizer.encode("a")
        }
        let names = #""bos_token": "<s>", "eos_token": "</s>""#
        #expect(try ids(#"{"tokenizer_class": "LlamaTokenizer", \#(names)}"#) == [3, 0])
        #expect(
            try ids(#"{"tokenizer_class": "LlamaTokenizerFast", "add_eos_token": true, \#(names)}"#)
                == [3, 0, 4])
        #expect(
            try ids(#"{"tokenizer_class": "LlamaTokenizer", "add_bos_token": false, \#(names)}"#)
                == [0])
        #expect(
            try ids(
                #"{"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": true, \#(names)}"#
            )
                == [0])
    }

    @Test func whatIsMissingOrWrongIsSaid() {
        #expect(sentence([:]) == "M holds neither tokenizer.json nor tokenizer.model")
        #expect(
            sentence(["vocab.json": "{}"]).hasPrefix(
                "M holds neither tokenizer.json nor tokenizer.model; vocab.json and merges.txt alone"
            ))
        #expect(
            sentence(["tokenizer.json": small, "tokenizer_config.json": "{"])
                == "tokenizer_config.json beside the tokenizer cannot be used: "
                + "it is not JSON: line 1, column 2: the text ends too early")
        #expect(
            sentence([
                "tokenizer.json": small,
                "tokenizer_config.json":
                    #"{"tokenizer_class": "LlamaTokenizer", "bos_token": "<x>"}"#,
            ]) == "tokenizer_config.json beside the tokenizer cannot be used: it names “<x>” as "
                + "bos_token, which the tokenizer does not have")
        let directory = try? TokenizerDirectory(files: ["tokenizer.json": data(small)])
        #expect(throws: TokenizerError.noTemplate) { try directory?.prompt([]) }
        #expect(
            throws: TokenizerError.unreadable(path: "/no/such", reason: "no such folder")
        ) { try TokenizerDirectory("/no/such") }
    }

    @Test func aTemplateThatCannotBeReadDoesNotKeepTheTokenizerFromLoading() throws {
        let directory = try TokenizerDirectory(
            files: ["tokenizer.json": small, "chat_template.jinja": "{% if %}"].mapValues(data))
        #expect(directory.tokenizer.encode("ab") == [2])
        #expect(throws: TemplateError.self) { try directory.prompt([]) }
    }

    @Test func textThatSpellsATokenOutMakesItInAModelFilesDirectoryToo() throws {
        let directory = try TokenizerDirectory(
            files: [
                "tokenizer.model": Data(ModelWriter.small),
                "tokenizer_config.json": data(
                    #"""
                    {"added_tokens_decoder": {
                       "2": {"content": "</s>", "special": true},
                       "266": {"content": "<|im_end|>", "special": true},
                       "4": {"content": "wrong", "special": true}}}
                    """#),
            ])
        let tokenizer = directory.tokenizer
        #expect(tokenizer.encode("<s>a</s><|im_end|>", special: false) == [1, 260, 2, 266])
        #expect((tokenizer.bos, tokenizer.eos) == (1, 2))
        #expect(tokenizer.id("wrong") == nil && tokenizer.idLimit == 267)
        // The model file alone encodes such text as ordinary text, as SentencePiece does.
        let alone = Tokenizer(core: try TokenizerCore(sentencePiece: ModelWriter.small))
        #expect(alone.encode("<s>", special: false) != [1])
    }
}
