import Alignment
import CommandLanguage
import Foundation
import NumberTypes
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values
import Workspaces
import Worlds

extension CommandTable {
    static let loadCommands: [Command] = [
        Command(
            "load", .data,
            "reads a model, queries, principles, constitutions, rollouts or a tokenizer",
            about: """
                Files of queries, constitutions and rollouts are JSON Lines, one record a line. A \
                query is {"id": …, "post": …}, {"id": …, "question": …} or {"text": …}; a line of \
                constitutions {"positive": "1. …\\n2. …", "negative": "…"} or {"principles": […], \
                "antitheses": […]}; a line of rollouts {"query": 0, "constitution": 1, "prompt": …, \
                "response": …} with texts or lists of token ids.
                """,
            forms: [
                Command.Form(
                    "model", "reads a model directory", makes: ["model", "base"],
                    operands: [
                        .required(
                            "path",
                            .either([Choice("default", "the model that ships with sami")], .path),
                            "a Hugging Face directory, or a workspace value in parentheses")
                    ],
                    options: [
                        OptionSpecification(
                            "dtype",
                            .words([
                                Choice("stored", "as they are in the file (default)"),
                                Choice("float32", "four bytes a weight"),
                                Choice("bfloat16", "two bytes, the range of float32"),
                                Choice("float16", "two bytes, finer and narrower"),
                            ]), "how weights are held; arithmetic is in float32"),
                        OptionSpecification(
                            "rotary",
                            .words([
                                Choice("exact", "as the configuration says (default)"),
                                Choice("bfloat16", "as in a model that was cast whole in PyTorch"),
                            ]), "how exact the rotary frequencies are"),
                        OptionSpecification("as", .name, "a name for it in place of `model`"),
                        OptionSpecification(
                            "prompts",
                            .either(
                                [
                                    Choice("tiny", "the shipped model's format"),
                                    Choice("general", "plain instructions"),
                                ], .path),
                            "prompt templates: a prompts.json or a folder of .txt files"),
                        OptionSpecification(
                            "join", .text,
                            "what stands between a prompt and its response; a blank"),
                    ],
                    example: "load model default", run: loadModel),
                Command.Form(
                    "queries", "reads what users ask, or takes it from the shipped world",
                    makes: ["queries"],
                    operands: [
                        .required(
                            "path",
                            .either(
                                [
                                    Choice("summaries", "posts of the shipped world"),
                                    Choice("answers", "questions of the shipped world"),
                                ], .path),
                            "a JSON Lines file")
                    ],
                    options: [
                        OptionSpecification(
                            "split",
                            .words([
                                Choice("train", "to train on (default)"),
                                Choice("test", "held out"),
                            ]), "which part of the shipped world"),
                        OptionSpecification("count", .number, "how many; 64 of the shipped world"),
                        OptionSpecification("first", .number, "how many to pass over; 0"),
                        OptionSpecification("seed", .number, "another world of queries; 0"),
                    ],
                    example: "load queries summaries split=test count=4", run: loadQueries),
                loadPrinciplesForm,
                Command.Form(
                    "constitutions", "reads constitutions", makes: ["constitutions"],
                    operands: [.required("path", .path, "a JSON Lines file")],
                    example: "load constitutions constitutions.jsonl", run: loadConstitutions),
                Command.Form(
                    "rollouts", "reads prompts and responses", makes: ["rollouts"],
                    operands: [.required("path", .path, "a JSON Lines file")],
                    options: [
                        OptionSpecification(
                            "join", .text, "what stands between a prompt and its response; nothing")
                    ],
                    example: "load rollouts rollouts.jsonl", run: loadRollouts),
                loadResponsesForm,
                Command.Form(
                    "tokenizer", "reads a tokenizer alone", makes: ["tokenizer"],
                    operands: [
                        .required(
                            "path", .path,
                            "a tokenizer.json or tokenizer.model, or the folder it is in")
                    ],
                    example: "load tokenizer tokenizer.json", run: loadTokenizer),
            ])
    ]

