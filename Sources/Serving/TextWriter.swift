import JSON
import LongWork
import Tensors
import TextModels
import Transformers

/// Computes the answers to requests, one request at a time, as JSON in OpenAI's form.
///
/// Log-probs are those that `score` computes: under the model itself, at temperature 1.
struct TextWriter {
    let text: TextModel
    let request: WritingRequest
    /// Decides the random numbers.
    let key: RandomKey
    /// Id of the answer, and the seconds since 1970 of its making.
    let id: String
    let created: Int
    let modelName: String

    /// One text of the answer.
    struct Choice {
        var prompt: TextPrompt
        var completion: Completion?

        var finish: String {
            guard let completion else { return "length" }
            return completion.finish == .stop ? "stop" : "length"
        }
    }

    /// The whole answer.
    ///
    /// - Parameter watch: asked often.
    /// - Throws: `Canceled`, `ModelError`.
    func answer(watch: @escaping Watch) throws -> JSON {
        let choices = try write(token: nil, watch)
        let logProbs = try request.likeliest.map { count in
            try places(choices, count, watch)
        }
        var members = head(object: request.form == .chat ? "chat.completion" : "text_completion")
        members.append(
            .init(
                "choices",
                .array(
                    choices.enumerated().map { index, choice in
                        json(choice, index, logProbs?[index])
                    })))
        members.append(.init("usage", usage(choices)))
        return .object(members)
    }

    /// The answer part by part: each call of `send` has the data of one event.
    func stream(watch: @escaping Watch, send: @escaping (JSON) -> Void) throws {
        let isChat = request.form == .chat
        func event(_ part: String?, finish: String?) -> JSON {
            var choice: [JSON.Member] = [.init("index", 0)]
            if isChat {
                choice.append(
                    .init(
                        "delta",
                        part.map { ["role": "assistant", "content": .string($0)] } ?? .object([])))
            } else {
                choice.append(.init("text", .string(part ?? "")))
            }
            choice.append(.init("logprobs", .null))
            choice.append(.init("finish_reason", finish.map { .string($0) } ?? .null))
            return .object(
                head(object: isChat ? "chat.completion.chunk" : "text_completion")
                    + [.init("choices", [.object(choice)])])
        }
        var parts = TextParts(stops: request.stops)
        let prompt = request.prompts[0]
        let choices = try write(
            token: { _, tokens in
                if let part = parts.next(text.addedText(tokens, after: prompt)) {
                    send(event(part, finish: nil))
                }
            }, watch)
        if let rest = parts.rest(choices[0].completion?.text ?? "") {
            send(event(rest, finish: nil))
        }
        send(event(nil, finish: choices[0].finish))
        if request.countsTokens {
            send(
                .object(
                    head(object: isChat ? "chat.completion.chunk" : "text_completion")
                        + [.init("choices", []), .init("usage", usage(choices))]))
        }
    }

    // MARK: Parts

    private func write(token: ((Int, [Int32]) -> Void)?, _ watch: Watch) throws -> [Choice] {
        let prompts = request.prompts.flatMap { prompt in
            (0..<request.count).map { _ in prompt }
        }
        guard request.sampling.maxTokens > 0 else {
            return prompts.map { Choice(prompt: $0, completion: nil) }
        }
        let completions = try text.complete(
            prompts.enumerated().map {
                CompletionRequest($0.element, key: key.child(UInt64($0.offset)))
            }, request.sampling, stops: request.stops, token: token,
            progress: { watch($0.fraction) })
        if completions.contains(where: { $0.finish == .interrupted }) { throw Canceled() }
        return zip(prompts, completions).map { Choice(prompt: $0, completion: $1) }
    }

    private func places(
        _ choices: [Choice], _ count: Int, _ watch: Watch
    ) throws -> [[TokenPlace]] {
        let sequences = choices.map { $0.prompt.tokens + ($0.completion?.tokens ?? []) }
        let places = try text.model.places(sequences, likeliest: count, watch: watch)
        return zip(choices, places).map { choice, places in
            request.echoes ? places : Array(places.dropFirst(choice.prompt.tokens.count - 1))
        }
    }

    private func head(object: String) -> [JSON.Member] {
        [
            .init("id", .string(id)), .init("object", .string(object)),
            .init("created", .integer(created)), .init("model", .string(modelName)),
        ]
    }

    private func usage(_ choices: [Choice]) -> JSON {
        // A prompt counts once, however many texts continue it.
        let read = request.prompts.reduce(0) { $0 + $1.tokens.count }
        let written = choices.reduce(0) { $0 + ($1.completion?.tokens.count ?? 0) }
        return [
            "prompt_tokens": .integer(read), "completion_tokens": .integer(written),
            "total_tokens": .integer(read + written),
        ]
    }

    private func json(_ choice: Choice, _ index: Int, _ places: [TokenPlace]?) -> JSON {
        let written = choice.completion?.text ?? ""
        var members: [JSON.Member] = [.init("index", .integer(index))]
        switch request.form {
        case .chat:
            members.append(
                .init("message", ["role": "assistant", "content": .string(written)]))
            members.append(
                .init("logprobs", places.map { ["content": chatLogProbs($0)] } ?? .null))
        case .completions:
            members.append(
                .init("text", .string((request.echoes ? choice.prompt.text : "") + written)))
            members.append(.init("logprobs", places.map { logProbs($0, choice) } ?? .null))
        }
        members.append(.init("finish_reason", .string(choice.finish)))
        return .object(members)
    }
}

/// Cuts a growing text into parts that never need to be taken back: the beginning of a stop string
/// and half a character wait.
struct TextParts {
    private let stops: [String]
    private var sent = ""

    init(stops: [String]) { self.stops = stops }

    /// The part to send now; nil for none.
    mutating func next(_ text: String) -> String? {
        var text = Substring(StopStrings(stops).cut(text).text)
        // Bytes of a character whose others follow decode to this.
        while text.hasSuffix("\u{FFFD}") { text.removeLast() }
        let waiting = stops.map { held(by: $0, text) }.max() ?? 0
        return part(String(decoding: text.utf8.dropLast(waiting), as: UTF8.self))
    }

    mutating func rest(_ text: String) -> String? { part(text) }

    /// Number of bytes at the end that may begin a stop string.
    private func held(by stop: String, _ text: Substring) -> Int {
        let (stop, text) = (Array(stop.utf8), Array(text.utf8))
        return (0...min(stop.count, text.count)).last { count in
            text.suffix(count).elementsEqual(stop.prefix(count))
        } ?? 0
    }

    private mutating func part(_ text: String) -> String? {
        guard text.utf8.count > sent.utf8.count, text.utf8.starts(with: sent.utf8) else {
            return nil
        }
        let part = String(decoding: text.utf8.dropFirst(sent.utf8.count), as: UTF8.self)
        sent = text
        return part
    }
}
