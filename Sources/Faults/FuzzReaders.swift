import ChatTemplates
import Foundation
import Notebooks
import Sessions
import Tokenizers

/// All readers of files and text from people and strangers: valid inputs, and the test of a mutated
/// input.
///
/// All of them go through a session, as a user's input would. They may only return a value, or fail
/// with a message that names the file.
struct FuzzReader: Sendable {
    /// The name on the command line and in the report.
    var name: String
    /// Valid inputs.
    var seeds: @Sendable (FuzzBench) throws -> [[UInt8]]
    /// Returns the fault of the result; nil if it is right.
    var read: @Sendable (FuzzBench, [UInt8]) throws -> String?

    static let all: [FuzzReader] =
        languageReaders + notebookReaders + lineReaders + dataReaders + modelReaders
        + workspaceReaders

    // MARK: The language

    private static let languageReaders = [
        FuzzReader(
            name: "statements",
            seeds: { _ in
                [
                    "x = tensor([1, 2.5, -3e-2]) * 2 ** 3 // 4", "mean(zeros([3, 4]), axis=1)",
                    "{\"a\": [1, {\"b\": true}], 'c': not false}.a[1].b",
                    "sort([3, 1, 2])[0:2]; reshape(range(12), [3, 4])[1, ::2] @ ones([2])",
                    "join([\"é\", '😀'], \", \") + \"\\u{1F600}\"", "sum([1, 2, 3]) == 6 and 1 < 2",
                    "y = ones([3, 3]); y[0, :] + y[..., 1]; std(y)",
                    "r = {\"a\": [1, {\"b\": 2}]}; r.a[1].b = 3; t = zeros(2, 2); t[0, 1] = pi; r",
                    "histogram([1, 2.5, 4], bins=2); quantile([1, 2], 0.3); concat([1], [2])",
                    "stack([1, 2], [3, 4], axis=1); cumsum(ones(2, 2), axis=0); range(0, 1, 0.3)",
                    "time range(10)",
                    "split(upper(\"a b\"), \" \"); unique([1, 1]); softmax(tensor([1, 2]))",
                ].map { Array($0.utf8) }
            },
            read: { bench, bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                _ = Session.parse(text)
                _ = bench.session.completions(in: text, at: text.utf8.count / 2)
                return bench.evaluate(text, naming: nil)
            }),
        FuzzReader(
            name: "scripts",
            seeds: { bench in
                let folder = bench.root + "/sessions"
                let names = try FileManager.default.contentsOfDirectory(atPath: folder)
                return names.filter { $0.hasSuffix(".sami") }.sorted().map {
                    [UInt8](FileManager.default.contents(atPath: folder + "/" + $0) ?? Data())
                }
            },
            read: { bench, bytes in
                // The script is parsed and not run: it could take hours and write files.
                let text = String(decoding: bytes, as: UTF8.self)
                _ = Session.parse(text)
                let list = bench.session.completions(in: text, at: text.utf8.count / 3)
                return list.replacing.lower <= list.replacing.upper ? nil : "a range is inverted"
            }),
    ]

    // MARK: Notebooks