    private static func loadModel(_ invocation: Invocation) throws -> CommandResult {
        guard let argument = invocation.argument("path") else { return CommandResult() }
        var object: ModelObject
        switch try invocation.value(argument) {
        case .object(let value as ModelObject): object = value
        case .text(let path):
            object = try loadModel(path, argument, invocation)
        case let value:
            throw invocation.located(
                EvaluationError.wrongKind(
                    role: "`path`", expected: "`default`, a folder or a model", found: value.aKind),
                at: "path")
        }
        if let text = try invocation.text("prompts") {
            switch text {
            case "tiny": object.prompts = .tiny
            case "general": object.prompts = .general
            default:
                do {
                    object.prompts = try ModelFiles.prompts(
                        Paths.absolute(text, in: invocation.session.directory), shown: text)
                } catch {
                    throw invocation.located(error, at: "prompts")
                }
            }
        }
        if let type = try invocation.text("dtype").flatMap(DType.init(rawValue:)) {
            object.model = object.model.converted(to: type)
        }
        if try invocation.text("rotary") == "bfloat16" {
            object.model = try object.model.roundingRotary()
        }
        if let joint = try invocation.text("join") { object.prompts.joint = joint }
        var result = CommandResult(value: .object(object))
        if let name = try invocation.text("as") {
            result.bindings = [(name, .object(object))]
        } else if invocation.target != nil {
            result.bindings = [("model", .object(object))]
        } else {
            result.bindings = [("model", .object(object)), ("base", .object(object))]
        }
        return result
    }

    private static func loadModel(
        _ path: String, _ argument: Argument, _ invocation: Invocation
    ) throws -> ModelObject {
        do {
            if case .word("default") = argument.value {
                guard let directory = ModelFiles.defaultDirectory else {
                    throw EvaluationError.other(
                        "the model that ships with sami is not here",
                        suggestion: "SAMI_MODELS names the folder that holds it")
                }
                var object = try ModelFiles.load(directory, shown: directory)
                invocation.noteFiles(of: directory)
                object.origin = "default"
                // A model that is being trained has no prompts.json beside it yet.
                let own = directory + "/" + ModelFiles.promptsFile
                if !FileManager.default.fileExists(atPath: own) { object.prompts = .tiny }
                return object
            }
            let directory = Paths.absolute(path, in: invocation.session.directory)
            if !FileManager.default.fileExists(atPath: directory) {
                _ = try FileReading.data(directory, shown: path)
            }
            let object = try ModelFiles.load(directory, shown: path)
            invocation.noteFiles(of: directory)
            return object
        } catch {
            throw invocation.located(error, at: "path")
        }
    }

    private static func loadQueries(_ invocation: Invocation) throws -> CommandResult {
        let first = try invocation.integer("first", atLeast: 0, atMost: 1 << 40) ?? 0
        if case .word(let word) = invocation.argument("path")?.value,
            let kind = QueryKind(plural: word)
        {
            let count = try invocation.integer("count", atLeast: 1, atMost: 1_000_000) ?? 64
            let split = try invocation.word("split", Split.self) ?? .train
            let seed = try invocation.integer("seed", atLeast: 0, atMost: 1 << 53) ?? 0
            let queries = (first..<first + count).map { index in
                Alignment.Query(
                    World.everyday.query(
                        kind: kind, split: split, index: index, seed: UInt64(seed)))
            }
            return CommandResult("queries", QueriesObject(queries: queries))
        }
        for key in ["split", "seed"] where invocation.has(key) {
            throw invocation.error(
                "`\(key)` belongs to the shipped world, not to a file",
                suggestion: "load queries summaries split=test", at: key)
        }
        let file = try invocation.jsonLines("path")
        var queries: [Alignment.Query] = []
        do throws(EvaluationError) {
            for (index, line) in file.lines.enumerated() {
                queries.append(try query(line, index, file))
            }
        } catch {
            throw invocation.located(error, at: "path")
        }
        let count = try invocation.integer("count", atLeast: 1)
        queries = Array(queries.dropFirst(first).prefix(count ?? queries.count))
        guard !queries.isEmpty else {
            throw invocation.error(
                "\(file.shown) has \(NumberText.count(file.lines.count, "query", "queries")), so "
                    + "none is left after the first \(first)", at: "first")
        }
        return CommandResult("queries", QueriesObject(queries: queries))
    }

    private static func query(
        _ line: JSONLines.Line, _ index: Int, _ file: JSONLines
    ) throws(EvaluationError) -> Alignment.Query {
        let id = try file.id("id", line) ?? "\(index)"
        var fields: [String: String] = [:]
        for form in QueryForm.allCases {
            fields[form.rawValue] = try file.text(form.rawValue, line)
        }
        guard !fields.isEmpty else {
            let keys = line.record.keys.filter { $0 != "id" }
            let near = keys.compactMap { key in
                nearest(key, in: QueryForm.allCases.map(\.rawValue)).map { (key, $0) }
            }.first
            throw file.bad(
                line,
                "`post`, `question` or `text` is missing"
                    + (near.map { "; `\($0.0)` may be meant for `\($0.1)`" } ?? ""))
        }
        do {
            return try Alignment.Query(id: id, fields: fields)
        } catch {
            throw file.bad(line, ErrorSentence.of(error))
        }
    }

