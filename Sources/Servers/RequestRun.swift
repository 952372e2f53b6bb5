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

    /// Whether a request is worth sending again.
    private enum Failure: Error {
        case final(ServerError)
        case passing(reason: String, wait: Int?, isCrowded: Bool)
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
        guard let transfers = HTTPTransfers(timeout: server.timeout) else {
            throw ServerError.unreachable(server: server.address.text, reason: "no memory")
        }
        var waiting = bodies.indices.map { Waiting(index: $0) }
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
                    try transfers.start(request(bodies[chosen.index]), tag: chosen.index)
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
                    let answer = try answer(result, isFirst: !hasAnswered)
                    hasAnswered = true
                    try received(index, answer)
                } catch Failure.final(let error) {
                    failure = failure ?? error
                    waiting = []
                } catch Failure.passing(let reason, let wait, let isCrowded) {
                    if failure != nil { continue }
                    if let wait, wait > Self.patience {
                        failure = .mustWait(server: server.address.text, seconds: wait)
                    } else if request.attempts > server.retries {
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

    private func request(_ body: JSON) -> HTTPRequest {
        HTTPRequest(
            url: server.endpoint, headers: ["Content-Type: application/json"] + key.headers,
            body: Array(body.compact.utf8))
    }

    private func answer(
        _ result: Result<HTTPAnswer, HTTPFault>, isFirst: Bool
    ) throws(Failure) -> ServerAnswer {
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
        case 408, 429, 500..<600:
            let message = message(answer.body)
            throw .passing(
                reason: "it answered with status \(answer.status)"
                    + (message.isEmpty ? "" : " (\"\(message)\")"),
                wait: answer.wait, isCrowded: answer.status == 429 || answer.status == 503)
        default:
            throw .final(
                .refused(server: label, status: answer.status, message: message(answer.body)))
        }
        let body: JSON
        do throws(JSON.Problem) {
            body = try JSON.read(answer.body, limits: .init(depth: 64), repairs: .loneSurrogates)
        } catch {
            // Without a length of the body, a connection that breaks looks like its end.
            if [.endsEarly, .unclosedString].contains(error.fault) {
                throw .passing(
                    reason: "its answer ended too early", wait: nil, isCrowded: false)
            }
            throw .final(.malformed(server: label, problem: "it is not JSON"))
        }
        do throws(AnswerFault) {
            return key.removed(from: try ServerAnswer(body, server.api))
        } catch {
            throw .final(.malformed(server: label, problem: error.problem))
        }
    }

    /// The sentence in the body of an error, in one short line.
    private func message(_ body: [UInt8]) -> String {
        let json = try? JSON.read(body, limits: .init(depth: 16), repairs: .loneSurrogates)
        let text =
            json?["error"]?["message"]?.string ?? json?["error"]?.string ?? json?["message"]?.string
            ?? json?["detail"]?.string ?? ""
        let line = text.unicodeScalars.prefix(300).map {
            $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0)
        }
        return key.removed(from: String(line).trimmingCharacters(in: .whitespaces))
    }
}
