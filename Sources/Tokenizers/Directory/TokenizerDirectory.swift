import ChatTemplates
import Files
import Foundation
import JSON

/// The tokenizer of a model directory, as it comes from the Hugging Face hub: `tokenizer.json` where
/// there is one, else `tokenizer.model`, with what the files beside it say.
///
/// ```swift
/// let directory = try TokenizerDirectory("models/mistral-7b-instruct")
/// let prompt = try directory.prompt([ChatMessage(role: "user", content: "Hello!")])
/// let ids = directory.tokenizer.encode(prompt, special: false)
/// ```
public struct TokenizerDirectory: Sendable {
    public let tokenizer: Tokenizer
    /// The files everything was read from, byte for byte, by their names in the directory: what an
    /// export copies, and all that `init(files:)` needs.
    public let files: [String: Data]
    /// What templates know by name: `bos_token`, `eos_token` and the like.
    public let specialTokens: [String: String]
    /// The texts of the chat templates by name; the usual one is `default`.
    public let templates: [String: String]

    /// Reads a directory. Throws `TokenizerError`, also when there is no tokenizer in it.
    public init(_ path: String) throws {
        try self.init(files: Self.read(path), path: path)
    }

    /// The same from the files' bytes. `path` is for sentences.
    public init(files: [String: Data], path: String = "the directory") throws {
        let configuration = try TokenizerConfiguration(files)
        let core = try Self.core(files, configuration, path)
        let named = configuration.specialTokens
        let eos = named["eos_token"].flatMap { core.id($0) } ?? core.eos
        // generation_config.json may know more than one.
        let stops = configuration.stopIDs.isEmpty ? eos.map { [$0] } : configuration.stopIDs
        tokenizer = Tokenizer(core: core, stops: stops)
        self.files = files
        var tokens = named
        for (name, id) in [("bos_token", core.bos), ("eos_token", core.eos)]
        where tokens[name] == nil {
            tokens[name] = id.flatMap { core.token($0) }
        }
        specialTokens = tokens
        templates = configuration.templates
    }

    /// Whether the directory has any of the files a tokenizer is read from.
    public static func isPresent(in path: String) -> Bool {
        ["tokenizer.json", "tokenizer.model"].contains {
            FileManager.default.fileExists(atPath: path + "/" + $0)
        }
    }

    /// The chat template of a name, nil when there is none. Throws `TemplateError` for one that cannot
    /// be read.
    public func template(_ name: String = "default") throws -> ChatTemplate? {
        try templates[name].map { try ChatTemplate($0) }
    }

    /// A conversation as the model's chat template writes it. The text holds the special tokens, so
    /// it is encoded with `special: false`. Throws `TemplateError`; `TokenizerError.noTemplate` when
    /// the directory has none.
    public func prompt(
        _ messages: [ChatMessage], addGenerationPrompt: Bool = true,
        variables: [String: JSON] = [:]
    ) throws -> String {
        guard let template = try template() else { throw TokenizerError.noTemplate }
        let tokens = specialTokens.mapValues { JSON.string($0) }
        return try template.render(
            messages: messages, addGenerationPrompt: addGenerationPrompt,
            variables: tokens.merging(variables) { $1 })
    }

    // MARK: Reading

    private static let names = [
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "generation_config.json", "chat_template.jinja", "vocab.json",
        "merges.txt",
    ]

    private static func read(_ path: String) throws -> [String: Data] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TokenizerError.unreadable(path: path, reason: "no such folder")
        }
        guard isFolder.boolValue else {
            throw TokenizerError.unreadable(path: path, reason: "it is a file, not a folder")
        }
        let folder = "additional_chat_templates"
        let more = (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? []
        var files: [String: Data] = [:]
        for name in names + more.filter({ $0.hasSuffix(".jinja") }).map({ folder + "/" + $0 }) {
            let file = path + "/" + name
            guard FileManager.default.fileExists(atPath: file) else { continue }
            do throws(FileError) {
                files[name] = try RegularFile(file).readAll()
            } catch {
                throw TokenizerError.unreadable(path: file, reason: "\(error.reason)")
            }
        }
        return files
    }

    private static func core(
        _ files: [String: Data], _ configuration: TokenizerConfiguration, _ path: String
    ) throws -> TokenizerCore {
        if let data = files["tokenizer.json"] {
            guard !data.isEmpty else { throw TokenizerError.empty(path: "\(path)/tokenizer.json") }
            return try TokenizerCore(json: TokenizerFile.text(data)) { file in
                try file.add(configuration.addedTokens)
                try file.adjust(by: configuration)
            }
        }
        guard let data = files["tokenizer.model"] else {
            throw TokenizerError.noTokenizer(
                path: path, hasVocabulary: files["vocab.json"] != nil)
        }
        return try TokenizerCore(sentencePiece: Array(data)) { file in
            // SentencePiece makes no control token of text; transformers does, as the
            // texts that chat templates make want it.
            let control = file.controlTokens.sorted().compactMap { id in
                file.model.vocabulary.token(id).map { AddedToken(special: $0, id: id) }
            }
            try file.add(control)
            try file.add(configuration.addedTokens)
            try file.adjust(by: configuration)
        }
    }
}

extension TokenizerFile {
    /// Adds tokens that neither the file nor its vocabulary has under another id or spelling.
    fileprivate mutating func add(_ tokens: [AddedToken]) throws {
        var known = Set(addedTokens.map(\.id))
        for token in tokens where !known.contains(token.id) {
            let spelling = model.vocabulary.token(token.id)
            let id = model.vocabulary.id(token.content)
            guard spelling.map({ $0.utf8.elementsEqual(token.content.utf8) }) ?? (id == nil) else {
                continue
            }
            known.insert(token.id)
            addedTokens.append(token)
        }
        try checkAddedTokens()
    }

    /// The tokens around a text and those that start and end one, where the configuration says more
    /// than the file.
    fileprivate mutating func adjust(by configuration: TokenizerConfiguration) throws {
        func id(_ name: String) -> Int32? {
            guard let text = configuration.specialTokens[name] else { return nil }
            let added = addedTokens.first { $0.content.utf8.elementsEqual(text.utf8) }
            return added?.id ?? model.vocabulary.id(text)
        }
        boundaries = (id("bos_token") ?? boundaries.bos, id("eos_token") ?? boundaries.eos)
        guard let addsBOS = configuration.addsBOS, let addsEOS = configuration.addsEOS else {
            return
        }
        func wanted(_ name: String, _ id: Int32?) throws -> [Int32] {
            if let id { return [id] }
            let token = configuration.specialTokens[name]
            throw TokenizerError.badConfiguration(
                file: "tokenizer_config.json",
                problem: token.map {
                    "it names “\($0.prefix(40))” as \(name), which the tokenizer does not have"
                } ?? "it asks for \(name) around a text but does not name one")
        }
        postProcessor = SurroundingTokens(
            before: addsBOS ? try wanted("bos_token", id("bos_token")) : [],
            after: addsEOS ? try wanted("eos_token", id("eos_token")) : [])
    }
}
