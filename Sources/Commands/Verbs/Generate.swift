import Alignment
import CommandLanguage
import Foundation
import Rendering
import TextModels
import Transformers
import Values

extension CommandTable {
    static let generateCommand = Command(
        "generate", .models, "continues a text",
        makes: ["_"], effect: .tries,
        operands: [.required("prompt", .text, "the text in quotes")],
        options: MethodKey.sampling(from: generationDefaults.sampling) + [
            OptionSpecification("stop", .text, "a text that ends the response"),
            OptionSpecification("samples", .number, "number of continuations; 1"),
            MethodKey.model, MethodKey.seed,
        ],
        example: "generate \"Principles for summaries:\\n\" max_tokens=12", run: generate)

    private static let generationDefaults: RolloutSettings = {
        var settings = RolloutSettings()
        settings.sampling.maxTokens = 64
        return settings
    }()

    private static func generate(_ invocation: Invocation) throws -> CommandResult {
        let model = try invocation.textModel(try invocation.model())
        guard let written = try invocation.text("prompt") else { return CommandResult() }
        var settings = generationDefaults
        try invocation.apply(to: &settings)
        let prompt = model.prompt(written)
        let room = model.context - prompt.tokens.count
        guard room > 0 else {
            throw invocation.located(
                ModelError.tooLong(tokens: prompt.tokens.count, context: model.context),
                at: "prompt")
        }
        settings.sampling.maxTokens = min(settings.sampling.maxTokens, room)
        let key = try invocation.randomKey()
        var meter = invocation.meter()
        defer { meter.finish() }
        let completions = try model.complete(
            (0..<settings.samples).map { CompletionRequest(prompt, key: key.child(UInt64($0))) },
            settings.sampling, stops: [try invocation.text("stop")].compactMap(\.self),
            memory: invocation.session.settings.memoryPlan,
            progress: { progress in
                meter.update(
                    progress.tokens, of: progress.total * settings.sampling.maxTokens,
                    unit: "tokens", tokens: progress.tokens)
                return invocation.cancel()
            }, cancel: invocation.cancel)
        let texts = completions.map(\.text)
        var notes: [String] = []
        if completions.contains(where: { $0.finish == .interrupted }) {
            notes.append("stopped after \(completions.reduce(0) { $0 + $1.tokens.count }) tokens")
        }
        var text = StyledText()
        for (index, continuation) in texts.enumerated() {
            if texts.count > 1 { text.line("[\(index)]", .faint) }
            if !text.isEmpty { text.append("\n") }
            text.append(TextWidth.printable(written), .faint)
            text.append(TextWidth.printable(continuation))
        }
        return CommandResult(
            value: texts.count == 1 ? .text(texts[0]) : Value(texts), Display(text), notes: notes)
    }
}
