import JSON

/// What a server wrote to one request.
public struct ServerAnswer: Sendable, Hashable {
    public var text: String
    /// "stop", "length", or another word of the server; nil if it gave none.
    public var finish: String?
    /// As the server counted; nil if it did not.
    public var promptTokens: Int?
    public var completionTokens: Int?
    /// The name that the server gives its model, which may say more than the one asked for.
    public var model: String?
}

extension ServerAnswer {
    /// An answer of `/chat/completions` or `/completions`.
    ///
    /// - Throws: `AnswerFault` with the part that is missing.
    init(_ body: JSON, _ api: Server.API) throws(AnswerFault) {
        guard let choices = body["choices"]?.elements else { throw AnswerFault("no \"choices\"") }
        guard let choice = choices.first else { throw AnswerFault("\"choices\" is empty") }
        switch api {
        case .chat:
            guard let message = choice["message"] else { throw AnswerFault("no \"message\"") }
            // A refusal, or an answer that holds only a call of a tool, has no content.
            guard let content = message["content"] else { throw AnswerFault("no \"content\"") }
            guard content.string != nil || content.isNull else {
                throw AnswerFault("\"content\" is no text")
            }
            text = content.string ?? ""
        case .completions:
            guard let content = choice["text"]?.string else { throw AnswerFault("no \"text\"") }
            text = content
        }
        finish = choice["finish_reason"]?.string
        promptTokens = body["usage"]?["prompt_tokens"]?.count
        completionTokens = body["usage"]?["completion_tokens"]?.count
        model = body["model"]?.string
    }

    // The form in which it is kept.

    var kept: JSON {
        var members = [JSON.Member("text", .string(text))]
        if let finish { members.append(.init("finish", .string(finish))) }
        if let promptTokens { members.append(.init("prompt_tokens", .integer(promptTokens))) }
        if let completionTokens {
            members.append(.init("completion_tokens", .integer(completionTokens)))
        }
        if let model { members.append(.init("model", .string(model))) }
        return .object(members)
    }

    init?(kept: JSON) {
        guard let text = kept["text"]?.string else { return nil }
        self.text = text
        finish = kept["finish"]?.string
        promptTokens = kept["prompt_tokens"]?.count
        completionTokens = kept["completion_tokens"]?.count
        model = kept["model"]?.string
    }
}

extension JSON {
    /// A number of things that an answer has or took. More than any answer has, which would
    /// overflow a sum, is none.
    var count: Int? { integer.flatMap { (0...1 << 40).contains($0) ? $0 : nil } }
}

/// What an answer lacks.
struct AnswerFault: Error {
    var problem: String
    init(_ problem: String) { self.problem = problem }
}
