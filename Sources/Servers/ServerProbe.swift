import Foundation
import JSON
import LongWork

/// Asks a server which wishes it honors: a few tiny requests, each with one whose effect shows.
///
/// Servers need not do what a request asks, and most say nothing when they do not.
public struct ServerProbe {
    public enum Wish: String, Sendable, CaseIterable {
        case maxTokens = "max_tokens"
        case stop, seed, n, logprobs
        case promptLogProbs = "prompt_logprobs"
    }

    public enum Honored: String, Sendable {
        case yes, no
        /// By a status that is an error.
        case refused
        case unseen = "cannot be seen"
    }

    public struct Finding: Sendable, Hashable {
        public var wish: Wish
        public var honored: Honored
        /// In a few words.
        public var seen: String
    }

    public let server: Server
    private let store: any AnswerStore
    private let number: Int?
    private let environment: [String: String]
    public let usage = ServerUsage()
    /// Seconds before the first repetition of a request.
    var firstDelay = 0.5

    /// - Parameters:
    ///   - number: tells this probe from others, which ask anew; the statement's number. With nil
    ///     no answer is kept.
    ///   - environment: where the variable with the key is looked up.
    public init(
        _ server: Server, number: Int?, keeping store: any AnswerStore,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.server = server
        self.number = number
        self.store = store
        self.environment = environment
    }

    /// One finding for each wish, in their order.
    ///
    /// - Throws: `Canceled` if `progress` answers `.stop`. A `ServerError` if there is no server,
    ///   if the first request is refused for its key or its model, or if an answer is malformed.
    public func findings(progress: (WorkProgress) -> Continuation) throws -> [Finding] {
        var done = 0
        func ask(_ requests: [ProbeRequest], isFirst: Bool = false) throws -> [ProbeReply] {
            // The last request is sent only if the one before it shows nothing.
            let total = max(8, done + requests.count)
            let replies = try replies(to: requests, takesFaults: !isFirst) {
                progress(
                    WorkProgress(.generate, done: done + $0, of: total, unit: .responses))
            }
            done += requests.count
            return replies
        }
        let first = try ask([.maxTokens(server)], isFirst: true)[0]
        if let refusal = first.refusal, [401, 403, 404].contains(refusal.status) {
            // Nothing is wished for yet but an answer.
            throw ServerError.refused(
                server: server.address.text, status: refusal.status, message: refusal.message)
        }
        let stop = ProbeRequest.stopString(in: first.text ?? "")
        let others = try ask([
            .stop(stop, server), .seed(1, "seed", server), .seed(1, "seed again", server),
            .seed(2, "another seed", server), .two(server), .logProbs(server),
            .promptLogProbs(maxTokens: 0, server),
        ])
        var prompt = Finding(promptLogProbs: others[6], maxTokens: 0, server.api)
        if prompt.honored != .yes, !others[6].hasNoEndpoint(besides: server.api) {
            let again = try ask([.promptLogProbs(maxTokens: 1, server)])[0]
            prompt = Finding(promptLogProbs: again, maxTokens: 1, server.api)
        }
        return [
            Finding(maxTokens: first), Finding(stop: others[0], stop, unstopped: first),
            Finding(seed: others[1], again: others[2], another: others[3]),
            Finding(two: others[4]), Finding(logProbs: others[5]), prompt,
        ]
    }

    /// The replies in the order of the requests.
    private func replies(
        to requests: [ProbeRequest], takesFaults: Bool, progress: (Int) -> Continuation
    ) throws -> [ProbeReply] {
        let lines = requests.map(line)
        var replies: [Int: ProbeReply] = [:]
        for (place, line) in lines.enumerated() {
            guard number != nil, let kept = try store.answer(to: line) else { continue }
            replies[place] = (try? JSON.read(kept)).flatMap { ProbeReply(kept: $0) }
        }
        usage.reused(replies.count)
        let missing = requests.indices.filter { replies[$0] == nil }
        guard !missing.isEmpty else { return requests.indices.compactMap { replies[$0] } }
        guard store.mayAsk else {
            throw ServerError.notKept(server: server.address.text, count: missing.count)
        }
        let key = try ServerKey(of: server, environment)
        var run = RequestRun(server: server, key: key)
        run.firstDelay = firstDelay
        let posted = missing.map {
            RequestRun.Posted(url: server.endpoint(requests[$0].api), body: requests[$0].body)
        }
        let repetitions = try run.exchange(posted, takesFaults: takesFaults) {
            progress(replies.count)
        } received: { index, reply in
            let place = missing[index]
            let found: ProbeReply
            switch reply {
            case .refusal(let refusal):
                found = ProbeReply(refusal: refusal)
                usage.refused()
            case .body(let body):
                if !requests[place].isLenient { _ = try run.answer(body) }
                found = ProbeReply(body, requests[place].api).cleaned(of: key)
                usage.asked(reading: found.promptTokens, writing: found.completionTokens)
            }
            if number != nil { try store.keep(found.kept.compact, to: lines[place]) }
            replies[place] = found
        }
        usage.repeated(repetitions)
        return try requests.indices.map { place in
            guard let reply = replies[place] else { throw Canceled() }
            return reply
        }
    }

    /// The request as it is kept. Other work may send the same body, and another probe asks anew.
    private func line(_ request: ProbeRequest) -> String {
        let line: JSON = [
            "url": .string(server.endpoint(request.api)), "body": request.body,
            "probe": ["number": .integer(number ?? 0), "request": .string(request.name)],
        ]
        return line.compact
    }
}
