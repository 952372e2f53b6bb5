import Foundation
import JSON
import LongWork

/// Sends requests, some at a time, until each has its answer.
///
/// A fault that may pass is tried again, later each time: no answer in time, a connection that
/// breaks, status 408, 429 and 500 to 599. A server that asks for patience (`Retry-After`) gets it,
/// and one that has too many requests gets fewer at once.
struct RequestRun {
    let server: Server
    let key: ServerKey
    /// Longest wait that a server may ask for, in seconds.
    static let patience = 300
    /// Seconds before the first repetition; each later one waits twice as long.
    var firstDelay = 0.5

    private struct Waiting {
        var index: Int
        var attempts = 0
        var due = ContinuousClock.now
    }

    /// One request: where it goes, and its body.
    struct Posted {
        var url: String
        var body: JSON
    }

    /// What a server sends back, if it is there.
    enum Reply {
        case body(JSON)
        case refusal(Refusal)
    }

    /// A status that is an error, with the server's words, which are clean of the key.
    struct Refusal: Hashable {
        var status: Int
        var message: String
    }

    /// Whether a request is worth sending again.
    private enum Failure: Error {
        case final(ServerError)
        case passing(reason: String, wait: Int?, isCrowded: Bool, refusal: Refusal? = nil)
    }

    /// - Parameters:
    ///   - watch: asked ten times a second and more.
    ///   - received: called for each answer as it arrives, in any order.
    /// - Throws: `Canceled` at once; a `ServerError` after the requests that were underway with the
    ///   one that failed, because their answers are paid for; errors of `received`.
    /// - Returns: the number of repetitions.
    @discardableResult
    func run(
        _ bodies: [JSON], watch: () -> Continuation,
        received: (Int, ServerAnswer) throws -> Void
    ) throws -> Int {
        let requests = bodies.map { Posted(url: server.endpoint, body: $0) }
        return try exchange(requests, watch: watch) { index, reply in
            switch reply {
            case .body(let body): try received(index, try answer(body))
            case .refusal(let refusal):
                throw ServerError.refused(
                    server: server.address.text, status: refusal.status, message: refusal.message)
            }
        }
    }

    /// The answer in a body.
    ///
    /// - Throws: `ServerError.malformed`.
    func answer(_ body: JSON) throws -> ServerAnswer {
        do throws(AnswerFault) {
            return key.removed(from: try ServerAnswer(body, server.api))
        } catch {
            throw ServerError.malformed(server: server.address.text, problem: error.problem)
        }
    }

    /// The same for a caller that reads the bodies, and the refusals, itself.
    ///
    /// - Parameters:
    ///   - takesFaults: whether a status from 500 on that stays after all repetitions is a refusal,
    ///     in place of an error.
    ///   - received: a `ServerError` that it throws ends the run as a fault of the server.
    func exchange(
        _ requests: [Posted], takesFaults: Bool = false, watch: () -> Continuation,
        received: (Int, Reply) throws -> Void
    ) throws -> Int {
        guard let transfers = HTTPTransfers(timeout: server.timeout) else {
            throw ServerError.unreachable(server: server.address.text, reason: "no memory")
        }
        var waiting = requests.indices.map { Waiting(index: $0) }
        var underway: [Int: Waiting] = [:]
        var limit = server.concurrency
        var hold = ContinuousClock.now
        var (repetitions, hasAnswered) = (0, false)
        var failure: ServerError?
        while !waiting.isEmpty || !underway.isEmpty {
            if watch() == .stop { throw Canceled() }
            let now = ContinuousClock.now
            while now >= hold, underway.count < limit,
                let next = waiting.firstIndex(where: { $0.due <= now })
            {
                let chosen = waiting.remove(at: next)
                do {
                    try transfers.start(request(requests[chosen.index]), tag: chosen.index)
                } catch {
                    throw ServerError.unreachable(
                        server: server.address.text, reason: "the request could not be made")
                }
                underway[chosen.index] = chosen
            }
            let next = max(hold, waiting.map(\.due).min() ?? .now) - .now
            let pause = underway.count < limit && !waiting.isEmpty ? next : .milliseconds(50)
            for (index, result) in transfers.wait(
                milliseconds: Int32(min(50, max(1, pause / .milliseconds(1)))))
            {
                guard var request = underway.removeValue(forKey: index) else { continue }
                request.attempts += 1
                do {
                    let reply = try reply(result, isFirst: !hasAnswered)
                    hasAnswered = true
                    try received(index, reply)
                } catch Failure.final(let error) {
                    failure = failure ?? error
                    waiting = []
                } catch let error as ServerError {
                    failure = failure ?? error
                    waiting = []
                } catch Failure.passing(let reason, let wait, let isCrowded, let refusal) {
                    if failure != nil { continue }
                    if let wait, wait > Self.patience {
                        failure = .mustWait(server: server.address.text, seconds: wait)
                    } else if request.attempts > server.retries {
                        if takesFaults, let refusal {
                            try received(index, .refusal(refusal))
                            continue
                        }
                        failure = .noAnswer(
                            server: server.address.text, reason: reason, attempts: request.attempts)
                    }
                    if failure != nil {
                        waiting = []
                        continue
                    }
                    repetitions += 1
                    if isCrowded { limit = max(1, limit / 2) }
                    let delay = Duration.seconds(
                        min(30, firstDelay * Double(1 << min(request.attempts - 1, 10)))
                            * Double.random(in: 0.75...1.25))
                    request.due = .now + delay
                    if let wait { hold = max(hold, .now + .seconds(wait)) }
                    waiting.append(request)
                }
            }
        }
        if let failure { throw failure }
        return repetitions
    }

