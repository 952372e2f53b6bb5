import ChatTemplates
import JSON
import Tensors
import TextModels

/// One request in the form of the API.
struct RequestBody {
    /// The JSON that is sent.
    let json: JSON
    /// The beginning of the answer that the request asks for; empty if it asks for none.
    let beginning: String
    /// The stop strings that are sent. The API takes four at most; the text is cut at the others
    /// when it is here.
    let stops: StopStrings

    init(_ request: TextRequest, _ sampling: Sampling, stops: [String], _ server: Server) {
        var members: [JSON.Member] = [.init("model", .string(server.model))]
        var beginning = ""
        switch (server.api, request.content) {
        case (.chat, .text(let text)):
            members.append(.init("messages", RequestBody.messages([("user", text)])))
        case (.chat, .messages(let messages)):
            var messages = messages.map { (role: $0.role, content: $0.content) }
            // Servers treat an answer that has begun in different ways.
            if let last = messages.last, last.role == "assistant", messages.count > 1 {
                beginning = last.content
                messages.removeLast()
                messages[messages.count - 1].content += "\n\nBegin your answer with: \(beginning)"
            }
            members.append(.init("messages", RequestBody.messages(messages)))
        case (.completions, .text(let text)):
            members.append(.init("prompt", .string(text)))
        case (.completions, .messages(let messages)):
            // Without a template of its own, a conversation is its contents, one after the other.
            members.append(
                .init("prompt", .string(messages.map(\.content).joined(separator: "\n\n"))))
        }
        members.append(.init("max_tokens", .integer(sampling.maxTokens)))
        members.append(.init("temperature", .double(sampling.temperature)))
        if sampling.topP < 1 { members.append(.init("top_p", .double(sampling.topP))) }
        // Not in OpenAI's own API; sent only if a person sets them.
        if sampling.topK > 0 { members.append(.init("top_k", .integer(sampling.topK))) }
        if sampling.minP > 0 { members.append(.init("min_p", .double(sampling.minP))) }
        let sent = Array(stops.prefix(4))
        if !sent.isEmpty { members.append(.init("stop", .array(sent.map(JSON.string)))) }
        self.stops = StopStrings(sent)
        members.append(.init("seed", .integer(request.key.serverSeed)))
        json = .object(members)
        self.beginning = beginning
    }

    private static func messages(_ messages: [(role: String, content: String)]) -> JSON {
        .array(messages.map { ["role": .string($0.role), "content": .string($0.content)] })
    }
}

extension RandomKey {
    /// A seed that every server accepts: 31 bits.
    fileprivate var serverSeed: Int { Int(bits(0) >> 33) }
}
