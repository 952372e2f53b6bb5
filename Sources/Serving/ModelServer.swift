import FlyingFox
import FlyingSocks
import Foundation
import JSON
import LongWork
import Synchronization
import TextModels

/// Models as a server with OpenAI's API on this machine: `/v1/models`, `/v1/completions` with
/// `echo` and log-probs, `/v1/chat/completions`, both also as a stream. It changes nothing.
///
/// One request is computed at a time, because the models use every core; the others wait. Requests
/// that name another host, as those of a page in a browser can, are refused.
public final class ModelServer: Sendable {
    private let models: [NamedTextModel]
    private let server: HTTPServer
    /// Computes; its threads are not those that wait for sockets.
    private let queue = DispatchQueue(label: "sami.serving")
    private let isEnding = Atomic(false)
    private let counter = Atomic(0)
    private let log: @Sendable (String) -> Void

    /// A body of more bytes is refused.
    static let largestBody = 16 << 20

    /// - Parameters:
    ///   - models: by name; the first answers requests that name none.
    ///   - port: 0 takes any free one.
    ///   - log: gets a sentence for each request.
    /// - Throws: if the address cannot be made.
    public init(
        _ models: [NamedTextModel], port: UInt16,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        self.models = models
        self.log = log
        server = HTTPServer(
            address: try sockaddr_in.inet(ip4: "127.0.0.1", port: port),
            // A long text takes as long as it takes.
            timeout: 24 * 3600, logger: .disabled)
    }

    /// Serves until `stop`.
    ///
    /// - Throws: `SocketError`, as for a port that is taken.
    public func run() async throws {
        await server.appendRoute("*") { [self] request in
            // The answer to a wrong request is an answer.
            do {
                return try await respond(to: request)
            } catch let refusal as Refusal {
                log("\(request.method.rawValue) \(request.path): \(refusal.message)")
                return response(refusal.json, status: refusal.status)
            }
        }
        do {
            try await server.run()
        } catch  where isEnding.load(ordering: .relaxed) {
            return
        }
    }

    /// The port that it listens on, once it does.
    public func listeningPort() async throws -> UInt16? {
        try await server.waitUntilListening()
        guard case .ip4(_, let port)? = await server.listeningAddress else { return nil }
        return port
    }

    /// Ends the request that is computed, and the server.
    public func stop() async {
        isEnding.store(true, ordering: .relaxed)
        await server.stop()
    }

    // MARK: Requests

    private func respond(to request: HTTPRequest) async throws -> HTTPResponse {
        try check(request)
        switch (request.method, request.path) {
        case (.GET, "/"), (.GET, "/health"): return response(["status": "ok"])
        case (.GET, "/v1/models"):
            return response(
                ["object": "list", "data": .array(models.map { ModelServer.entry($0.name) })])
        case (.GET, let path) where path.hasPrefix("/v1/models/"):
            let name = String(path.dropFirst("/v1/models/".count))
            _ = try WritingRequest.model(named: name, of: models)
            return response(ModelServer.entry(name))
        case (.POST, "/v1/completions"): return try await write(request, .completions)
        case (.POST, "/v1/chat/completions"): return try await write(request, .chat)
        case (_, "/v1/completions"), (_, "/v1/chat/completions"), (_, "/v1/models"):
            throw Refusal("\(request.method.rawValue) is not for this address", status: 405)
        default:
            throw Refusal(
                "there is nothing at \(request.path); there is /v1/models, /v1/completions and "
                    + "/v1/chat/completions", status: 404)
        }
    }

    /// A page of another host can send requests here through a person's browser. It then names that
    /// host, or itself as the origin.
    private func check(_ request: HTTPRequest) throws(Refusal) {
        func isHere(_ host: String) -> Bool {
            let name = host.split(separator: ":", maxSplits: 1).first.map(String.init) ?? host
            return ["127.0.0.1", "localhost"].contains(name)
        }
        if let host = request.headers[.host], !isHere(host) {
            throw Refusal("this server answers for 127.0.0.1 alone", status: 403)
        }
        if let origin = request.headers[HTTPHeader("Origin")] {
            let host = origin.split(separator: "/", omittingEmptySubsequences: true).last
            guard isHere(host.map(String.init) ?? origin) else {
                throw Refusal("this server does not answer pages of other hosts", status: 403)
            }
        }
    }

