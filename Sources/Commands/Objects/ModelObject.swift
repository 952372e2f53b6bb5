import Alignment
import ChatTemplates
import Foundation
import HDF5Objects
import Rendering
import Tensors
import TextModels
import Tokenizers
import Transformers
import Values

/// A language model with its tokenizer and prompts.
struct ModelObject: StorableObject, SizedObject {
    static let kind = "model"

    var model: LanguageModel
    /// Nil if the directory has none: then only token ids can be scored.
    var tokenizer: Tokenizer?
    /// The templates that turn queries and constitutions into text for the model.
    var prompts: Prompts
    /// The origin of the model in a few words: a path, or the verb that trained it.
    var origin: String
    /// The directory's files about its text, by name; nil if the tokenizer has another source.
    var directory: TokenizerDirectory?
    /// The name of the chat template in `directory`, and the day that it is told.
    var template = "default"
    var date = TemplateDate()
    /// The statement that made its weights, and the log of their training. The journal holds both:
    /// equal weights are stored once, whichever statement made them.
    var madeBy: Int?
    var log: LogObject?

    var bytes: Int {
        model.weightBytes
            + (directory?.files.values.reduce(0) { $0 + $1.count }
                ?? tokenizer?.json.utf8.count ?? 0)
    }

    /// The model with everything needed to turn text into text.
    ///
    /// - Throws: an error of the chat template, if the prompts need it.
    func textModel(_ tokenizer: Tokenizer) throws -> TextModel {
        TextModel(
            model: model, tokenizer: tokenizer, prompts: prompts,
            chat: prompts.isChat ? try chatFormat() : try? chatFormat())
    }

    /// The format of conversations; nil without a chat template.
    ///
    /// - Throws: `TemplateError`, `ChatFormatError`.
    func chatFormat() throws -> ChatFormat? {
        guard let directory, !directory.templates.isEmpty else { return nil }
        return try ChatFormat(directory, template: template, date: date)
    }

    /// The format that its prompts need; nil for prompts of text.
    ///
    /// - Throws: the same; `PromptError.noChatTemplate`.
    func promptFormat() throws -> ChatFormat? {
        guard prompts.isChat else { return nil }
        guard let format = try chatFormat() else { throw PromptError.noChatTemplate }
        return format
    }

    /// The same tokenizer and prompts with other weights.
    func with(_ model: LanguageModel, origin: String) -> ModelObject {
        var copy = self
        copy.model = model
        copy.origin = origin
        (copy.madeBy, copy.log) = (nil, nil)
        return copy
    }

    static let fields: [Field<ModelObject>] = [
        Field("parameters", "number of parameters") { Value($0.model.parameterCount) },
        Field("family", "its architecture") { .text($0.model.configuration.modelType) },
        Field("layers", "blocks") { Value($0.model.configuration.layers) },
        Field("width", "size of a hidden state") { Value($0.model.configuration.hiddenSize) },
        Field("heads", "attention heads") { Value($0.model.configuration.heads) },
        Field("key_value_heads", "number of key and value heads") {
            Value($0.model.configuration.keyValueHeads)
        },
        Field("feed_forward", "width of the feed-forward layer") {
            Value($0.model.configuration.feedForwardSize)
        },
        Field("vocabulary", "number of tokens in the vocabulary") {
            Value($0.model.configuration.vocabularySize)
        },
        Field("context", "longest sequence, in tokens") {
            Value($0.model.configuration.contextLength)
        },
        Field("prompts", "how it is prompted: tiny, general, chat or own") {
            .text($0.prompts.name)
        },
        Field("origin", "its origin") { .text($0.origin) },
        Field("norm", "root of the sum of its squared weights", isLarge: true) {
            .number($0.model.parameters.norm)
        },
        Field("names", "the names of its tensors", isLarge: true) {
            Value($0.model.parameters.names)
        },
        Field("tensors", "its weights by name", isLarge: true) { object in
            .record(object.tensorRecord)
        },
        Field("log", "the log of its training, step by step; null without", isLarge: true) {
            $0.log.map { .object($0) } ?? .null
        },
        Field("tokenizer", "its tokenizer", isLarge: true) { object in
            object.tokenizer.map { .object(TokenizerObject(tokenizer: $0, origin: object.origin)) }
                ?? .null
        },
    ]

    var tensorRecord: Record { model.parameters.record }