    private static func loadConstitutions(_ invocation: Invocation) throws -> CommandResult {
        let file = try invocation.jsonLines("path")
        var sources: [ConstitutionSource] = []
        do throws(EvaluationError) {
            for line in file.lines { sources.append(try source(line, file)) }
        } catch {
            throw invocation.located(error, at: "path")
        }
        return CommandResult("constitutions", ConstitutionsObject(content: .sources(sources)))
    }

    private static func source(
        _ line: JSONLines.Line, _ file: JSONLines
    ) throws(EvaluationError) -> ConstitutionSource {
        let positive = try file.text("positive", line)
        let negative = try file.text("negative", line)
        let principles = try file.texts("principles", line)
        let antitheses = try file.texts("antitheses", line)
        let written = try file.texts("constitutions", line)
        do {
            if let positive, let negative {
                return .written(try Constitution.pair(positive: positive, negative: negative))
            }
            if let principles, let antitheses {
                return .pairs(
                    try PrinciplePair.pairs(principles: principles, antitheses: antitheses))
            }
            if let written {
                return .written(
                    try written.map { text in
                        Constitution(
                            slots: try Constitution.sentences(of: text).map {
                                Slot(text: $0, polarity: .principle)
                            })
                    })
            }
        } catch {
            throw file.bad(line, ErrorSentence.of(error))
        }
        let partner = [
            "positive": "negative", "negative": "positive",
            "principles": "antitheses", "antitheses": "principles",
        ]
        if let (given, missing) = partner.first(where: { line.record[$0.key] != nil }) {
            throw file.bad(line, "`\(given)` is there, and `\(missing)` is missing")
        }
        throw file.bad(
            line, "`positive` and `negative`, or `principles` and `antitheses`, are missing")
    }

    private static func loadRollouts(_ invocation: Invocation) throws -> CommandResult {
        let file = try invocation.jsonLines("path")
        do {
            let lines = try file.lines.map { line in
                RolloutLine(
                    line: line.number, query: try queryName(line, file),
                    constitution: try wholeNumber("constitution", line, file),
                    prompt: try passage("prompt", line, file),
                    response: try passage("response", line, file))
            }
            return CommandResult(
                "rollouts",
                RolloutsObject(
                    rollouts: try Rollouts(lines: lines, joint: invocation.text("join") ?? "")))
        } catch let error as EvaluationError {
            throw invocation.located(error, at: "path")
        } catch {
            let sentence = ErrorSentence.of(error)
            throw invocation.located(
                EvaluationError.badFile(path: file.shown, problem: sentence), at: "path")
        }
    }

    private static func queryName(
        _ line: JSONLines.Line, _ file: JSONLines
    ) throws(EvaluationError) -> String {
        guard let id = try file.id("query", line) else {
            throw file.bad(line, "`query` is missing")
        }
        return id
    }

    private static func wholeNumber(
        _ key: String, _ line: JSONLines.Line, _ file: JSONLines
    ) throws(EvaluationError) -> Int {
        guard let value = line.record[key] else { throw file.bad(line, "`\(key)` is missing") }
        guard case .number = value, let number = value.asInteger else {
            throw file.bad(line, "`\(key)` must be a whole number, not \(value.aKind)")
        }
        return number
    }

    private static func passage(
        _ key: String, _ line: JSONLines.Line, _ file: JSONLines
    ) throws(EvaluationError) -> Passage {
        switch line.record[key] ?? .null {
        case .text(let text): return .text(text)
        case .list(let items):
            var tokens: [Int32] = []
            for item in items {
                guard let token = item.asInteger.flatMap(Int32.init(exactly:)) else {
                    throw file.bad(line, "each item of `\(key)` must be a token id")
                }
                tokens.append(token)
            }
            return .tokens(tokens)
        case .null: throw file.bad(line, "`\(key)` is missing")
        case let value:
            throw file.bad(line, "`\(key)` must be text or a list of token ids, not \(value.aKind)")
        }
    }

    private static func loadTokenizer(_ invocation: Invocation) throws -> CommandResult {
        guard var shown = try invocation.text("path") else { return CommandResult() }
        var path = Paths.absolute(shown, in: invocation.session.directory)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            let name = ModelFiles.tokenizerName(in: path) ?? ModelFiles.tokenizerFile
            path += "/" + name
            shown += "/" + name
        }
        do {
            let tokenizer = try ModelFiles.tokenizer(path, shown: shown)
            return CommandResult("tokenizer", TokenizerObject(tokenizer: tokenizer, origin: shown))
        } catch {
            throw invocation.located(error, at: "path")
        }
    }
}
