import CommandLanguage
import Transformers

extension CommandTable {
    static let newCommand = Command(
        "new", .models, "makes a model with random weights",
        forms: [
            Command.Form(
                "model", "random weights of a given shape", makes: ["model", "base"],
                operands: [.optional("path", .path, "a config.json; optional if keys are given")],
                options: [
                    OptionSpecification(
                        "family",
                        .words("llama", "mistral", "mixtral", "qwen2", "qwen3", "gpt2"),
                        "the architecture; llama"),
                    OptionSpecification("layers", .number, "blocks; default: 4"),
                    OptionSpecification("width", .number, "size of a hidden state; default: 128"),
                    OptionSpecification("heads", .number, "attention heads; width / 32"),
                    OptionSpecification("key_value_heads", .number, "as many as heads"),
                    OptionSpecification("feed_forward", .number, "2.75 widths"),
                    OptionSpecification("context", .number, "longest sequence; default: 512"),
                    OptionSpecification("vocabulary", .number, "the tokenizer's"),
                    OptionSpecification(
                        "initializer_range", .number,
                        "deviation of the random weights; default: 0.02"),
                    OptionSpecification(
                        "prompts", .words("tiny", "general"), "prompt templates"),
                    MethodKey.seed,
                ],
                example: "new model layers=1 width=32 vocabulary=300 context=64", run: newModel)
        ])

    private static func newModel(_ invocation: Invocation) throws -> CommandResult {
        let kept = try invocation.objectIfBound(TokenizerObject.self, "tokenizer")
        var configuration: ModelConfiguration
        var origin = "random weights"
        if invocation.has("path") {
            let (data, shown) = try invocation.file("path")
            do {
                configuration = try ModelConfiguration(json: data, name: shown)
            } catch {
                throw invocation.located(error, at: "path")
            }
            origin += " of \(shown)"
        } else {
            configuration = ModelConfiguration(
                hiddenSize: 128, layers: 4, heads: 4, feedForwardSize: 352,
                vocabularySize: kept?.tokenizer.idLimit ?? 1024, contextLength: 512)
        }
        if let family = try invocation.text("family") {
            guard !invocation.has("path") else {
                throw invocation.error("a config.json names its family itself", at: "family")
            }
            configuration.modelType = family
            if family == "mixtral", configuration.experts == 0 {
                (configuration.experts, configuration.expertsPerToken) = (8, 2)
            }
        }
        let limit = 1 << 20
        if let value = try invocation.integer("layers", atLeast: 1, atMost: 4096) {
            configuration.layers = value
        }
        if let value = try invocation.integer("width", atLeast: 2, atMost: limit) {
            configuration.hiddenSize = value
            configuration.feedForwardSize = (value * 11 / 4 + 7) / 8 * 8
            configuration.heads = max(1, value / 32)
            configuration.keyValueHeads = configuration.heads
        }
        if let value = try invocation.integer("heads", atLeast: 1, atMost: 1 << 16) {
            configuration.heads = value
            configuration.keyValueHeads = value
        }
        if let value = try invocation.integer("key_value_heads", atLeast: 1, atMost: 1 << 16) {
            configuration.keyValueHeads = value
        }
        if let value = try invocation.integer("feed_forward", atLeast: 1, atMost: limit) {
            configuration.feedForwardSize = value
        }
        if let value = try invocation.integer("context", atLeast: 2, atMost: limit) {
            configuration.contextLength = value
        }
        if let value = try invocation.integer("vocabulary", atLeast: 1, atMost: 1 << 24) {
            configuration.vocabularySize = value
        }
        if let value = try invocation.number("initializer_range", atLeast: 0) {
            configuration.initializerRange = value
        }
        if !invocation.has("path") || invocation.has("width") || invocation.has("heads") {
            configuration.headSize = max(1, configuration.hiddenSize / configuration.heads)
        }
        if let tokenizer = kept?.tokenizer {
            configuration.beginToken = tokenizer.bos
            configuration.endTokens = [tokenizer.eos].compactMap(\.self)
        }
        // The same checks as for a file: heads that do not divide the width, sizes larger than
        // memory.
        configuration = try ModelConfiguration(json: configuration.json, name: "the new model")
        let model = try LanguageModel(configuration, key: try invocation.randomKey())
        let fits = (kept?.tokenizer.idLimit ?? 0) <= configuration.vocabularySize
        let object = ModelObject(
            model: model, tokenizer: fits ? kept?.tokenizer : nil,
            prompts: try invocation.text("prompts") == "general" ? .general : .tiny, origin: origin)
        var result = CommandResult()
        result.bindings = [("model", .object(object))]
        if invocation.target == nil { result.bindings.append(("base", .object(object))) }
        if kept == nil {
            result.notes = ["it has no tokenizer: `train tokenizer` or `load tokenizer PATH` first"]
        }
        return result
    }
}