    private static let notebookReaders = [
        FuzzReader(
            name: "notebooks",
            seeds: { bench in
                let path = bench.root + "/Tests/Fixtures/notebook.ipynb"
                return [[UInt8](FileManager.default.contents(atPath: path) ?? Data())]
            },
            read: { bench, bytes in
                do throws(NotebookError) {
                    var notebook = try Notebook(bytes, path: "a.ipynb")
                    bench.accepted += 1
                    let text = notebook.json.asJupyterWrites
                    let again = try Notebook(Array(text.utf8), path: "a.ipynb")
                    guard again.json.asJupyterWrites == text else {
                        return "it is written otherwise"
                    }
                    _ = notebook.mistakes(path: "a.ipynb")
                    let script = PercentScript.notebook(of: PercentScript.text(of: notebook))
                    guard script.cells.count == notebook.cells.count else {
                        return "cells are lost"
                    }
                    try? notebook.setParameters([("n", "2")], path: "a.ipynb")
                    return nil
                } catch {
                    return error.description.hasPrefix("a.ipynb: ") ? nil : "no file: \(error)"
                }
            }),
        FuzzReader(
            name: "percent scripts",
            seeds: { _ in
                [
                    "# %% [markdown] id=\"a\" tags=[\"x\"]\n# text\n\n# %%\nx = 1\n",
                    "# %% [raw] key={\"a\": [1, 2]}\n# %%\n## %% no\n",
                ].map { Array($0.utf8) }
            },
            read: { bench, bytes in
                bench.accepted += 1
                let notebook = PercentScript.notebook(of: String(decoding: bytes, as: UTF8.self))
                let again = PercentScript.notebook(of: PercentScript.text(of: notebook))
                let file = Array(notebook.json.asJupyterWrites.utf8)
                guard (try? Notebook(file, path: "a.ipynb")) != nil else { return "no notebook" }
                return again.cells.map(\.source) == notebook.cells.map(\.source)
                    ? nil : "a cell changes"
            }),
    ]

    // MARK: JSON Lines

    private static func lines(_ form: String, _ lines: [String]) -> FuzzReader {
        FuzzReader(
            name: "load \(form)",
            seeds: { _ in [Array((lines.joined(separator: "\n") + "\n").utf8)] },
            read: { bench, bytes in
                try bench.write(bytes, "lines.jsonl")
                return bench.evaluate("load \(form) lines.jsonl", naming: "lines.jsonl")
            })
    }

    private static let lineReaders = [
        lines(
            "queries",
            [
                #"{"id": "a", "post": "A post.\nOf two lines.", "title": "T", "summary": "s"}"#,
                #"{"id": 2, "question": "Why?"}"#, #"{"text": "a text \u00e9 😀"}"#,
            ]),
        lines(
            "constitutions",
            [
                #"{"positive": "1. Be short.\n2. Be kind.", "negative": "1. Be long.\n2. Be rude."}"#,
                #"{"principles": ["Be short."], "antitheses": ["Be long."]}"#,
            ]),
        lines(
            "principles",
            [
                #"{"principle": "Be short.", "antithesis": "Be long."}"#,
                #"{"principle": "Be kind.", "antithesis": "Be rude.", "form": "question"}"#,
                #"{"principle": "Ask.", "antithesis": "Tell.", "check": "matches(response, \"[?]$\") and words(query) < 9", "antithesis_check": "count(response, \"?\") == 0"}"#,
            ]),
        lines(
            "rollouts",
            [
                #"{"query": 0, "constitution": 0, "prompt": "p", "response": "r"}"#,
                #"{"query": 0, "constitution": 1, "prompt": "q", "response": "s"}"#,
                #"{"query": 1, "constitution": 0, "prompt": [1, 2], "response": [3]}"#,
                #"{"query": 1, "constitution": 1, "prompt": [4], "response": [5, 6]}"#,
            ]),
        FuzzReader(
            name: "server answers",
            seeds: { _ in
                [
                    Array(
                        #"{"request":{"url":"http://h/v1","body":{"n":1}},"answer":{"text":"é"}}"#
                            .utf8) + [10]
                ]
            },
            read: { bench, bytes in
                try bench.write(bytes, "lines.jsonl")
                return bench.evaluate(
                    "server x url=http://h/v1 model=\"m\" answers=lines.jsonl",
                    naming: "lines.jsonl")
            }),
        FuzzReader(
            name: "pretrain",
            seeds: { _ in
                [Array("{\"text\": \"one\"}\n{\"text\": \"two \\u00e9\", \"n\": 3}\n".utf8)]
            },
            read: { bench, bytes in
                try bench.write(bytes, "texts.jsonl")
                return bench.evaluate(
                    "train tokenizer texts.jsonl vocabulary=260", naming: "texts.jsonl")
            }),
    ]

    // MARK: Data

    /// A file that `export` writes for each of these values, read by `load`.
    private static func data(_ form: String, _ file: String, _ values: [String]) -> FuzzReader {
        FuzzReader(
            name: "load \(form) \(file)",
            seeds: { bench in try values.map { try bench.exported($0, to: file) } },
            read: { bench, bytes in
                try bench.write(bytes, file)
                return bench.evaluate(
                    "load \(form) \(file)", naming: file, or: ["no query is left to score"])
            })
    }

