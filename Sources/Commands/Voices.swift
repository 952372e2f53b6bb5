import Alignment
import CommandLanguage
import Rendering
import Servers
import Tensors
import TextModels
import Values

/// A model or a server that a statement names as writer, engine or judge.
struct NamedVoice {
    var voice: Voice
    /// Decides its random numbers.
    var key: RandomKey
    /// Nil for a loaded model.
    var server: ServerEngine?
    /// Nil for a server.
    var model: ModelObject?

    /// Sentences about a server's requests and tokens, and about settings that it ignored.
    var notes: [String] {
        guard let server else { return [] }
        let counts = server.usage.counts
        var parts = [
            counts.asked > 0 || counts.reused == 0
                ? "asked `\(voice.name)` \(times(counts.asked))" : nil,
            counts.reused > 0
                ? "\(NumberText.count(counts.reused, "answer")) of `\(voice.name)` "
                    + (counts.reused == 1 ? "was" : "were") + " kept from before" : nil,
        ].compactMap(\.self)
        if counts.promptTokens + counts.completionTokens > 0 {
            parts.append(
                "\(NumberText.grouped(counts.promptTokens)) tokens read, "
                    + "\(NumberText.grouped(counts.completionTokens)) written")
        }
        if counts.repeated > 0 {
            parts.append("\(NumberText.count(counts.repeated, "request")) sent again")
        }
        var notes = [parts.joined(separator: "; ")]
        if counts.tooLong > 0 {
            notes.append(
                "`\(voice.name)` did not keep to max_tokens in "
                    + NumberText.count(counts.tooLong, "answer"))
        }
        if counts.unstopped > 0 {
            notes.append(
                "`\(voice.name)` went on after a stop string in "
                    + "\(NumberText.count(counts.unstopped, "answer")), which was cut there")
        }
        return notes
    }

    /// After a stop: the answers are paid for and stay.
    var keptSentence: String? {
        guard let counts = server?.usage.counts, counts.asked + counts.reused > 0 else {
            return nil
        }
        return "\(NumberText.count(counts.asked + counts.reused, "answer")) of `\(voice.name)` "
            + "are kept for the next time"
    }

    private func times(_ count: Int) -> String {
        count == 1 ? "once" : "\(NumberText.grouped(count)) times"
    }
}

extension Invocation {
    /// The model or server that an option names; nil without the option.
    func voice(_ role: String) throws -> NamedVoice? {
        guard let argument = argument(role) else { return nil }
        let value = try value(argument)
        let name = written(role) ?? role
        if let object = value.object(ModelObject.self) {
            return try voice(computing(object), name: name)
        }
        guard let object = value.object(ServerObject.self) else {
            throw located(
                EvaluationError.wrongKind(
                    role: "`\(role)`", expected: "a model or a server", found: value.aKind),
                at: role)
        }
        let engine = ServerEngine(
            object.server,
            keeping: WorkspaceAnswers(
                own: session.workspace.answers, replayed: session.replayedAnswers))
        // Its numbers do not depend on the statement's place, so a statement that runs again asks
        // nothing again.
        let seed = try integer("seed", atLeast: 0, atMost: 1 << 53).map { UInt64($0) }
        return NamedVoice(
            voice: Voice(
                engine, prompts: object.server.api == .chat ? .chat : .general, name: name),
            key: RandomKey(seed: seed ?? session.seed).child("server"), server: engine)
    }

    func voice(_ object: ModelObject, name: String) throws -> NamedVoice {
        let text = try textModel(object)
        return NamedVoice(
            voice: Voice(
                LoadedEngine(text, memory: session.settings.memoryPlan), prompts: text.prompts,
                name: name),
            key: try randomKey(), model: object)
    }
}
