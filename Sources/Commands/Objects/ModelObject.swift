import Alignment
import ChatTemplates
import Foundation
import HDF5Objects
import NumberTypes
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
    /// The files of weights that are too large to copy into a workspace; nil for other models.
    var weightSource: WeightSource?
    /// How its checkpoint stores most weights, if training or adapters have changed that since;
    /// nil: as the weights are.
    var checkpointFormat: StoredFormat?

    var bytes: Int {
        ownWeights.reduce(0) { $0 + $1.tensor.format.bytes($1.tensor.count) }
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

    /// The weights that a workspace stores: all but those that it refers to.
    var ownWeights: [(name: String, tensor: Tensor)] {
        zip(model.parameters.names, model.parameters.tensors)
            .filter { weightSource?.holds($0, $1) != true }.map { (name: $0, tensor: $1) }
    }

    /// The same tokenizer and prompts with other weights.
    func with(_ model: LanguageModel, origin: String) -> ModelObject {
        var copy = self
        copy.model = model
        copy.origin = origin
        copy.checkpointFormat = checkpointFormat ?? self.model.weightFormat
        (copy.madeBy, copy.log) = (nil, nil)
        // Nothing of the old weights is kept for a model that shares none of them.
        if copy.ownWeights.count == model.parameters.tensors.count { copy.weightSource = nil }
        return copy
    }

    static let fields: [Field<ModelObject>] = [
        Field("parameters", "number of parameters") { Value($0.model.parameterCount) },
        Field("family", "its architecture") { .text($0.model.configuration.modelType) },
        Field("adapter", "rank, alpha and places of its adapters; null without") {
            $0.model.adapterValue
        },
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
        Field("sampling", "the sampling that its generation_config.json suggests, for `chat` alone")
        {
            SamplingDefaults($0.directory).map { .record($0.record) } ?? .null
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
            + (configuration.adapter.map { ", adapters of rank \($0.rank)" } ?? "")
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
                + "\(NumberText.bytes(model.weightBytes)) in \(model.weightFormat.name)",
        ])
        if let adapters = model.adapterSummary {
            table.append(["adapters", adapters.size])
            table.append(["on", adapters.places])
        }
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
