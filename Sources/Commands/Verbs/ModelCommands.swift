import Alignment
import CommandLanguage
import Foundation
import Rendering
import Tensors
import Tokenizers
import Transformers
import Values

extension CommandTable {
    static let modelCommands: [Command] = [
        Command(
            "generate", .models, "continues a text",
            makes: ["_"], effect: .tries,
            operands: [.required("prompt", .text, "the text in quotes")],
            options: MethodKey.sampling + [
                OptionSpecification("stop", .text, "a text that ends the response"),
                OptionSpecification("samples", .number, "how many continuations; 1"),
                MethodKey.model, MethodKey.seed,
            ],
            example: "generate \"Principles for summaries:\\n\" max_tokens=12", run: generate),
        Command(
            "tokenize", .models, "shows the tokens of a text, or counts those of a file",
            makes: ["_"], effect: .looks,
            operands: [
                .required(
                    "text", .path, "text in quotes, a value, or a JSON Lines file with field=")
            ],
            options: [
                OptionSpecification("field", .word, "which field of a file's lines"),
                OptionSpecification("special", .flag, "whether special tokens are added; true"),
                OptionSpecification("model", .value, "whose tokenizer; `model`"),
                OptionSpecification("tokenizer", .value, "in place of the model's"),
            ],
            example: "tokenize \"Summary: my sister\" special=false", run: tokenize),
        Command(
            "new", .models, "makes a model with random weights",
            forms: [
                Command.Form(
                    "model", "random weights of a given shape", makes: ["model", "base"],
                    operands: [.optional("path", .path, "a config.json; keys alone will do")],
                    options: [
                        OptionSpecification(
                            "family",
                            .words("llama", "mistral", "mixtral", "qwen2", "qwen3", "gpt2"),
                            "the architecture; llama"),
                        OptionSpecification("layers", .number, "blocks; 4"),
                        OptionSpecification("width", .number, "size of a hidden state; 128"),
                        OptionSpecification("heads", .number, "attention heads; width / 32"),
                        OptionSpecification("key_value_heads", .number, "as many as heads"),
                        OptionSpecification("feed_forward", .number, "2.75 widths"),
                        OptionSpecification("context", .number, "longest sequence; 512"),
                        OptionSpecification("vocabulary", .number, "the tokenizer's"),
                        OptionSpecification(
                            "initializer_range", .number, "deviation of the random weights; 0.02"),
                        OptionSpecification(
                            "prompts", .words("tiny", "general"), "prompt templates"),
                        MethodKey.seed,
                    ],
                    example: "new model layers=1 width=32 vocabulary=300 context=64", run: newModel)
            ]),
        pretrainCommand,
    ]

    // MARK: generate

    private static func generate(_ invocation: Invocation) throws -> CommandResult {
        let object = try invocation.model()
        let tokenizer = try invocation.tokenizer(of: object)
        guard let prompt = try invocation.text("prompt") else { return CommandResult() }
        var rollout = RolloutSettings()
        rollout.maxTokens = 64
        try invocation.apply(to: &rollout)
        let tokens = tokenizer.encode(prompt)
        let context = object.model.configuration.longestSequence
        guard tokens.count < context else {
            throw invocation.located(
                ModelError.tooLong(tokens: tokens.count, context: context), at: "prompt")
        }
        let settings = SamplerSettings(
            temperature: rollout.temperature, topK: rollout.topK, topP: rollout.topP,
            minP: rollout.minP, maxTokens: min(rollout.maxTokens, context - tokens.count),
            stopTokens: object.model.stopTokens(tokenizer))
        let stop = try invocation.text("stop")
        let key = try invocation.randomKey()
        let requests = (0..<rollout.samples).map {
            GenerationRequest(prompt: tokens, key: key.child(UInt64($0)))
        }
        var meter = invocation.meter()
        defer { meter.finish() }
        let isEnd: ((Int, [Int32]) -> Bool)? = stop.map { stop in
            { _, tokens in tokenizer.decode(tokens).contains(stop) }
        }
        let generations = try object.model.generate(
            requests, settings, memory: invocation.session.settings.memoryPlan, stop: isEnd,
            progress: { progress in
                meter.update(
                    progress.tokens, of: progress.total * settings.maxTokens, unit: "tokens",
                    tokens: progress.tokens)
                return invocation.cancel()
            }, cancel: invocation.cancel)
        let texts = generations.map { generation -> String in
            let text = tokenizer.decode(generation.tokens)
            guard let stop, let range = text.range(of: stop) else { return text }
            return String(text[..<range.lowerBound])
        }
        var notes: [String] = []
        if generations.contains(where: { $0.finish == .interrupted }) {
            notes.append("stopped after \(generations.reduce(0) { $0 + $1.tokens.count }) tokens")
        }
        var text = StyledText()
        for (index, continuation) in texts.enumerated() {
            if texts.count > 1 { text.line("[\(index)]", .faint) }
            if !text.isEmpty { text.append("\n") }
            text.append(TextWidth.printable(prompt), .faint)
            text.append(TextWidth.printable(continuation))
        }
        return CommandResult(
            value: texts.count == 1 ? .text(texts[0]) : Value(texts), text: text, notes: notes)
    }