    var summary: String {
        let configuration = model.configuration
        return
            "\(configuration.modelType), \(NumberText.grouped(model.parameterCount)) parameters, "
            + "\(configuration.layers) layers of \(configuration.hiddenSize), \(origin)"
    }

    func document(_ appearance: Appearance) -> Document {
        let configuration = model.configuration
        var table = Table([.init("what"), .init("value")])
        table.styles = [0: .faint]
        table.append(["model", origin])
        table.append([
            "shape",
            "\(configuration.modelType), \(configuration.layers) layers of "
                + "\(configuration.hiddenSize), \(configuration.heads) heads, feed-forward "
                + "\(configuration.feedForwardSize)",
        ])
        table.append([
            "size",
            "\(NumberText.grouped(model.parameterCount)) parameters, "
                + "\(NumberText.bytes(model.weightBytes)) in \(model.weightType.rawValue)",
        ])
        table.append([
            "text",
            "\(NumberText.grouped(configuration.vocabularySize)) tokens, context "
                + NumberText.grouped(configuration.contextLength)
                + (tokenizer == nil ? ", no tokenizer" : ""),
        ])
        if prompts.isChat {
            table.append([
                "prompts",
                (prompts == .chat ? "chat" : "messages of one's own")
                    + ", through its chat template"
                    + (template == "default" ? "" : " \(template)"),
            ])
        }
        var document = Document()
        document.line(table, showsTitles: false)
        return document
    }

    func display(_ appearance: Appearance) -> Display { textDisplay(appearance) }

    var jsonValue: Value { .record(fieldRecord) }

    func stored() throws -> StoredValue {
        let files = try (directory?.files ?? [:]).sorted { $0.key < $1.key }.map { name, data in
            let array = try StoredArray(type: .uint8, shape: [data.count], bytes: data)
            return (name, StoredValue.array(array))
        }
        return .record(
            StoredRecord(
                [
                    (
                        "configuration",
                        .text(String(decoding: model.configuration.json, as: UTF8.self))
                    ),
                    ("origin", .text(origin)),
                    ("prompts", try StoredValue(encoding: prompts)),
                    (
                        "tokenizer",
                        directory == nil ? tokenizer.map { .text($0.json) } ?? .null : .null
                    ),
                    ("files", .record(StoredRecord(files))),
                    ("tensors", try model.parameters.stored()),
                ] + storedFormat))
    }

    /// What differs from the defaults: models without it are stored as older versions store them.
    private var storedFormat: [(String, StoredValue)] {
        (template == "default" ? [] : [("template", .text(template))])
            + (date == TemplateDate() ? [] : [("date", .text(date.text))])
    }

    static func restored(_ value: StoredValue) throws -> ModelObject {
        guard let json = value["configuration"]?.textValue, let tensors = value["tensors"],
            let prompts = value["prompts"]
        else { throw StorageError(kind: kind, problem: "a part of it is missing") }
        let configuration = try ModelConfiguration(json: Data(json.utf8), name: "config.json")
        var files: [String: Data] = [:]
        for field in value["files"]?.recordValue?.fields ?? [] {
            // An export writes files with these names, and the workspace may come from a stranger.
            guard !field.key.hasPrefix("/"), !field.key.split(separator: "/").contains("..") else {
                throw StorageError(
                    kind: kind, problem: "its file \(field.key) leads out of a folder")
            }
            files[field.key] = field.value.arrayValue?.bytes
        }
        let directory = files.isEmpty ? nil : try TokenizerDirectory(files: files)
        let own = try value["tokenizer"]?.textValue.map { try Tokenizer(json: $0) }
        var object = ModelObject(
            model: try LanguageModel(configuration, stored: tensors),
            tokenizer: directory?.tokenizer ?? own,
            prompts: try prompts.restored(Prompts.self, kind: kind),
            origin: value["origin"]?.textValue ?? "the workspace", directory: directory)
        object.template = value["template"]?.textValue ?? "default"
        object.date = value["date"]?.textValue.flatMap(TemplateDate.init) ?? TemplateDate()
        return object
    }
}

extension Prompts {
    /// The word that `prompts=` takes for them, or `own`.
    var name: String {
        switch self {
        case .tiny: "tiny"
        case .general: "general"
        case .chat: "chat"
        default: "own"
        }
    }
}
