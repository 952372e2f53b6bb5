import JSON

/// What a probe keeps of one reply: as much as shows whether a wish was honored.
struct ProbeReply: Hashable, Sendable {
    /// Nil for an answer.
    var refusal: RequestRun.Refusal?
    /// The text of the first choice; nil if there is none.
    var text: String?
    /// Number of choices.
    var choices = 0
    var finish: String?
    var promptTokens: Int?
    var completionTokens: Int?
    /// Tokens in the list of log-probs of the first choice, and those among them with a number.
    var listedTokens = 0
    var logProbs = 0

    private init() {}

    init(refusal: RequestRun.Refusal) { self.refusal = refusal }

    /// An answer of `/chat/completions` or `/completions`, as far as it has the form of one.
    init(_ body: JSON, _ api: Server.API) {
        let list = body["choices"]?.elements ?? []
        choices = list.count
        if let answer = try? ServerAnswer(body, api) {
            (text, finish) = (answer.text, answer.finish)
            (promptTokens, completionTokens) = (answer.promptTokens, answer.completionTokens)
        }
        let found = list.first?["logprobs"]
        // `content` is the form of chat, which some servers use for text as well.
        let numbers =
            found?["content"]?.elements.map { $0.map { $0["logprob"] ?? .null } }
            ?? found?["token_logprobs"]?.elements ?? []
        listedTokens = numbers.count
        logProbs = numbers.count { $0.double?.isFinite == true }
    }

    /// What the server sends back may contain the key.
    func cleaned(of key: ServerKey) -> ProbeReply {
        var reply = self
        reply.text = text.map(key.removed(fromAnswer:))
        reply.finish = finish.map(key.removed(fromAnswer:))
        return reply
    }

    // The form in which it is kept: that of an answer, with more beside it.

    var kept: JSON {
        var members = [JSON.Member("text", .string(text ?? ""))]
        func add(_ key: String, _ number: Int?) {
            if let number { members.append(.init(key, .integer(number))) }
        }
        if let refusal {
            add("status", refusal.status)
            members.append(.init("message", .string(refusal.message)))
            return .object(members)
        }
        if let finish { members.append(.init("finish", .string(finish))) }
        add("prompt_tokens", promptTokens)
        add("completion_tokens", completionTokens)
        add("texts", text == nil ? 0 : 1)
        add("choices", choices)
        add("listed_tokens", listedTokens)
        add("logprobs", logProbs)
        return .object(members)
    }

    init?(kept: JSON) {
        guard let text = kept["text"]?.string else { return nil }
        self.init()
        if let status = kept["status"]?.integer {
            refusal = .init(status: status, message: kept["message"]?.string ?? "")
            return
        }
        self.text = kept["texts"]?.integer == 0 ? nil : text
        choices = kept["choices"]?.count ?? 0
        finish = kept["finish"]?.string
        promptTokens = kept["prompt_tokens"]?.count
        completionTokens = kept["completion_tokens"]?.count
        listedTokens = kept["listed_tokens"]?.count ?? 0
        logProbs = kept["logprobs"]?.count ?? 0
    }
}
