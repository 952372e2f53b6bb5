import Foundation
import TestSupport
import Testing

@testable import Commands
@testable import Rendering
@testable import Sessions
@testable import ShippedWorld
@testable import Values

/// The messages for invalid input: a whole sentence each. The workspace stays unchanged.
@Suite struct BadInputTests {
    private func check(
        _ source: String, _ expected: String, files: [String: String] = [:], setup: String = "",
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let bench = try Workbench()
        for (name, content) in files { try bench.write(name, content) }
        if !setup.isEmpty { try bench.output(setup, location) }
        let before = bench.session.workspace.names
        #expect(bench.complaint(source, location) == expected, sourceLocation: location)
        #expect(bench.session.workspace.names == before, sourceLocation: location)
    }

    private let queries = """
        queries = [{"id": "a", "post": "one"}, {"id": "b", "post": "two"}]
        principles = [{"principle": "Be brief.", "antithesis": "Be long."}]
        """

    @Test func `a missing file`() throws {
        try check(
            "load queries posts.jsonl",
            """
            error: there is no file posts.jsonl
              load queries posts.jsonl
                           ^~~~~~~~~~~
              did you mean `post.jsonl`?
            """, files: ["post.jsonl": "{}"])
    }

    @Test func `an id of the Hub`() throws {
        try check(
            "load model no-owner/no-model",
            """
            error: there is no folder no-owner/no-model here, and the cache of the Hugging Face Hub \
            does not hold that model
              load model no-owner/no-model
                         ^~~~~~~~~~~~~~~~~
              in a shell: hf download no-owner/no-model
            """)
    }

    @Test func `a folder`() throws {
        try check(
            "load queries .",
            """
            error: . is a folder, and a file was expected
              load queries .
                           ^
            """)
    }

    @Test func `an empty file`() throws {
        for content in ["", "\n  \n"] {
            try check(
                "load rollouts r.jsonl",
                """
                error: r.jsonl is empty
                  load rollouts r.jsonl
                                ^~~~~~~
                """, files: ["r.jsonl": content])
        }
    }

    @Test func `a wrong field on line 17`() throws {
        var lines = (0..<30).map { "{\"id\": \"q\($0)\", \"post\": \"text\"}" }
        lines[16] = "{\"id\": \"q16\", \"pots\": \"text\"}"
        try check(
            "load queries q.jsonl",
            """
            error: q.jsonl, line 17: `post`, `question` or `text` is missing; `pots` may be meant for \
            `post`
              load queries q.jsonl
                           ^~~~~~~
            """, files: ["q.jsonl": lines.joined(separator: "\n")])
        lines[16] = "{\"id\": \"q16\", \"post\": 12}"
        try check(
            "load queries q.jsonl",
            """
            error: q.jsonl, line 17: `post` must be text, not a number
              load queries q.jsonl
                           ^~~~~~~
            """, files: ["q.jsonl": lines.joined(separator: "\n")])
        lines[16] = "{\"id\": \"q16\" \"post\": \"x\"}"
        try check(
            "load queries q.jsonl",
            """
            error: q.jsonl, line 17: a comma or } was expected (column 14)
              load queries q.jsonl
                           ^~~~~~~
            """, files: ["q.jsonl": lines.joined(separator: "\n")])
    }

    @Test func `lines of the wrong form`() throws {
        try check(
            "load constitutions c.jsonl",
            """
            error: c.jsonl, line 1: `positive` is there, and `negative` is missing
              load constitutions c.jsonl
                                 ^~~~~~~
            """, files: ["c.jsonl": "{\"positive\": \"1. A\"}"])
        try check(
            "load rollouts r.jsonl",
            """
            error: r.jsonl, line 2: `constitution` must be a whole number, not text
              load rollouts r.jsonl
                            ^~~~~~~
            """,
            files: [
                "r.jsonl": """
                {"query": 0, "constitution": 0, "prompt": "p", "response": "r"}
                {"query": 0, "constitution": "1", "prompt": "p", "response": "r"}
                """
            ])
    }

    @Test func `nothing to work with names the command that makes it`() throws {
        try check(
            "score",
            """
            error: `score` needs `model`, and the workspace has none
              score
              ^~~~~
              make it first: load model default
            """)
        try check(
            "compose",
            """
            error: `compose` needs `queries`, and the workspace has none
              compose
              ^~~~~~~
              make it first: load queries PATH
            """)
        try check(
            "contrast",
            """
            error: `contrast` needs `logprobs`, and the workspace has none
              contrast
              ^~~~~~~~
              make it first: score
            """)
    }

    @Test func `update without gradients`() throws {
        try check(
            "update",
            """
            error: `update` needs `gradients`, and the workspace has none
              update
              ^~~~~~
              make it first: backward
            """, setup: "new model layers=1 width=32 vocabulary=300 context=64")
    }