    private static let rows = """
        [{"id": "007", "n": 0.5, "ok": true, "text": "a, \\"b\\"\\nc"}, {"id": "é", "n": null}]
        """

    private static let dataReaders = [
        data("tensor", "x.npy", ["tensor([[1, 2.5], [3, -4]])", "tensor(1)"]),
        data("tensor", "x.safetensors", ["{\"a\": ones(3), \"b\": zeros(2, 2)}"]),
        data("tensor", "x.h5", ["{\"a\": ones(3), \"b\": zeros(2, 2)}"]),
        data("tensor", "x.csv", ["tensor([[1, 2.5], [3, -4e-3]])"]),
        data("tensor", "x.json", ["tensor([[[1, 2.5]], [[3, -4e-3]]])"]),
        data("table", "t.csv", [rows]), data("table", "t.json", [rows]),
        data("table", "t.jsonl", [rows]), data("table", "t.h5", [rows]),
        data("text", "t.txt", ["\"a text, é 😀\\n\""]),
        data(
            "queries", "q.csv", ["[{\"id\": 1, \"post\": \"a\"}, {\"id\": \"b\", \"post\": \"c\"}]"]
        ),
        data(
            "rollouts", "r.json",
            [
                """
                [{"query": 0, "constitution": 0, "prompt": "p", "response": "r"}, \
                {"query": 0, "constitution": 1, "prompt": "q", "response": "s"}]
                """
            ]),
    ]

    // MARK: Models

    /// One file of a model's directory; the other files are valid.
    private static func part(_ file: String, then: String = "") -> FuzzReader {
        FuzzReader(
            name: file,
            seeds: { bench in
                try bench.makeModel()
                return [
                    [UInt8](
                        FileManager.default.contents(
                            atPath: bench.folder + "/model/" + file) ?? Data())
                ]
            },
            read: { bench, bytes in
                try bench.write(bytes, "model/" + file)
                return bench.evaluate(
                    "load model model as=m" + then, naming: file,
                    or: ["model", "m.", "tokenizer"])
            })
    }

    private static let modelReaders = [
        part("config.json"),
        part("model.safetensors"),
        part("prompts.json"),
        FuzzReader(
            name: "model.gguf",
            seeds: { bench in
                let path = bench.root + "/Tests/Fixtures/gguf/llama.gguf"
                return [[UInt8](FileManager.default.contents(atPath: path) ?? Data())]
            },
            read: { bench, bytes in
                try bench.write(bytes, "model.gguf")
                return bench.evaluate("load model model.gguf as=m", naming: "model.gguf")
            }),
        FuzzReader(
            name: "tokenizer.json",
            seeds: { bench in
                try bench.makeModel()
                return [
                    [UInt8](
                        FileManager.default.contents(
                            atPath: bench.folder + "/model/tokenizer.json") ?? Data())
                ]
            },
            read: { bench, bytes in
                try bench.write(bytes, "tokenizer.json")
                return bench.evaluate(
                    "load tokenizer tokenizer.json; tokenize \"A text, é 😀.\"",
                    naming: "tokenizer")
            }),
        FuzzReader(
            name: "tokenizer.model",
            seeds: { _ in [sentencePieces] },
            read: { bench, bytes in
                bench.sentence {
                    let read = try TokenizerDirectory(files: ["tokenizer.model": Data(bytes)])
                    _ = read.tokenizer.encode("a ab é 😀")
                }
            }),
        FuzzReader(
            name: "chat templates",
            seeds: { _ in
                [
                    """
                    {%- set ns = namespace(last=0) -%}{{ bos_token }}
                    {%- for m in messages if m.role != 'tool' -%}
                    {{- '<|' ~ m['role'] ~ '|>\\n' + m.content | trim ~ (eos_token or '') -}}
                    {%- set ns.last = loop.index0 * 2 -%}{%- endfor -%}
                    {%- if add_generation_prompt and not (ns.last > 9) %}{{ '<|assistant|>' }}{% endif -%}
                    """,
                    """
                    {% macro say(x, n=1) %}{{ x | upper | replace('A', 'b') }}{{ n }}{% endmacro %}
                    {%- for i in range(3) %}{{ say(messages[0].content, n=i) }}{% else %}none{% endfor -%}
                    {{ messages | length }}{{ {'k': [1, 2.5, none]} | tojson }}{{ 7 // 2 % 3 ** 2 }}
                    {%- if messages[-1].role is defined %}{{ raise_exception('no') if false }}{% endif %}
                    """,
                ].map { Array($0.utf8) }
            },
            read: { bench, bytes in
                bench.sentence {
                    let template = try ChatTemplate(String(decoding: bytes, as: UTF8.self))
                    _ = try template.render(
                        messages: [
                            ChatMessage(role: "user", content: "An é 😀."),
                            ChatMessage(role: "assistant", content: " {{ no }} "),
                        ], variables: ["bos_token": "<s>", "eos_token": "</s>"])
                }
            }),
    ]

