import Alignment
import CommandLanguage
import Rendering
import Values

extension CommandTable {
    static let generateCommand = Command(
        "generate", .models, "continues a text",
        about: """
            The model continues the text as it is. With chat=true the text is a message to an \
            instruct model, which its chat template writes; `chat` keeps the conversation. A server \
            in chat form gets the text as a message in any case.
            """,
        makes: ["_"], effect: .tries,
        operands: [.required("prompt", .text, "the text in quotes")],
        options: MethodKey.sampling(from: generationDefaults.sampling) + [
            OptionSpecification("stop", .text, "a text that ends the response, or a list of them"),
            OptionSpecification("samples", .number, "number of continuations; default: 1"),
            OptionSpecification(
                "chat", .flag, "ask an instruct model, through its chat template; default: false"),
            OptionSpecification("engine", .value, "a model or a server in place of `model`"),
            MethodKey.model, MethodKey.seed,
            OptionSpecification(
                "compare", .value,
                "another model or a server, whose continuations stand beside these"),
        ],
        example: "generate \"Principles for summaries:\\n\" max_tokens=12", run: generate)

    private static let generationDefaults: RolloutSettings = {
        var settings = RolloutSettings()
        settings.sampling.maxTokens = 64
        return settings
    }()

    private static func generate(_ invocation: Invocation) throws -> CommandResult {
        if invocation.has("engine"), invocation.has("model") {
            throw invocation.error(
                "`engine` and `model` both name who continues the text", at: "engine")
        }
        let writer =
            try ContinuingWriter("engine", invocation)
            ?? ContinuingWriter(invocation.model(), invocation)
        let other = try ContinuingWriter("compare", invocation)
        guard let written = try invocation.text("prompt") else { return CommandResult() }
        var settings = generationDefaults
        try invocation.apply(to: &settings)
        // The same keys for both: where two models agree, they draw the same tokens.
        let (texts, notes) = try writer.continuations(of: written, settings, invocation)
        guard let other else {
            return alone(
                written, texts,
                isMessage: try invocation.flag("chat") == true || writer.takesMessages,
                notes: notes)
        }
        let (others, otherNotes) = try other.continuations(of: written, settings, invocation)
        return beside(written, texts, others, notes: notes + otherNotes, invocation)
    }

    private static func alone(
        _ written: String, _ texts: [String], isMessage: Bool, notes: [String]
    ) -> CommandResult {
        var text = StyledText()
        for (index, continuation) in texts.enumerated() {
            if texts.count > 1 { text.line("[\(index)]", .faint) }
            if !text.isEmpty { text.append("\n") }
            text.append(TextWidth.printable(written), .faint)
            if isMessage { text.append("\n") }
            text.append(TextWidth.printable(continuation))
        }
        return CommandResult(
            value: texts.count == 1 ? .text(texts[0]) : Value(texts), Display(text), notes: notes)
    }

    /// Two writers' continuations of one prompt. The value has a record for each pair.
    private static func beside(
        _ written: String, _ texts: [String], _ others: [String], notes: [String],
        _ invocation: Invocation
    ) -> CommandResult {
        let names = (
            invocation.written("engine") ?? invocation.written("model") ?? "model",
            invocation.written("compare") ?? "compare"
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
