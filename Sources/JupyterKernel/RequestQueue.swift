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

    init(_ interruption: Interruption) { self.interruption = interruption }

    func add(_ message: Message, from channel: ConnectionFile.Channel) {
        condition.withLock {
            waiting.append(Request(message: message, channel: channel))
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
            for place in waiting.indices
            where waiting[place].message.content["stop_on_error"]?.bool ?? true {
                refuse(place)
            }
        }
    }

    /// Stops the running request, and refuses the executions after it.
    func interrupt() {
        condition.withLock {
            if isExecuting { interruption.request() }
            for place in waiting.indices { refuse(place) }
        }
    }

    /// No request runs after this.
    func close() {
        condition.withLock {
            isClosed = true
            interruption.request()
            condition.signal()
        }
    }

    private func refuse(_ place: Int) {
        if waiting[place].message.type == "execute_request" { waiting[place].isRefused = true }
    }
}
