import Foundation
import Sessions

/// Requests that wait for the thread of the session. The thread of the sockets puts them in.
///
/// It also knows whether a request is running: an interrupt stops that one alone, and what waits
/// after it is refused.
final class RequestQueue: @unchecked Sendable {
    struct Request {
        var message: Message
        var channel: ConnectionFile.Channel
        /// Whether a failure or an interrupt came while it waited.
        var isRefused = false
    }

    /// Guards all that follows.
    private let condition = NSCondition()
    private var waiting: [Request] = []
    private var isExecuting = false
    private var isClosed = false
    private let interruption: Interruption
    /// The moment of the last failure.
    private var failure: (date: Date, clock: ContinuousClock.Instant)?
    /// Requests that were sent together with one that failed arrive within this time.
    private static let delay = Duration.milliseconds(500)

    init(_ interruption: Interruption) { self.interruption = interruption }

    func add(_ message: Message, from channel: ConnectionFile.Channel) {
        condition.withLock {
            var request = Request(message: message, channel: channel)
            request.isRefused = message.isStoppedByErrors && wasSentBeforeFailure(message)
            waiting.append(request)
            condition.signal()
        }
    }

    /// Waits for the next request; nil after the end. An earlier interrupt does not reach it.
    func next() -> Request? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty, !isClosed { condition.wait() }
        guard !isClosed else { return nil }
        isExecuting = true
        interruption.clear()
        return waiting.removeFirst()
    }

    /// The request that ``next()`` returned last is done.
    func finish() { condition.withLock { isExecuting = false } }

    /// After a failure, the executions that wait and want to know of failures do not run.
    func refuseWaiting() {
        condition.withLock {
            for place in waiting.indices where waiting[place].message.isStoppedByErrors {
                waiting[place].isRefused = true
            }
            failure = (.now, .now)
        }
    }

    /// Stops the running request, and refuses the executions after it.
    func interrupt() {
        condition.withLock {
            if isExecuting { interruption.request() }
            for place in waiting.indices where waiting[place].message.isExecution {
                waiting[place].isRefused = true
            }
        }
    }

    /// Waits until the queue is closed, at most for some seconds.
    func waitForEnd(seconds: Double) {
        let end = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        while !isClosed, condition.wait(until: end) {}
    }

    /// No request runs after this.
    func close() {
        condition.withLock {
            isClosed = true
            interruption.request()
            condition.signal()
        }
    }

    /// Whether the sender of a message could not know of the last failure: of the cells that a
    /// client sends at once, the later ones may arrive when the first has failed already. Both its
    /// date and its arrival must say so, because the clock of a client may be wrong.
    private func wasSentBeforeFailure(_ message: Message) -> Bool {
        guard let failure, ContinuousClock.now - failure.clock < RequestQueue.delay,
            let date = message.date
        else { return false }
        // Clients write milliseconds, and cut the rest off.
        return date < failure.date.addingTimeInterval(-0.001)
    }
}

extension Message {
    fileprivate var isExecution: Bool { type == "execute_request" }

    fileprivate var isStoppedByErrors: Bool {
        isExecution && content["stop_on_error"]?.bool ?? true
    }

    /// When it was sent, as its sender says; nil if that is no date.
    fileprivate var date: Date? {
        try? Date(
            header["date"]?.string ?? "",
            strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
