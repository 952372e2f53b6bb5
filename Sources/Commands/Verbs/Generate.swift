import Alignment
import ChatTemplates
import CommandLanguage
import Foundation
import Rendering
import Tensors
import TextModels
import Transformers
import Values

extension CommandTable {
    static let generateCommand = Command(
        "generate", .models, "continues a text",
        about: """
            The model continues the text as it is. With chat=true the text is a message to an \
            instruct model, which its chat template writes; `chat` keeps the conversation.
            """,
        makes: ["_"], effect: .tries,
        operands: [.required("prompt", .text, "the text in quotes")],
        options: MethodKey.sampling(from: generationDefaults.sampling) + [
            OptionSpecification("stop", .text, "a text that ends the response, or a list of them"),
            OptionSpecification("samples", .number, "number of continuations; default: 1"),
            OptionSpecification(
                "chat", .flag, "ask an instruct model, through its chat template; default: false"),
            MethodKey.model, MethodKey.seed,
            OptionSpecification(
                "compare", .value, "another model, whose continuations stand beside these"),
        ],
        example: "generate \"Principles for summaries:\\n\" max_tokens=12", run: generate)

    private static let generationDefaults: RolloutSettings = {
        var settings = RolloutSettings()
        settings.sampling.maxTokens = 64
        return settings
    }()

    private static func generate(_ invocation: Invocation) throws -> CommandResult {
        let own = try invocation.model()
        let model = try generator(own, invocation)
        guard let written = try invocation.text("prompt") else { return CommandResult() }
        var settings = generationDefaults
        try invocation.apply(to: &settings)
        let key = try invocation.randomKey()
        let (texts, note) = try continuations(of: written, model, settings, key, invocation)
        guard let argument = invocation.argument("compare") else {
            return alone(written, texts, notes: [note].compactMap(\.self), invocation)
        }
        guard let other = try invocation.value(argument).object(ModelObject.self) else {
            throw invocation.error("`compare` must be a model", at: "compare")
        }
        // The same keys: where the models agree, they draw the same tokens.
        let (others, otherNote) = try continuations(
            of: written, try generator(invocation.computing(other), invocation), settings, key,
            invocation)
        return beside(
            written, texts, others, notes: [note, otherNote].compactMap(\.self), invocation)
    }

    private static func generator(
        _ object: ModelObject, _ invocation: Invocation
    ) throws -> TextModel {
        try invocation.flag("chat") == true
            ? try invocation.chatModel(object) : try invocation.textModel(object)
    }

    /// The continuations of one model, and a sentence if they were stopped.
    private static func continuations(
        of written: String, _ model: TextModel, _ settings: RolloutSettings, _ key: RandomKey,
        _ invocation: Invocation
    ) throws -> (texts: [String], note: String?) {
        var settings = settings
        let prompt =
            try invocation.flag("chat") == true
            ? try model.prompt(.messages([ChatMessage(role: "user", content: written)]))
            : model.prompt(written)
        let room = model.context - prompt.tokens.count
        guard room > 0 else {
            throw invocation.located(
                ModelError.tooLong(tokens: prompt.tokens.count, context: model.context),
                at: "prompt")
        }
        settings.sampling.maxTokens = min(settings.sampling.maxTokens, room)
        var meter = invocation.meter()
        defer { meter.finish() }
        let completions = try model.complete(
            (0..<settings.samples).map { CompletionRequest(prompt, key: key.child(UInt64($0))) },
            settings.sampling, stops: try invocation.texts("stop"),
            memory: invocation.session.settings.memoryPlan,
            progress: { progress in
                let most = progress.total * settings.sampling.maxTokens
                meter.update(
                    progress.tokens, of: most,
                    underway: max(0, progress.fraction * Double(most) - Double(progress.tokens)),
                    unit: "tokens", tokens: progress.tokens)
                return invocation.cancel()
            })
        let isStopped = completions.contains { $0.finish == .interrupted }
        let tokens = completions.reduce(0) { $0 + $1.tokens.count }
        return (completions.map(\.text), isStopped ? "stopped after \(tokens) tokens" : nil)
    }

    private static func alone(
        _ written: String, _ texts: [String], notes: [String], _ invocation: Invocation
    ) -> CommandResult {
        var text = StyledText()
        let isChat = invocation.has("chat")
        for (index, continuation) in texts.enumerated() {
            if texts.count > 1 { text.line("[\(index)]", .faint) }
            if !text.isEmpty { text.append("\n") }
            text.append(TextWidth.printable(written), .faint)
            if isChat { text.append("\n") }
            text.append(TextWidth.printable(continuation))
        }
        return CommandResult(
            value: texts.count == 1 ? .text(texts[0]) : Value(texts), Display(text), notes: notes)
    }

    /// Two models' continuations of one prompt. The value has a record for each pair.
    private static func beside(
        _ written: String, _ texts: [String], _ others: [String], notes: [String],
        _ invocation: Invocation
    ) -> CommandResult {
        let names = (
            invocation.written("model") ?? "model", invocation.written("compare") ?? "compare"
        )
        var text = StyledText(TextWidth.printable(written), .faint)
        for (one, other) in zip(texts, others) {
            text.append("\n")
            text.append(
                SideBySide(left: (names.0, one), right: (names.1, other)).rendered(
                    invocation.appearance))
        }
        let pairs = zip(texts, others).map { one, other in
            Value.record(["text": .text(one), "other": .text(other)])
        }
        return CommandResult(
            value: pairs.count == 1 ? pairs[0] : .list(pairs), Display(text), notes: notes)
    }
}
