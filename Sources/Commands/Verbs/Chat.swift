import Alignment
import ChatTemplates
import CommandLanguage
import Rendering
import Tensors
import TextModels
import Transformers
import Values

extension CommandTable {
    static let chatCommand = Command(
        "chat", .models, "talks to an instruct model",
        about: """
            Your message and the answer go to the end of `conversation`, or of the name on the left \
            of `=`; the next `chat` continues it, and new=true begins another. The model's chat \
            template writes the conversation. Sampling starts from the settings in the model's \
            generation_config.json, if it has some; no other verb uses them.
            """,
        makes: ["conversation"],
        operands: [.required("message", .text, "what you say, in quotes")],
        options: [
            OptionSpecification("system", .text, "the system message"),
            OptionSpecification("new", .flag, "begin another conversation; default: false"),
        ] + MethodKey.sampling(from: chatSampling) + [
            MethodKey.model, MethodKey.seed,
        ],
        example: "chat \"What is a forest?\" max_tokens=8", run: chat)

    private static let chatSampling = Sampling(temperature: 0.7, maxTokens: 256)

    private static func chat(_ invocation: Invocation) throws -> CommandResult {
        let object = try invocation.model()
        let model = try invocation.chatModel(object)
        guard let message = try invocation.text("message") else { return CommandResult() }
        let name = invocation.target?.name ?? "conversation"
        var messages = try invocation.flag("new") == true ? [] : conversation(name, invocation)
        if let system = try invocation.text("system") {
            messages.removeAll { $0.role == "system" }
            messages.insert(ChatMessage(role: "system", content: system), at: 0)
        }
        messages.append(ChatMessage(role: "user", content: message))

        var settings = RolloutSettings()
        settings.sampling = chatSampling
        SamplingDefaults(object.directory)?.apply(to: &settings.sampling)
        try invocation.apply(to: &settings)
        let answer = try invocation.answer(messages, model, settings)
        messages.append(ChatMessage(role: "assistant", content: answer.text.trimmed))

        var notes: [String] = []
        switch answer.finish {
        case .length: notes.append("max_tokens cut the answer off; chat \"Go on.\" continues")
        case .interrupted: notes.append("stopped after \(answer.tokens.count) tokens")
        case .stop: break
        }
        var result = CommandResult(
            value: .text(answer.text.trimmed),
            Display(StyledText(TextWidth.printable(answer.text.trimmed))), notes: notes)
        result.bindings = [("conversation", .list(messages.map(\.value)))]
        return result
    }

    /// The conversation under a name; empty if there is none.
    private static func conversation(
        _ name: String, _ invocation: Invocation
    ) throws -> [ChatMessage] {
        guard let value = try invocation.session.value(of: name) else { return [] }
        if case .list(let items) = value {
            let messages = items.compactMap(ChatMessage.init)
            if messages.count == items.count { return messages }
        }
        throw invocation.error(
            "`\(name)` is \(value.aKind) and no conversation, a list of records with role and "
                + "content",
            suggestion: "new=true begins one in its place")
    }
}

extension Invocation {
    /// A model with its chat format.
    ///
    /// - Throws: a sentence, if it has no chat template, or one that cannot be used.
    func chatModel(_ object: ModelObject) throws -> TextModel {
        var model = try textModel(object)
        if model.chat == nil { model.chat = try object.chatFormat() }
        guard model.chat != nil else {
            throw error(
                "this model has no chat template, so it cannot tell a question from its answer",
                suggestion: "generate \"…\" continues a text")
        }
        return model
    }

    /// The answer to a conversation; a limit of the context shortens `maxTokens`.
    fileprivate func answer(
        _ messages: [ChatMessage], _ model: TextModel, _ settings: RolloutSettings
    ) throws -> Completion {
        let prompt = try model.prompt(.messages(messages))
        let room = model.context - prompt.tokens.count
        guard room > 0 else {
            throw error(
                "the conversation takes \(NumberText.grouped(prompt.tokens.count)) tokens, and the "
                    + "context has \(NumberText.grouped(model.context))",
                suggestion: "new=true begins another", at: "message")
        }
        var sampling = settings.sampling
        sampling.maxTokens = min(sampling.maxTokens, room)
        var meter = meter()
        defer { meter.finish() }
        let completions = try model.complete(
            [CompletionRequest(prompt, key: try randomKey())], sampling,
            memory: session.settings.memoryPlan,
            progress: { progress in
                meter.update(
                    progress.tokens, of: sampling.maxTokens,
                    underway: max(
                        0, progress.fraction * Double(sampling.maxTokens) - Double(progress.tokens)),
                    unit: "tokens", tokens: progress.tokens)
                return cancel()
            })
        return completions[0]
    }
}

extension ChatMessage {
    fileprivate var value: Value {
        .record(["role": .text(role), "content": .text(content)])
    }

    fileprivate init?(_ value: Value) {
        guard case .record(let record) = value, let role = record["role"]?.asText,
            ["system", "user", "assistant"].contains(role),
            let content = record["content"]?.asText
        else { return nil }
        self.init(role: role, content: content)
    }
}
