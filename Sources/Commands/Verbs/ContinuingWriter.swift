import Alignment
import ChatTemplates
import LongWork
import Tensors
import TextModels
import Transformers
import Values

/// Who continues the text of `generate`: a loaded model, or a server.
enum ContinuingWriter {
    case model(TextModel)
    case server(NamedVoice)

    /// Nil without the option.
    ///
    /// - Throws: a sentence at the option, if it names neither.
    init?(_ role: String, _ invocation: Invocation) throws {
        guard let voice = try invocation.voice(role) else { return nil }
        if let model = voice.model {
            try self.init(model, invocation)
            return
        }
        if try invocation.flag("chat") == true, !voice.voice.prompts.isChat {
            throw invocation.error(
                "`\(voice.voice.name)` takes text and no messages",
                suggestion: "server … api=chat", at: "chat")
        }
        self = .server(voice)
    }

    init(_ object: ModelObject, _ invocation: Invocation) throws {
        self = .model(
            try invocation.flag("chat") == true
                ? try invocation.chatModel(object) : try invocation.textModel(object))
    }

    /// Whether it answers messages in any case.
    var takesMessages: Bool {
        switch self {
        case .model: false
        case .server(let voice): voice.voice.prompts.isChat
        }
    }

    /// The continuations, and sentences about the work.
    func continuations(
        of written: String, _ settings: RolloutSettings, _ invocation: Invocation
    ) throws -> (texts: [String], notes: [String]) {
        switch self {
        case .model(let model): try continuations(of: written, model, settings, invocation)
        case .server(let voice): try continuations(of: written, voice, settings, invocation)
        }
    }

    private func continuations(
        of written: String, _ model: TextModel, _ settings: RolloutSettings,
        _ invocation: Invocation
    ) throws -> (texts: [String], notes: [String]) {
        var settings = settings
        let key = try invocation.randomKey()
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
        return (
            completions.map(\.text), isStopped ? ["stopped after \(tokens) tokens"] : []
        )
    }

    private func continuations(
        of written: String, _ voice: NamedVoice, _ settings: RolloutSettings,
        _ invocation: Invocation
    ) throws -> (texts: [String], notes: [String]) {
        let follower = invocation.follower()
        defer { follower.finish() }
        do {
            let texts = try voice.voice.engine.write(
                (0..<settings.samples).map {
                    TextRequest(.text(written), key: voice.key.child(UInt64($0)))
                }, settings.sampling, stops: try invocation.texts("stop"),
                progress: follower.follow)
            return (texts.map(\.text), voice.notes)
        } catch is Canceled {
            let kept = invocation.session.workspace.isWritable ? voice.keptSentence : nil
            throw invocation.located(
                EvaluationError.interrupted("stopped; " + (kept ?? "nothing has changed")))
        }
    }
}
