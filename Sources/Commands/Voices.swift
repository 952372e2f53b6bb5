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
    /// With the names that a person gave them; empty for a loaded model.
    var servers: [(name: String, engine: ServerEngine)] = []
    /// Nil for a server.
    var model: ModelObject?

    /// Sentences about a server's requests and tokens, and about settings that it ignored.
    var notes: [String] {
        servers.flatMap { $0.engine.usage.counts.notes(on: $0.name, $0.engine.server.price) }
    }

    /// After a stop: the answers are paid for and stay.
    var keptSentence: String? {
        let count = servers.reduce(0) {
            $0 + $1.engine.usage.counts.asked + $1.engine.usage.counts.reused
        }
        guard count > 0 else { return nil }
        return "\(NumberText.count(count, "answer")) of `\(voice.name)` are kept for the next time"
    }
}

extension ServerUsage.Counts {
    /// Sentences for a person: requests, tokens and their cost, and settings that were ignored.
    func notes(on name: String, _ price: TokenPrice?) -> [String] {
        let times = asked == 1 ? "once" : "\(NumberText.grouped(asked)) times"
        var parts = [
            asked > 0 || reused == 0 ? "asked `\(name)` \(times)" : nil,
            reused > 0
                ? "\(NumberText.count(reused, "answer")) of `\(name)` "
                    + (reused == 1 ? "was" : "were") + " kept from before" : nil,
        ].compactMap(\.self)
        if promptTokens + completionTokens > 0 {
            parts.append(
                "\(NumberText.grouped(promptTokens)) tokens read, "
                    + "\(NumberText.grouped(completionTokens)) written")
        }
        if let price, asked > 0 { parts.append(costWords(price)) }
        if repeated > 0 {
            parts.append("\(NumberText.count(repeated, "request")) sent again")
        }
        var notes = [parts.joined(separator: "; ")]
        if let failure { notes.append("its requests went to the other servers: \(failure)") }
        if tooLong > 0 {
            notes.append(
                "`\(name)` did not keep to max_tokens in "
                    + NumberText.count(tooLong, "answer"))
        }
        if unstopped > 0 {
            notes.append(
                "`\(name)` went on after a stop string in "
                    + "\(NumberText.count(unstopped, "answer")), which was cut there")
        }
        return notes
    }

    /// `0.0123 at the given prices`
    private func costWords(_ price: TokenPrice) -> String {
        let isCounted = promptTokens + completionTokens > 0
        guard isCounted || uncounted == 0 else { return "no cost: it counts no tokens" }
        let amount = cost(price)
        // An amount of money has no exponent.
        let digits =
            amount == 0 || amount >= 1e-4
            ? NumberText.significant(amount, digits: 3)
            : amount < 1e-6 ? "less than 0.000001" : NumberText.fixed(amount, decimals: 6)
        let cost = digits + " at the given prices"
        return uncounted == 0
            ? cost
            : "at least \(cost): \(NumberText.count(uncounted, "answer")) came without a count"
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
        let found: [Value] = if case .list(let items) = value { items } else { [value] }
        let objects = found.compactMap { $0.object(ServerObject.self) }
        guard !objects.isEmpty, objects.count == found.count else {
            throw located(
                EvaluationError.wrongKind(
                    role: "`\(role)`", expected: "a model or a server, or a list of servers",
                    found: value.aKind),
                at: role)
        }
        guard Set(objects.map(\.server)).count == objects.count else {
            throw self.error("`\(role)` names one server twice", at: role)
        }
        guard Set(objects.map(\.server.api)).count == 1 else {
            throw self.error(
                "the servers of `\(role)` are asked in one way: all by chat, or all by completions",
                at: role)
        }
        let engines = objects.map { ServerEngine($0.server, keeping: WorkspaceAnswers(session)) }
        let isOne = engines.count == 1
        let names =
            isOne ? [name] : objects.map { $0.server.model + " at " + $0.server.address.text }
        // Its numbers do not depend on the statement's place, so a statement that runs again asks
        // nothing again.
        let seed = try integer("seed", atLeast: 0, atMost: 1 << 53).map { UInt64($0) }
        return NamedVoice(
            voice: Voice(
                isOne ? engines[0] : ServerPool(engines),
                prompts: objects[0].server.api == .chat ? .chat : .general, name: name),
            key: RandomKey(seed: seed ?? session.seed).child("server"),
            servers: Array(zip(names, engines)))
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
