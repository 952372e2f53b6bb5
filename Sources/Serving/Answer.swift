import FlyingFox
import FlyingSocks
import Foundation
import JSON

/// An answer to a request: JSON, or events that come one by one.
struct Answer {
    enum Content {
        case json(JSON)
        case events(AsyncStream<[UInt8]>)
    }

    var content: Content
    var status = 200

    init(_ json: JSON, status: Int = 200) { (content, self.status) = (.json(json), status) }

    init(_ events: AsyncStream<[UInt8]>) { content = .events(events) }

    /// The answer as FlyingFox sends it.
    ///
    /// - Parameters:
    ///   - isHead: leaves the body out, as HEAD asks.
    ///   - isLast: ends the connection after it.
    func response(isHead: Bool, isLast: Bool) -> HTTPResponse {
        switch content {
        case .events(let events):
            return HTTPResponse(
                statusCode: .ok,
                headers: [.contentType: "text/event-stream", .cacheControl: "no-cache"],
                body: HTTPBodySequence(from: EventBytes(events: events)))
        case .json(let json):
            let whole = Data(json.compact.utf8)
            let sent = isHead ? Data() : whole
            var headers: HTTPHeaders = [
                .contentType: "application/json", .contentLength: String(whole.count),
            ]
            if isLast { headers[.connection] = "close" }
            return HTTPResponse(
                statusCode: HTTPStatusCode(status, phrase: status == 200 ? "OK" : "Refused"),
                headers: headers,
                body: isLast
                    ? HTTPBodySequence(from: LastBytes(bytes: sent), count: sent.count)
                    : HTTPBodySequence(data: sent))
        }
    }
}

/// The bytes of events, an event at a time.
private struct EventBytes: AsyncBufferedSequence {
    typealias Element = UInt8
    let events: AsyncStream<[UInt8]>

    func makeAsyncIterator() -> Iterator { Iterator(events: events.makeAsyncIterator()) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        var events: AsyncStream<[UInt8]>.Iterator
        private var waiting: ArraySlice<UInt8> = []

        init(events: AsyncStream<[UInt8]>.Iterator) { self.events = events }

        mutating func next() async throws -> UInt8? {
            try await nextBuffer(suggested: 1)?.first
        }

        mutating func nextBuffer(suggested count: Int) async throws -> ArraySlice<UInt8>? {
            if waiting.isEmpty {
                waiting = (await events.next())?[...] ?? []
                // A connection that is given up must not look like a stream that is complete.
                try Task.checkCancellation()
            }
            guard !waiting.isEmpty else { return nil }
            defer { waiting = waiting.dropFirst(count) }
            return waiting.prefix(count)
        }
    }
}

/// Bytes after which the connection ends: FlyingFox closes it for an error alone.
private struct LastBytes: AsyncBufferedSequence {
    typealias Element = UInt8
    let bytes: Data

    func makeAsyncIterator() -> Iterator { Iterator(rest: bytes) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        var rest: Data

        mutating func next() async throws -> UInt8? {
            try await nextBuffer(suggested: 1)?.first
        }

        mutating func nextBuffer(suggested count: Int) async throws -> Data? {
            guard !rest.isEmpty else { throw SocketError.disconnected }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
    }
}