    private func write(
        _ http: HTTPRequest, _ form: WritingRequest.Form
    ) async throws -> HTTPResponse {
        let bytes = try await body(of: http)
        let json: JSON
        do {
            json = try JSON.read(bytes)
        } catch {
            throw Refusal("the body is no JSON: \(error)")
        }
        let request = try WritingRequest(json, form, models: models)
        let text = try WritingRequest.model(named: request.model, of: models)
        let number = counter.add(1, ordering: .relaxed).newValue
        let now = Date.now.timeIntervalSince1970
        let writer = TextWriter(
            text: text, request: request,
            id: "\(form == .chat ? "chatcmpl" : "cmpl")-\(Int(now))-\(number)",
            created: Int(now), modelName: request.model ?? models[0].name)
        if request.isStreamed { return stream(writer) }
        let start = ContinuousClock.now
        let answer = try await compute { try writer.answer(watch: $0) }
        log(
            "\(http.path): \(request.prompts.count * request.count) texts in "
                + start.duration(to: .now).formatted(.units(fractionalPart: .show(length: 2))))
        return response(answer)
    }

    private func body(of request: HTTPRequest) async throws -> Data {
        var data = Data()
        for try await part in request.bodySequence {
            data.append(part)
            guard data.count <= ModelServer.largestBody else {
                throw Refusal(
                    "the body is longer than \(ModelServer.largestBody >> 20) MB", status: 413)
            }
        }
        return data
    }

    // MARK: Work

    /// Runs work in its turn.
    private func compute(_ work: @escaping @Sendable (@escaping Watch) throws -> JSON) async throws
        -> JSON
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(with: Result { try fault { try work(watch) } })
            }
        }
    }

    @Sendable private func watch(_ share: Double) -> Continuation {
        isEnding.load(ordering: .relaxed) ? .stop : .more
    }

    /// The work's result; an error of the model as an answer.
    private func fault<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch is Canceled {
            throw Refusal("the server ends", status: 503)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal("\(error)", status: 500)
        }
    }

    /// Events as they come. A client that leaves ends the work.
    private func stream(_ writer: TextWriter) -> HTTPResponse {
        let (events, feed) = AsyncStream<[UInt8]>.makeStream()
        log("a stream of /v1/\(writer.request.form == .chat ? "chat/" : "")completions")
        let left = Flag()
        feed.onTermination = { _ in left.raise() }
        queue.async { [self] in
            do {
                try fault {
                    try writer.stream(
                        watch: { share in
                            left.isRaised ? .stop : self.watch(share)
                        },
                        send: { feed.yield(Array("data: \($0.compact)\n\n".utf8)) })
                }
                feed.yield(Array("data: [DONE]\n\n".utf8))
            } catch {
                let refusal = error as? Refusal ?? Refusal("\(error)", status: 500)
                feed.yield(Array("data: \(refusal.json.compact)\n\n".utf8))
            }
            feed.finish()
        }
        return HTTPResponse(
            statusCode: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-cache"],
            body: HTTPBodySequence(from: EventBytes(events: events)))
    }

    private func response(_ json: JSON, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            statusCode: HTTPStatusCode(status, phrase: status == 200 ? "OK" : "Refused"),
            headers: [.contentType: "application/json"], body: Data(json.compact.utf8))
    }

    private static func entry(_ name: String) -> JSON {
        ["id": .string(name), "object": "model", "created": 0, "owned_by": "sami"]
    }
}

/// A fact that one thread tells another.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
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

        mutating func next() async -> UInt8? {
            await nextBuffer(suggested: 1)?.first
        }

        mutating func nextBuffer(suggested count: Int) async -> ArraySlice<UInt8>? {
            if waiting.isEmpty { waiting = (await events.next())?[...] ?? [] }
            guard !waiting.isEmpty else { return nil }
            defer { waiting = waiting.dropFirst(count) }
            return waiting.prefix(count)
        }
    }
}
