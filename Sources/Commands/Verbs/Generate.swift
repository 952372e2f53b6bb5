import Alignment
import CommandLanguage
import Foundation
import Rendering
import Transformers
import Values

extension CommandTable {
    static let generateCommand = Command(
        "generate", .models, "continues a text",
        makes: ["_"], effect: .tries,
        operands: [.required("prompt", .text, "the text in quotes")],
        options: MethodKey.sampling + [
            OptionSpecification("stop", .text, "a text that ends the response"),
            OptionSpecification("samples", .number, "number of continuations; 1"),
            MethodKey.model, MethodKey.seed,
        ],
        example: "generate \"Principles for summaries:\\n\" max_tokens=12", run: generate)

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
}
