import ChatTemplates
import Files
import Foundation
import JSON

/// The tokenizer of a model directory of the Hugging Face hub: `tokenizer.json`, or else
/// `tokenizer.model`, with the settings of the other files.
///
/// ```swift
/// let directory = try TokenizerDirectory("models/mistral-7b-instruct")
/// let prompt = try directory.prompt([ChatMessage(role: "user", content: "Hello!")])
/// let ids = directory.tokenizer.encode(prompt, special: false)
/// ```
public struct TokenizerDirectory: Sendable {
    public let tokenizer: Tokenizer
    /// The files that everything was read from, byte for byte, by name. An export copies them, and
    /// `init(files:)` needs nothing else.
    public let files: [String: Data]
    /// Special tokens that templates know by name: `bos_token`, `eos_token` and others.
    public let specialTokens: [String: String]
    /// The texts of the chat templates by name; the standard one is `default`.
    public let templates: [String: String]

    /// Reads a directory. Throws `TokenizerError`, also if the directory has no tokenizer.
    public init(_ path: String) throws {
        try self.init(files: Self.read(path), path: path)
    }

    /// The same from the bytes of the files.
    ///
    /// - Parameters:
    ///   - path: the name of the directory in messages.
    ///   - isAccepted: whether the files were read before, as in a workspace: then unknown settings
    ///     are passed over, as in earlier versions of `sami`.
    public init(
        files: [String: Data], path: String = "the directory", isAccepted: Bool = false
    ) throws {
        let configuration = try TokenizerConfiguration(files, isAccepted: isAccepted)
        let core = try Self.core(files, configuration, path)
        let named = configuration.specialTokens
        let eos = named["eos_token"].flatMap { core.id($0) } ?? core.eos
        // generation_config.json may name several.
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

    /// Whether the directory has a file that a tokenizer can be read from.
    public static func isPresent(in path: String) -> Bool {
        ["tokenizer.json", "tokenizer.model"].contains {
            FileManager.default.fileExists(atPath: path + "/" + $0)
        }
    }

    /// The chat template of a name; nil if there is none. Throws `TemplateError` if it is invalid.
    public func template(_ name: String = "default") throws -> ChatTemplate? {
        try templates[name].map { try ChatTemplate($0) }
    }

    /// A conversation in the format of the model's chat template. The text contains the special
    /// tokens, so encode it with `special: false`. Throws `TemplateError`;
    /// `TokenizerError.noTemplate` if the directory has no template.
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
                try file.adjust(by: configuration)
            }
        }
        guard let data = files["tokenizer.model"] else {
            throw TokenizerError.noTokenizer(
                path: path, hasVocabulary: files["vocab.json"] != nil)
        }
        return try TokenizerCore(sentencePiece: Array(data)) { file in
            try file.adjustSentencePiece(by: configuration)
        }
    }
}
