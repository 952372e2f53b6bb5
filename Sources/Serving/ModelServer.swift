import FlyingFox
import FlyingSocks
import Foundation
import JSON
import LongWork
import Synchronization
import Tensors
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
    /// Decides, with its number, the random numbers of a request without a seed.
    private let key: RandomKey
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - models: by name; the first answers requests that name none.
    ///   - port: 0 takes any free one.
    ///   - seed: with it, the same requests in the same order get the same answers.
    ///   - patience: how long a connection may wait without a request.
    ///   - log: gets a sentence for each request. It may hold characters of the client's choice.
    /// - Throws: if the address cannot be made.
    public init(
        _ models: [NamedTextModel], port: UInt16, seed: UInt64,
        patience: Duration = .seconds(75), log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        self.models = models
        self.log = log
        key = RandomKey(seed: seed).child("serving")
        // A server that listens anew needs the port that its clients know.
        let port = port == 0 ? try ModelServer.freePort() : port
        server = HTTPServer(
            address: try sockaddr_in.inet(ip4: "127.0.0.1", port: port),
            // A long text takes as long as it takes.
            timeout: 24 * 3600,
            pool: PatientPool(base: HTTPServer.defaultPool(), patience: patience),
            logger: .disabled)
    }

    private static func freePort() throws -> UInt16 {
        let socket = try Socket(domain: AF_INET)
        defer { try? socket.close() }
        try socket.bind(to: try sockaddr_in.inet(ip4: "127.0.0.1", port: 0))
        guard case .ip4(_, let port) = try socket.sockname() else { return 0 }
        return port
    }

    /// Serves until `stop`.
    ///
    /// - Throws: `SocketError`, as for a port that is taken.
    public func run() async throws {
        await server.appendRoute("*") { [self] request in
            var body = RequestBody(of: request)
            let answer = await answer(to: request, &body)
            let isRead = await body.skip()
            return answer.response(isHead: request.method == .HEAD, isLast: !isRead)
        }
        while !isEnding.load(ordering: .relaxed) {
            do {
                return try await server.run()
            } catch SocketError.failed(type: "Accept", errno: _, let message) {
                // FlyingFox ends at a connection that it cannot take, as one more than there are
                // descriptors. All connections are closed then, and it can listen again.
                log("connections were closed: \(message)")
            } catch  where isEnding.load(ordering: .relaxed) {
                return
            }
        }
    }

    /// The port that it listens on, once it does.
    ///
    /// - Throws: `SocketError.timeout` if it does not within so many seconds.
    public func listeningPort(within seconds: Double = 5) async throws -> UInt16? {
        try await server.waitUntilListening(timeout: seconds)
        guard case .ip4(_, let port)? = await server.listeningAddress else { return nil }
        return port
    }

    /// Ends the request that is computed, and the server.
    public func stop() async {
        isEnding.store(true, ordering: .relaxed)
        await server.stop()
    }

    // MARK: Requests

    private func answer(to request: HTTPRequest, _ body: inout RequestBody) async -> Answer {
        // The answer to a wrong request is an answer.
        do {
            return try await respond(to: request, &body)
        } catch {
            let refusal = error as? Refusal ?? Refusal("\(error)", status: 500)
            log("\(request.method.rawValue) \(request.path): \(refusal.message)")
            return Answer(refusal.json, status: refusal.status)
        }
    }

    private func respond(
        to request: HTTPRequest, _ body: inout RequestBody
    ) async throws -> Answer {
        try check(request)
        // HEAD asks for the head of that which GET gets.
        let method = request.method == .HEAD ? .GET : request.method
        switch (method, request.path) {
        case (.GET, "/"), (.GET, "/health"): return Answer(["status": "ok"])
        case (.GET, "/v1/models"):
            return Answer(
                ["object": "list", "data": .array(models.map { ModelServer.entry($0.name) })])
        case (.GET, let path) where path.hasPrefix("/v1/models/"):
            let name = String(path.dropFirst("/v1/models/".count))
            _ = try WritingRequest.model(named: name, of: models)
            return Answer(ModelServer.entry(name))
        case (.POST, "/v1/completions"): return try await write(request, &body, .completions)
        case (.POST, "/v1/chat/completions"): return try await write(request, &body, .chat)
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
        _ http: HTTPRequest, _ body: inout RequestBody, _ form: WritingRequest.Form
    ) async throws -> Answer {
        let bytes = try await body.read()
        let json: JSON
        do {
            json = try JSON.read(bytes)
        } catch {
            throw Refusal("the body is no JSON: \(error)")
        }
        let request = try WritingRequest(json, form, models: models)
        if request.isStreamed, http.version != .http11 {
            throw Refusal("a stream needs HTTP/1.1", field: "stream")
        }
        let text = try WritingRequest.model(named: request.model, of: models)
        let number = counter.add(1, ordering: .relaxed).newValue
        let now = Date.now.timeIntervalSince1970
        let writer = TextWriter(
            text: text, request: request,
            key: request.seed.map { RandomKey(seed: $0) } ?? key.child(UInt64(number)),
            id: "\(form == .chat ? "chatcmpl" : "cmpl")-\(Int(now))-\(number)",
            created: Int(now), modelName: request.model ?? models[0].name)
        let client = Client(of: http)
        if request.isStreamed {
            log("a stream of \(http.path)")
            return stream(writer, to: client)
        }
        let start = ContinuousClock.now
        let answer = try await compute(writer, for: client)
        log(
            "\(http.path): \(request.prompts.count * request.count) texts in "
                + start.duration(to: .now).formatted(.units(fractionalPart: .show(length: 2))))
        return Answer(answer)
    }

    private static func entry(_ name: String) -> JSON {
        ["id": .string(name), "object": "model", "created": 0, "owned_by": "sami"]
    }

    // MARK: Work

    /// The answer, computed in its turn.
    private func compute(_ writer: TextWriter, for client: Client?) async throws -> JSON {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(
                    with: Result { try work(for: client) { try writer.answer(watch: $0) } })
            }
        }
    }

    /// Events as they come.
    private func stream(_ writer: TextWriter, to client: Client?) -> Answer {
        let (events, feed) = AsyncStream<[UInt8]>.makeStream()
        @Sendable func send(_ data: String) { feed.yield(Array("data: \(data)\n\n".utf8)) }
        queue.async { [self] in
            do {
                try work(for: client) { watch in
                    try writer.stream(watch: watch, send: { send($0.compact) })
                }
                send("[DONE]")
            } catch {
                send((error as? Refusal ?? Refusal("\(error)", status: 500)).json.compact)
            }
            feed.finish()
        }
        return Answer(events)
    }

    /// The result of work that ends early if the server ends or the client leaves; an error of the
    /// model as an answer.
    private func work<Result>(
        for client: Client?, _ work: (@escaping Watch) throws -> Result
    ) throws -> Result {
        do {
            return try work { [self] _ in
                isEnding.load(ordering: .relaxed) || client?.hasLeft == true ? .stop : .more
            }
        } catch is Canceled {
            throw isEnding.load(ordering: .relaxed)
                ? Refusal("the server ends", status: 503)
                : Refusal("the client closed the connection", status: 499)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal("\(error)", status: 500)
        }
    }
}