    /// A small file in SentencePiece's format: pieces, and the model type BPE.
    private static let sentencePieces: [UInt8] = {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            [number << 3 | 2, UInt8(bytes.count)] + bytes
        }
        func piece(_ text: String, _ score: Float, _ kind: UInt8) -> [UInt8] {
            let bits = score.bitPattern
            return field(
                1,
                field(1, Array(text.utf8)) + [2 << 3 | 5]
                    + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
                    + [3 << 3, kind])
        }
        var bytes = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3)
        for byte in 0..<256 {
            let digits = String(byte, radix: 16, uppercase: true)
            bytes += piece("<0x" + (digits.count < 2 ? "0" : "") + digits + ">", 0, 6)
        }
        for (place, text) in ["▁a", "ab", "▁", "a", "b", "é"].enumerated() {
            bytes += piece(text, -Float(place), 1)
        }
        // model_type: BPE; byte_fallback; bos_id and eos_id.
        bytes += field(2, [3 << 3, 2, 0x98, 0x02, 1, 0xC8, 0x02, 1, 0xD0, 0x02, 2])
        return bytes + field(3, [3 << 3, 1, 5 << 3, 1])
    }()

    // MARK: Workspaces

    private static func workspaceFile(
        _ name: String, _ path: @escaping @Sendable (FuzzBench) -> String
    ) -> FuzzReader {
        FuzzReader(
            name: name,
            seeds: { bench in
                try bench.makeWorkspace()
                return [
                    [UInt8](
                        FileManager.default.contents(
                            atPath: bench.folder + "/whole.samiws/" + path(bench)) ?? Data())
                ]
            },
            read: { bench, bytes in
                try bench.restoreWorkspace()
                try bench.write(bytes, "copy.samiws/" + path(bench))
                return bench.openWorkspace()
            })
    }

    private static let workspaceReaders = [
        workspaceFile("journal") { _ in "journal.jsonl" },
        workspaceFile("HEAD") { _ in "HEAD" },
        FuzzReader(
            name: "lock",
            seeds: { bench in
                try bench.makeWorkspace()
                return [
                    Array(
                        "{\"host\":\"h\",\"process\":12,\"since\":\"x\",\"check\":\"0123\"}\n".utf8)
                ]
            },
            read: { bench, bytes in
                try bench.restoreWorkspace()
                try bench.write(bytes, "copy.samiws/lock")
                return bench.openWorkspace()
            }),
        workspaceFile("objects") { $0.objectPath },
        FuzzReader(
            name: "packed files",
            seeds: { bench in
                try bench.makeWorkspace()
                return [
                    [UInt8](
                        FileManager.default.contents(atPath: bench.folder + "/packed.h5") ?? Data())
                ]
            },
            read: { bench, bytes in
                try bench.write(bytes, "mutated.h5")
                bench.remove("made.samiws")
                return bench.evaluate("unpack mutated.h5 made.samiws", naming: "mutated.h5")
            }),
    ]
}