    private func request(_ posted: Posted) -> HTTPRequest {
        HTTPRequest(
            url: posted.url, headers: ["Content-Type: application/json"] + key.headers,
            body: Array(posted.body.compact.utf8), isLocal: server.address.isLocal)
    }

    private func reply(
        _ result: Result<HTTPAnswer, HTTPFault>, isFirst: Bool
    ) throws(Failure) -> Reply {
        let label = server.address.text
        let answer: HTTPAnswer
        switch result {
        case .success(let found): answer = found
        case .failure(.certificate(let reason)):
            throw .final(.certificate(server: label, reason: reason))
        case .failure(.tooLarge):
            throw .final(.tooLarge(server: label, limit: HTTPTransfers.largestBody))
        case .failure(.unreachable(let reason)):
            // A server that has answered before may be starting anew.
            if isFirst { throw .final(.unreachable(server: label, reason: reason)) }
            throw .passing(reason: "it could not be reached", wait: nil, isCrowded: false)
        case .failure(.timeout):
            throw .passing(
                reason: "it took longer than \(Int(server.timeout)) seconds", wait: nil,
                isCrowded: true)
        case .failure(.other(let reason)):
            throw .final(.unreachable(server: label, reason: reason))
        case .failure(.cut(let reason)):
            throw .passing(
                reason: "the connection broke (\(reason))", wait: nil, isCrowded: false)
        }
        switch answer.status {
        case 200..<300: break
        case 300..<400:
            throw .final(
                .redirected(
                    server: label,
                    to: answer.location.map { key.removed(from: $0) } ?? "an unknown one"))
        // 501 says that the server cannot do it, now or later.
        case 408, 429, 500, 502..<600:
            let message = message(answer.body)
            throw .passing(
                reason: "it answered with status \(answer.status)"
                    + (message.isEmpty ? "" : " (\"\(message)\")"),
                wait: answer.wait, isCrowded: answer.status == 429 || answer.status == 503,
                refusal: answer.status >= 500
                    ? Refusal(status: answer.status, message: message) : nil)
        default:
            return .refusal(Refusal(status: answer.status, message: message(answer.body)))
        }
        do throws(JSON.Problem) {
            return .body(
                try JSON.read(answer.body, limits: .init(depth: 64), repairs: .loneSurrogates))
        } catch {
            // Without a length of the body, a connection that breaks looks like its end.
            if [.endsEarly, .unclosedString].contains(error.fault) {
                throw .passing(
                    reason: "its answer ended too early", wait: nil, isCrowded: false)
            }
            throw .final(.malformed(server: label, problem: "it is not JSON"))
        }
    }

    /// The sentence in the body of an error, in one short line.
    private func message(_ body: [UInt8]) -> String {
        let json = try? JSON.read(body, limits: .init(depth: 16), repairs: .loneSurrogates)
        let text =
            json?["error"]?["message"]?.string ?? json?["error"]?.string ?? json?["message"]?.string
            ?? json?["detail"]?.string ?? json?["detail"]?.elements.map(problems) ?? ""
        // Before it is cut: half a key would not be found.
        let line = key.removed(from: text).unicodeScalars.prefix(300).map {
            $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0)
        }
        return String(line).trimmingCharacters(in: .whitespaces)
    }

    /// `body.max_tokens: Input should be greater than 0`: the form of FastAPI's servers.
    private func problems(_ details: [JSON]) -> String {
        details.compactMap { detail in
            let place = detail["loc"]?.elements?.compactMap { part in
                part.string ?? part.integer.map { "\($0)" }
            }
            return detail["msg"]?.string.map { message in
                ((place?.joined(separator: ".")).map { $0 + ": " } ?? "") + message
            }
        }.joined(separator: "; ")
    }
}