    // MARK: tokenize

    private static func tokenize(_ invocation: Invocation) throws -> CommandResult {
        let tokenizer: Tokenizer
        if invocation.has("tokenizer")
            || !invocation.has("model")
                && !invocation.session.isBound("model")
        {
            tokenizer = try invocation.object(TokenizerObject.self, "tokenizer").tokenizer
        } else {
            tokenizer = try invocation.tokenizer(of: try invocation.model())
        }
        let special = try invocation.flag("special") ?? true
        if let field = try invocation.text("field") {
            let file = try invocation.jsonLines("text")
            let texts = try fieldTexts(field, file, invocation)
            return try tokenizeAll(texts, tokenizer, special, invocation)
        }
        switch try textOperand(invocation) {
        case .text(let text):
            let tokens = tokenizer.encode(text, special: special)
            var strip = StyledText("\(NumberText.count(tokens.count, "token"))", .heading)
            strip.line("")
            for (index, token) in tokens.enumerated() {
                // Two shades in turn show where one token ends; without color a bar does.
                let shown = TextWidth.oneLine(tokenizer.text(of: token))
                if invocation.appearance.color == .none {
                    strip.append(index == 0 ? shown : "|" + shown)
                } else {
                    strip.append(
                        shown,
                        TextStyle(
                            foreground: .rgb(255, 255, 255),
                            background: index % 2 == 0 ? .rgb(40, 60, 110) : .rgb(90, 50, 110)))
                }
            }
            strip.line(TextWidth.cut("\(tokens)", to: 4 * invocation.appearance.columns), .faint)
            return CommandResult(value: Value(tokens.map { Int($0) }), text: strip)
        case let value:
            guard case .list(let items) = value else {
                throw invocation.located(
                    EvaluationError.wrongKind(role: "`text`", expected: "text", found: value.aKind),
                    at: "text")
            }
            let texts = items.compactMap(\.asText)
            guard texts.count == items.count else {
                throw invocation.located(
                    EvaluationError.wrongKind(
                        role: "each item of `text`", expected: "text", found: "other values"),
                    at: "text")
            }
            return try tokenizeAll(texts, tokenizer, special, invocation)
        }
    }

    /// Quoted text stands for itself; a bare word is an expression over what is bound, such as
    /// `rollouts[0].response`.
    private static func textOperand(_ invocation: Invocation) throws -> Value {
        guard let argument = invocation.argument("text") else { return .null }
        guard case .path(let word) = argument.value, !invocation.isQuoted(argument) else {
            return try invocation.value(argument)
        }
        let program = grammar.parse(word)
        if program.diagnostics.isEmpty, program.statements.count == 1,
            case .expression(let node) = program.statements[0].body
        {
            do throws(LocatedError) {
                return try Evaluator(environment: invocation.session).value(of: node)
            } catch {
                let offset = argument.span.lower
                throw LocatedError(
                    error: error.error,
                    span: SourceSpan(
                        lower: error.span.lower + offset, upper: error.span.upper + offset))
            }
        }
        throw invocation.error(
            "text stands in quotes, and a file needs `field=`",
            suggestion: "tokenize \(word) field=text", at: "text")
    }

    private static func tokenizeAll(
        _ texts: [String], _ tokenizer: Tokenizer, _ special: Bool, _ invocation: Invocation
    ) throws -> CommandResult {
        var meter = invocation.meter()
        defer { meter.finish() }
        var ids: [Value] = []
        var total = 0
        var longest = 0
        for (index, text) in texts.enumerated() {
            let tokens = tokenizer.encode(text, special: special)
            ids.append(Value(tokens.map { Int($0) }))
            total += tokens.count
            longest = max(longest, tokens.count)
            meter.update(index + 1, of: texts.count, unit: "texts", tokens: total)
            if invocation.isInterrupted {
                throw invocation.located(
                    EvaluationError.interrupted("stopped; nothing has changed"))
            }
        }
        let bytes = texts.reduce(0) { $0 + $1.utf8.count }
        let text = StyledText(
            "\(NumberText.count(texts.count, "text")), \(NumberText.count(total, "token")), "
                + "longest \(NumberText.grouped(longest)), "
                + "\(NumberText.fixed(Double(bytes) / Double(max(1, total)), decimals: 2)) bytes a token"
        )
        return CommandResult(value: .list(ids), text: text)
    }

    // MARK: new model

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
        // Checked as a file's would be: heads that do not divide the width, sizes beyond all memory.
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

extension Invocation {
    /// Whether a bare operand was written in quotes.
    func isQuoted(_ argument: Argument) -> Bool {
        let text = argument.span.text(in: source)
        return text.hasPrefix("\"") || text.hasPrefix("'")
    }

    /// How the person wrote an argument, for naming things after it.
    func written(_ role: String) -> String? {
        argument(role).map { TextWidth.oneLine($0.span.text(in: source)) }
    }
}
