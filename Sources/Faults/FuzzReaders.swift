import Foundation
import Sessions

/// Everything that reads what people and strangers give: valid inputs, and what is done with a
/// mutated one.
///
/// All of them go through a session, as a person's would. What they may do is end in a value or in a
/// sentence that names the file.
struct FuzzReader: Sendable {
    /// As the command line and the report name it.
    var name: String
    /// Valid inputs.
    var seeds: @Sendable (FuzzBench) throws -> [[UInt8]]
    /// Returns what is wrong with the answer, nil when it is right.
    var read: @Sendable (FuzzBench, [UInt8]) throws -> String?

    static let all: [FuzzReader] =
        languageReaders + lineReaders + modelReaders + workspaceReaders

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
                    "y = ones([3, 3]); y[0, :] + y[:, 1]; std(y)", "time range(10)",
                    "split(upper(\"a b\"), \" \"); unique([1, 1]); softmax(tensor([1, 2]))",
                ].map { Array($0.utf8) }
            },
            read: { bench, bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                _ = bench.session.completeness(of: text)
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
                // Parsed and not run: a script may take hours and write files.
                let text = String(decoding: bytes, as: UTF8.self)
                _ = bench.session.completeness(of: text)
                let list = bench.session.completions(in: text, at: text.utf8.count / 3)
                return list.replacing.lower <= list.replacing.upper ? nil : "a range is inverted"
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

    // MARK: Models

    /// A file of a model's folder; the others are as they should be.
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
    ]

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

/// Where inputs are read: a folder, and a session that keeps nothing.
final class FuzzBench {
    let folder: String
    /// The package's folder.
    let root: String
    private(set) var session: Session
    private(set) var objectPath = ""
    private var parts: [String: Data] = [:]
    /// Inputs that were read without a complaint.
    var accepted = 0
    private var count = 0

    init(folder: String, root: String) throws {
        self.folder = folder
        self.root = root
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        session = try FuzzBench.open(folder, nil)
    }

    private static func open(_ folder: String, _ workspace: String?, readOnly: Bool = true) throws
        -> Session
    {
        var configuration = Session.Configuration()
        configuration.directory = folder
        configuration.access = workspace == nil ? .ephemeral : readOnly ? .readOnly : .readWrite
        if let workspace { configuration.workspace = workspace }
        return try Session(configuration)
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    func remove(_ name: String) {
        try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }

    /// Runs statements; a failure must be said in words that name the file.
    func evaluate(_ source: String, naming file: String?, or others: [String] = []) -> String? {
        count += 1
        if count % 500 == 0 {
            // History and values of a session grow with its statements, as they should.
            session.close()
            if let fresh = try? FuzzBench.open(folder, nil) { session = fresh }
        }
        var problem: String?
        let isWell = session.evaluate(source) { outcome in
            guard case .failure(let failure) = outcome.result else { return }
            let text = failure.message
            if text.isEmpty {
                problem = "a failure without a word"
            } else if let file, !([file] + others).contains(where: text.contains) {
                problem = "the file is not named: \(text)"
            }
            _ = failure.rendered()
            _ = outcome.json
        }
        accepted += isWell ? 1 : 0
        return problem
    }

    func makeModel() throws {
        guard !FileManager.default.fileExists(atPath: folder + "/model") else { return }
        var failure: String?
        session.evaluate(
            """
            train tokenizer vocabulary=300 documents=20
            new model layers=1 width=16 vocabulary=300 context=32
            export model model
            """
        ) { if case .failure(let found) = $0.result { failure = found.message } }
        if let failure { throw FaultError(failure) }
    }

    func makeWorkspace() throws {
        remove("whole.samiws")
        remove("packed.h5")
        let made = try FuzzBench.open(folder, "whole.samiws", readOnly: false)
        var failure: String?
        made.evaluate(
            "x = [1, 2, 3]; y = zeros([3, 2]); x = \"text\"; undo; z = {\"a\": [1]}; rm z; "
                + "pack packed.h5"
        ) { if case .failure(let found) = $0.result { failure = found.message } }
        made.close()
        if let failure { throw FaultError(failure) }
        let base = folder + "/whole.samiws"
        let found = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String }
        objectPath =
            found?.filter { $0.hasSuffix(".h5") && $0.hasPrefix("objects") }.sorted().first ?? ""
        for path in found ?? [] {
            if let data = FileManager.default.contents(atPath: base + "/" + path) {
                parts[path] = data
            }
        }
    }

    /// The whole workspace again, as a copy.
    func restoreWorkspace() throws {
        remove("copy.samiws")
        for (path, data) in parts {
            let target = folder + "/copy.samiws/" + path
            try FileManager.default.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try data.write(to: URL(fileURLWithPath: target))
        }
    }

    /// Opens the copy, looks at all of it and makes a statement where it may.
    func openWorkspace() -> String? {
        count += 1
        let readOnly = count % 8 != 0
        do {
            let opened = try FuzzBench.open(folder, "copy.samiws", readOnly: readOnly)
            defer { opened.close() }
            var unsaid = false
            opened.evaluate("history; ls; x; y; verify", keepGoing: true) { outcome in
                if case .failure(let failure) = outcome.result {
                    unsaid = unsaid || failure.message.isEmpty
                }
            }
            if !readOnly {
                var failure: String?
                opened.evaluate("w = 1; undo; redo; gc") {
                    if case .failure(let found) = $0.result { failure = found.message }
                }
                // Where both accounts are damaged, `gc` may refuse until a statement went well.
                if let failure, opened.isReadOnly == false { return "afterwards: \(failure)" }
            }
            accepted += 1
            return unsaid ? "a failure without a word" : nil
        } catch {
            return "\(error)".contains("copy.samiws") ? nil : "the file is not named: \(error)"
        }
    }
}
