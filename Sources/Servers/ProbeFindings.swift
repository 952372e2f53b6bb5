import Foundation

/// What the replies of a probe show.
extension ServerProbe.Finding {
    private typealias Honored = ServerProbe.Honored

    /// Of a refused request; nil for an answer.
    private init?(_ wish: ServerProbe.Wish, refusedBy reply: ProbeReply) {
        guard let refusal = reply.refusal else { return nil }
        self.init(wish: wish, honored: .refused, seen: refusal.words)
    }

    init(maxTokens reply: ProbeReply) {
        if let refused = Self(.maxTokens, refusedBy: reply) {
            self = refused
            return
        }
        let limit = ProbeRequest.shortest
        let length = (reply.text ?? "").utf8.count
        let written = reply.completionTokens
        // Tokens have no more than a few bytes, so a long text tells where no count does.
        let isLonger = written.map { $0 > limit } ?? (length > 16 * limit)
        let honored: Honored = isLonger ? .no : reply.finish == "length" ? .yes : .unseen
        let tokens = written.map(ServerProbe.tokens) ?? "\(length) bytes, without a count of tokens"
        self.init(
            wish: .maxTokens, honored: honored,
            seen: "\(tokens) of \(limit), \(reply.ending)")
    }

    /// - Parameter first: the beginning of the text without the stop string.
    init(stop reply: ProbeReply, _ stop: String, unstopped first: ProbeReply) {
        if let refused = Self(.stop, refusedBy: reply) {
            self = refused
            return
        }
        func trimmed(_ text: some StringProtocol) -> String {
            text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let text = reply.text ?? ""
        let before = first.text.flatMap { text in
            text.range(of: stop).map { text[..<$0.lowerBound] }
        }
        let (honored, seen): (Honored, String)
        if let before, trimmed(text) == trimmed(before) {
            (honored, seen) = (.yes, "it ends before \"\(stop)\"")
        } else if let before, trimmed(text) == trimmed(before + stop) {
            // A text that was cut by its length would have gone on.
            (honored, seen) =
                first.finish == "length" && reply.finish != "length"
                ? (.yes, "it ends after \"\(stop)\", which it keeps")
                : (.unseen, "it ends with \"\(stop)\" in any case")
        } else if text.contains(stop) {
            (honored, seen) = (.no, "it goes on after \"\(stop)\"")
        } else {
            (honored, seen) = (.unseen, "\"\(stop)\" did not come up")
        }
        self.init(wish: .stop, honored: honored, seen: seen)
    }

    init(seed reply: ProbeReply, again: ProbeReply, another: ProbeReply) {
        for reply in [reply, again, another] {
            if let refused = Self(.seed, refusedBy: reply) {
                self = refused
                return
            }
        }
        let isSame = reply.text == again.text
        let differs = reply.text != another.text
        let (honored, seen): (Honored, String) =
            if !isSame {
                (.no, "two texts for one seed")
            } else if differs {
                (.yes, "equal for one seed, different for another")
            } else if (reply.text ?? "").isEmpty {
                (.unseen, "no text, whatever the seed")
            } else {
                (.unseen, "the same text, whatever the seed")
            }
        self.init(wish: .seed, honored: honored, seen: seen)
    }

    init(two reply: ProbeReply) {
        if let refused = Self(.n, refusedBy: reply) {
            self = refused
            return
        }
        self.init(
            wish: .n, honored: reply.choices == 2 ? .yes : .no,
            seen: "\(reply.choices) of 2 texts")
    }

    init(logProbs reply: ProbeReply) {
        if let refused = Self(.logprobs, refusedBy: reply) {
            self = refused
            return
        }
        self.init(
            wish: .logprobs, honored: reply.logProbs > 0 ? .yes : .no,
            seen: reply.logProbs > 0
                ? "of \(ServerProbe.tokens(reply.logProbs))" : "none in the answer")
    }

    /// - Parameters:
    ///   - maxTokens: of the request; also the number of written tokens, if the answer has none.
    ///   - api: how the server is asked otherwise.
    init(promptLogProbs reply: ProbeReply, maxTokens: Int, _ api: Server.API) {
        if let refused = Self(.promptLogProbs, refusedBy: reply) {
            self = refused
            if reply.hasNoEndpoint(besides: api) {
                honored = .no
                seen = "there is no /completions (\(refused.seen))"
            }
            return
        }
        let written = reply.completionTokens ?? maxTokens
        let isEchoed = reply.text?.contains(ProbeRequest.counting) ?? false
        // The first token of a text has no log-prob.
        let isThere = isEchoed && reply.logProbs >= written + 2
        let seen =
            if isThere {
                "of \(reply.logProbs - written) of \(reply.listedTokens - written) tokens, "
                    + "with max_tokens=\(maxTokens)"
            } else if isEchoed {
                "the prompt comes back without them"
            } else {
                "the prompt does not come back"
            }
        self.init(wish: .promptLogProbs, honored: isThere ? .yes : .no, seen: seen)
    }
}

extension ServerProbe {
    fileprivate static func tokens(_ count: Int) -> String {
        count == 1 ? "1 token" : "\(count) tokens"
    }
}

extension ProbeReply {
    /// Whether a server of the other form of the API has no `/completions`.
    func hasNoEndpoint(besides api: Server.API) -> Bool {
        api == .chat && refusal.map { [404, 405, 501].contains($0.status) } ?? false
    }

    fileprivate var ending: String {
        finish.map { "finish_reason \"\($0)\"" } ?? "no finish_reason"
    }
}

extension RequestRun.Refusal {
    fileprivate var words: String {
        "status \(status)" + (message.isEmpty ? "" : ": \"\(message)\"")
    }
}
