import JSON

/// One request of a probe: few tokens of a text that goes on for long.
struct ProbeRequest {
    /// Tells requests apart that are otherwise the same.
    var name: String
    var api: Server.API
    var body: JSON
    /// Whether a body without text is a finding, and no fault.
    var isLenient = false

    /// Counting goes on for long, is alike at every server, and has no ending of its own.
    static let counting = "Count from 1 to 50: 1, 2, 3,"
    private static let words = "Random words, one after the other:"

    /// - Parameter wishes: members of the body beside those of every request.
    private init(
        _ name: String, _ prompt: String, maxTokens: Int, temperature: Double,
        _ wishes: [JSON.Member], _ server: Server, _ api: Server.API? = nil
    ) {
        self.name = name
        self.api = api ?? server.api
        let content: JSON.Member =
            switch self.api {
            case .chat: .init("messages", [["role": "user", "content": .string(prompt)]])
            case .completions: .init("prompt", .string(prompt))
            }
        body = .object(
            [
                .init("model", .string(server.model)), content,
                .init("max_tokens", .integer(maxTokens)),
                .init("temperature", .double(temperature)),
            ] + wishes)
    }

    static let shortest = 4

    static func maxTokens(_ server: Server) -> ProbeRequest {
        ProbeRequest(
            "max_tokens", counting, maxTokens: shortest, temperature: 0, [], server)
    }

    /// The text without the stop string is that of `maxTokens`, and would go on after it.
    static func stop(_ string: String, _ server: Server) -> ProbeRequest {
        ProbeRequest(
            "stop", counting, maxTokens: 8, temperature: 0,
            [.init("stop", [.string(string)])], server)
    }

    static func seed(_ seed: Int, _ name: String, _ server: Server) -> ProbeRequest {
        ProbeRequest(
            name, words, maxTokens: 12, temperature: 1, [.init("seed", .integer(seed))], server)
    }

    static func two(_ server: Server) -> ProbeRequest {
        ProbeRequest(
            "n", counting, maxTokens: shortest, temperature: 1, [.init("n", 2)], server)
    }

    static func logProbs(_ server: Server) -> ProbeRequest {
        ProbeRequest(
            "logprobs", counting, maxTokens: shortest, temperature: 0,
            server.api == .chat
                ? [.init("logprobs", true), .init("top_logprobs", 1)] : [.init("logprobs", 1)],
            server)
    }

    /// Only `/completions` gives the log-probs of a prompt.
    static func promptLogProbs(maxTokens: Int, _ server: Server) -> ProbeRequest {
        var request = ProbeRequest(
            "prompt_logprobs \(maxTokens)", counting, maxTokens: maxTokens, temperature: 0,
            [.init("logprobs", 1), .init("echo", true)], server, .completions)
        request.isLenient = true
        return request
    }

    /// A part of the text of `maxTokens` that is not at its beginning; a comma if there is none.
    static func stopString(in text: String) -> String {
        let characters = Array(text)
        for start in stride(from: characters.count / 2, to: characters.count, by: 1) {
            let piece = characters[start..<min(start + 2, characters.count)]
            guard !piece.contains(where: \.isWhitespace), let found = text.range(of: String(piece))
            else { continue }
            if text[..<found.lowerBound].contains(where: { !$0.isWhitespace }) {
                return String(piece)
            }
        }
        return ","
    }
}
