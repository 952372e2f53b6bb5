import JSON

/// Answers of a server that counts from 4 on, by `FakeServer`. It does what a request asks, but for
/// the wishes that a test takes from it.
public struct CountingServer: Sendable {
    /// Fields of a request that it passes over.
    public var ignores: Set<String> = []
    /// Fields that it refuses with a status.
    public var refuses: [String: Int] = [:]
    public var hasCompletions = true

    public init(
        ignores: Set<String> = [], refuses: [String: Int] = [:], hasCompletions: Bool = true
    ) {
        (self.ignores, self.refuses, self.hasCompletions) = (ignores, refuses, hasCompletions)
    }

    /// The fields whose effect can be seen.
    public static let wishes: Set<String> = [
        "max_tokens", "stop", "seed", "n", "logprobs", "echo",
    ]

    public func reply(to request: FakeServer.Request) -> FakeServer.Reply {
        guard let body = try? JSON.read(request.body) else { return .status(400) }
        let isChat = request.line.contains("/chat/completions ")
        if !isChat, !hasCompletions { return .status(404, body: #"{"detail":"Not Found"}"#) }
        for (field, status) in refuses where body[field] != nil {
            return .status(status, body: #"{"error":{"message":"no \#(field) here"}}"#)
        }
        func wish(_ field: String) -> JSON? { ignores.contains(field) ? nil : body[field] }
        let limit = wish("max_tokens")?.integer ?? 20
        // Greedy texts are alike; others differ by the seed, and by the request without one.
        let isGreedy = body["temperature"]?.double == 0
        let first = isGreedy ? 4 : 10 * (wish("seed")?.integer ?? 7 + request.number)
        var tokens = (0..<limit).map { $0 % 2 == 0 ? " \(first + $0 / 2)" : "," }
        var finish = "length"
        for stop in wish("stop")?.elements?.compactMap(\.string) ?? [] {
            let end = tokens.indices.first { tokens[...$0].joined().contains(stop) }
            guard let end, let place = tokens[...end].joined().range(of: stop) else { continue }
            let text = tokens[...end].joined()
            (tokens, finish) = ([String(text[..<place.lowerBound])], "stop")
        }
        let prompt = body["prompt"]?.string ?? ""
        let isEchoed = !isChat && wish("echo")?.bool == true
        // A prompt has a token a word, and the first has no log-prob.
        let read = isEchoed ? prompt.split(separator: " ").count : 0
        var logProbs = JSON.null
        if let asked = wish("logprobs"), asked != false {
            let numbers =
                (0..<read).map { $0 == 0 ? JSON.null : .double(-0.5) }
                + tokens.map { _ in .double(-0.25) }
            logProbs =
                isChat
                ? ["content": .array(numbers.map { ["logprob": $0] })]
                : ["token_logprobs": .array(numbers)]
        }
        let text = JSON.string((isEchoed ? prompt : "") + tokens.joined())
        let choice: JSON = [
            "finish_reason": .string(finish), "logprobs": logProbs, "text": text,
            "message": ["role": "assistant", "content": text],
        ]
        let answer: JSON = [
            "choices": .array(
                [JSON](repeating: choice, count: wish("n")?.integer ?? 1)),
            "usage": ["prompt_tokens": 11, "completion_tokens": .integer(tokens.count)],
        ]
        return .body(answer.compact)
    }
}