    @Test func `C larger than the number of distinct constitutions`() throws {
        let bench = try Workbench()
        try bench.output(queries)
        let message = bench.complaint("compose count=3")
        #expect(
            message == """
                error: 3 constitutions were asked for, but 1 principle and its antithesis make at \
                most 2 different ones
                  compose count=3
                  ^~~~~~~
                """)
    }

    @Test func `shapes that do not match`() throws {
        try check(
            "contrast tensor([[1, 2, 3], [4, 5, 6]])",
            """
            error: query 0 has 2 constitutions and 3 responses: a contrast needs at least two \
            constitutions and the same number of responses for each
              contrast tensor([[1, 2, 3], [4, 5, 6]])
                       ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
            """)
    }

    @Test func `an index out of range`() throws {
        try check(
            "queries[2]",
            """
            error: index 2 is out of range: the list has 2 items, 0 to 1
              queries[2]
                      ^
            """, setup: queries)
    }

    @Test func `an unknown key`() throws {
        try check(
            "rollout temprature=0.7",
            """
            error: `rollout` has no key `temprature`
              rollout temprature=0.7
                      ^~~~~~~~~~
              did you mean `temperature`?
              try: rollout temperature=0.7
            """)
    }

    @Test func `a number where text belongs, and the other way round`() throws {
        try check(
            "generate 12",
            """
            error: `prompt` must be text, not a number
              generate 12
                       ^~
            """,
            setup: "train tokenizer vocabulary=280 documents=20\n"
                + "new model layers=1 width=32 context=64")
        try check(
            "rollout temperature=\"warm\"",
            """
            error: `temperature` must be a number, not text
              rollout temperature="warm"
                                  ^~~~~~
            """,
            setup: "train tokenizer vocabulary=280 documents=20\n"
                + "new model layers=1 width=32 context=64\n\(queries)\ncompose")
        try check(
            "score rollouts=3",
            """
            error: `score` has no key `rollouts`
              score rollouts=3
                    ^~~~~~~~
              its keys are `normalize`, `score_end`, `per_token`, `overflow` and `model`
            """)
    }

    @Test func `a value of another kind than the verb needs`() throws {
        try check(
            "contrast [1, 2]",
            """
            error: `logprobs` must be logprobs, not a list
              contrast [1, 2]
                       ^~~~~~
            """)
        try check(
            "backward",
            """
            error: `rollouts` must be rollouts, not a number
              backward
              ^~~~~~~~
              or a list of records like {"query": "a", "constitution": 0, "response": "A response."}
            """, setup: "rollouts = 1")
        try check(
            "describe 3 evaluate=1",
            """
            error: what `evaluate` measures must be a model, not a number
              describe 3 evaluate=1
                       ^
            """)
    }

    @Test func `settings out of range`() throws {
        let model =
            "train tokenizer vocabulary=280 documents=20\n"
            + "new model layers=1 width=32 context=64\n\(queries)\ncompose"
        try check(
            "rollout temperature=-1",
            """
            error: `temperature` must be at least 0, not -1
              rollout temperature=-1
                                  ^~
            """, setup: model)
        try check(
            "rollout max_tokens=2.5",
            """
            error: `max_tokens` must be a whole number, not 2.5
              rollout max_tokens=2.5
                                 ^~~
            """, setup: model)
        try check(
            "seed -3",
            """
            error: `value` must be at least 0, not -3
              seed -3
                   ^~
            """)
        try check(
            "train tokenizer vocabulary=100",
            """
            error: a vocabulary of 100 tokens is too small: bytes and special tokens alone take 259
              train tokenizer vocabulary=100
              ^~~~~
            """)
    }

    @Test func `a folder that is no model, and a model without a tokenizer`() throws {
        let bench = try Workbench()
        #expect(
            bench.complaint("load model nowhere") == """
                error: there is no folder nowhere here; a model is a folder in Hugging Face form, a \
                GGUF file, or a name of the Hub
                  load model nowhere
                             ^~~~~~~
                  in a shell: hf download nowhere
                """)
        #expect(bench.complaint("load model .").contains("config.json cannot be read"))
        try bench.output("new model layers=1 width=32 vocabulary=300 context=64")
        #expect(
            bench.complaint("generate \"x\"") == """
                error: `generate` needs a tokenizer, and this model came without one
                  generate "x"
                  ^~~~~~~~
                  load tokenizer PATH
                """)
        #expect(
            bench.complaint("new model width=64 heads=2 key_value_heads=3 vocabulary=10").hasPrefix(
                "error: the new model"))
    }

    @Test func `files that cannot be written`() throws {
        try check(
            "x = 1; export x nowhere/x.json",
            """
            error: nowhere/x.json cannot be written: there is no folder FOLDER/nowhere
              x = 1; export x nowhere/x.json
                              ^~~~~~~~~~~~~~
            """, maskingFolder: true)
        try check(
            "export 1 x.npz",
            """
            error: a number cannot be written as `.npz`
              export 1 x.npz
                       ^~~~~
              use `.json`, `.npy`, `.safetensors`, `.h5` or `.html`
            """)
        try check(
            "export \"a text\" x.npy",
            """
            error: text cannot be written as `.npy`
              export "a text" x.npy
                              ^~~~~
              use `.json`, `.txt`, `.h5` or `.html`
            """)
    }

    private func check(_ source: String, _ expected: String, maskingFolder: Bool) throws {
        let bench = try Workbench()
        let message = bench.complaint(source).replacingOccurrences(of: bench.folder, with: "FOLDER")
        #expect(message == expected)
    }

    @Test func `plots of what is no number`() throws {
        try check(
            "plot \"text\"",
            """
            error: what is plotted must be numbers, a matrix, a log or verdicts, not text
              plot "text"
                   ^~~~~~
            """)
    }

    @Test func `files of random bytes never end the process`() throws {
        let bench = try Workbench()
        var generator = SeededGenerator(9)
        let verbs = [
            "load queries f", "load rollouts f", "load constitutions f", "load tokenizer f",
            "load model f", "new model f", "source f", "unpack f other.samiws",
            "tokenize f field=text", "train tokenizer f", "load model f prompts=f", "open f",
        ]
        for round in 0..<20 {
            var bytes = (0..<(round * 37 + 1)).map { _ in
                UInt8(truncatingIfNeeded: generator.next())
            }
            if round % 2 == 1 { bytes = Array("{\"post\": ".utf8) + bytes }
            try Data(bytes).write(to: URL(fileURLWithPath: bench.folder + "/f"))
            for verb in verbs { #expect(!bench.complaint(verb).isEmpty, "\(verb)") }
        }
    }
}
