import Foundation
import JSON
import LongWork
import Synchronization
import Tensors
import TestSupport
import Testing
import TextModels

@testable import Servers

/// Keeps answers in memory.
final class MemoryStore: AnswerStore {
    private let answers = Mutex<[String: String]>([:])
    let mayAsk: Bool

    init(mayAsk: Bool = true) { self.mayAsk = mayAsk }

    var count: Int { answers.withLock { $0.count } }
    var lines: [String: String] { answers.withLock { $0 } }
    var text: String { answers.withLock { $0.map { $0.key + $0.value }.joined() } }
    func answer(to request: String) -> String? { answers.withLock { $0[request] } }
    func keep(_ answer: String, to request: String) { answers.withLock { $0[request] = answer } }
}

func prompt(_ text: String) -> TextRequest { TextRequest(.text(text), key: RandomKey(seed: 1)) }

/// Servers that answer late, badly or not at all: nothing hangs, nothing is lost.
@Suite struct MisbehavingServerTests {
    private func server(
        _ fake: FakeServer, timeout: Double = 20, retries: Int = 5, concurrency: Int = 4
    ) throws -> Server {
        Server(
            address: try ServerAddress(fake.url), model: "m", concurrency: concurrency,
            timeout: timeout, retries: retries)
    }

    /// The texts of the answers, in the order of the bodies.
    private func run(
        _ server: Server, _ count: Int = 1, key: ServerKey? = nil,
        watch: @escaping () -> Continuation = { .more }
    ) throws -> (texts: [String], repetitions: Int) {
        var run = RequestRun(server: server, key: try key ?? ServerKey(of: server, [:]))
        run.firstDelay = 0.001
        var texts = [String](repeating: "", count: count)
        let bodies = (0..<count).map { JSON.object([.init("n", .integer($0))]) }
        let repetitions = try run.run(bodies, watch: watch) { texts[$0] = $1.text }
        return (texts, repetitions)
    }

    @Test func `answers come in the order of the requests, some at a time`() throws {
        let fake = try FakeServer { request in
            usleep(20_000)
            return .body(FakeServer.chat(request.body))
        }
        defer { fake.stop() }
        let (texts, repetitions) = try run(server(fake, concurrency: 3), 10)
        #expect(texts == (0..<10).map { "{\"n\":\($0)}" })
        #expect(repetitions == 0 && fake.mostAtOnce <= 3 && fake.mostAtOnce > 1)
    }

    /// An answer that is cut anywhere is no answer, and comes whole the next time.
    @Test func `a connection that breaks at any byte costs one repetition`() throws {
        let body = FakeServer.chat("Yes.")
        let fake = try FakeServer { request in
            request.number % 2 == 0 ? .cut(body, after: request.number / 2) : .body(body)
        }
        defer { fake.stop() }
        for place in 0..<FakeServer.whole(body).utf8.count {
            let (texts, repetitions) = try run(server(fake, concurrency: 1))
            #expect(texts == ["Yes."] && repetitions == 1, "\(place)")
        }
    }

    @Test(arguments: [408, 429, 500, 502, 503, 504, 529])
    func `a status that may pass is tried again`(status: Int) throws {
        let fake = try FakeServer { request in
            request.number < 3 ? .status(status) : .body(FakeServer.chat("Yes."))
        }
        defer { fake.stop() }
        #expect(try run(server(fake)).texts == ["Yes."])
        #expect(fake.requests.count == 4)
    }

    @Test func `a storm of refusals gets fewer requests at once, and all are answered`() throws {
        let fake = try FakeServer { request in
            usleep(5_000)
            return request.number < 30 && request.number % 3 != 0
                ? .status(429) : .body(FakeServer.chat(request.body))
        }
        defer { fake.stop() }
        let (texts, repetitions) = try run(server(fake, retries: 20, concurrency: 8), 30)
        #expect(texts == (0..<30).map { "{\"n\":\($0)}" })
        #expect(fake.requests.count == 30 + repetitions && repetitions == 20)
    }

    @Test func `a server that asks for time gets it`() throws {
        let fake = try FakeServer { request in
            request.number == 0
                ? .status(429, headers: ["Retry-After: 1"]) : .body(FakeServer.chat("Yes."))
        }
        defer { fake.stop() }
        let start = ContinuousClock.now
        #expect(try run(server(fake), 2).texts == ["Yes.", "Yes."])
        // The second request was underway already; the repetition waits.
        #expect(ContinuousClock.now - start > .milliseconds(900))
    }

    @Test func `a server that asks for hours is left alone`() throws {
        let fake = try FakeServer { _ in .status(503, headers: ["Retry-After: 7200"]) }
        defer { fake.stop() }
        #expect(throws: ServerError.mustWait(server: fake.url, seconds: 7200)) {
            try run(server(fake))
        }
    }

    @Test func `after its repetitions a fault is told`() throws {
        let fake = try FakeServer { _ in .status(500, body: #"{"error":{"message":"no memory"}}"#) }
        defer { fake.stop() }
        #expect(
            throws: ServerError.noAnswer(
                server: fake.url, reason: "it answered with status 500 (\"no memory\")", attempts: 3
            )
        ) { try run(server(fake, retries: 2)) }
        #expect(fake.requests.count == 3)
    }

    @Test func `a silent server is left after its time, and at once if the person stops`() throws {
        let fake = try FakeServer { _ in .silence }
        defer { fake.stop() }
        var start = ContinuousClock.now
        #expect(
            throws: ServerError.noAnswer(
                server: fake.url, reason: "it took longer than 1 seconds", attempts: 1)
        ) { try run(server(fake, timeout: 1, retries: 0)) }
        #expect(ContinuousClock.now - start < .seconds(5))
        start = .now
        #expect(throws: Canceled.self) {
            try run(server(fake)) {
                ContinuousClock.now - start > .milliseconds(200) ? .stop : .more
            }
        }
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test(arguments: [
        ("<html>", "it is not JSON"), ("{}{}", "it is not JSON"),
        ("[]", "no \"choices\""), (#"{"choices":[]}"#, "\"choices\" is empty"),
        (#"{"choices":{}}"#, "no \"choices\""), (#"{"choices":[{}]}"#, "no \"message\""),
        (#"{"choices":[{"message":{}}]}"#, "no \"content\""),
        (#"{"choices":[{"message":{"content":[1]}}]}"#, "\"content\" is no text"),
        (String(repeating: "[", count: 100_000), "it is not JSON"),
    ])
    func `an answer of another form is refused with what it lacks`(
        body: String, problem: String
    ) throws {
        let fake = try FakeServer { _ in .body(body) }
        defer { fake.stop() }
        #expect(throws: ServerError.malformed(server: fake.url, problem: problem)) {
            try run(server(fake))
        }
        #expect(fake.requests.count == 1)
    }

    /// Without a length, the end of a connection is the end of the answer.
    @Test func `an answer that ends early is asked for again`() throws {
        let body = FakeServer.chat("Yes, \u{e9}.")
        let whole = "HTTP/1.1 200 OK\r\n\r\n" + body
        let fake = try FakeServer { request in
            request.number % 2 == 1
                ? .raw(whole)
                : .raw(
                    String(
                        decoding: Array(whole.utf8).prefix(19 + request.number / 2), as: UTF8.self))
        }
        defer { fake.stop() }
        for place in 0..<body.utf8.count {
            let (texts, repetitions) = try run(server(fake, concurrency: 1))
            #expect(texts == ["Yes, \u{e9}."] && repetitions == 1, "\(place)")
        }
    }

    @Test(arguments: [
        "\u{0}\u{1}", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    ])
    func `what is no HTTP is no answer`(text: String) throws {
        let fake = try FakeServer { _ in .raw(text) }
        defer { fake.stop() }
        #expect(throws: ServerError.self) { try run(server(fake, retries: 1)) }
    }

    @Test func `a body without an end is not read to its end`() throws {
        let fake = try FakeServer { _ in .endless }
        defer { fake.stop() }
        #expect(throws: ServerError.tooLarge(server: fake.url, limit: HTTPTransfers.largestBody)) {
            try run(server(fake))
        }
    }

    /// A server of another name, with a certificate that nobody has signed.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
    func `a server that cannot prove who it is gets nothing`() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("server.pem")
        try Data(MisbehavingServerTests.certificate.utf8).write(to: URL(fileURLWithPath: file))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", MisbehavingServerTests.secureServer, file]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The child inherits the signals that the test program blocks, so it may not hear SIGTERM.
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))
        let server = Server(
            address: try ServerAddress("https://127.0.0.1:\(port)/v1"), model: "m")
        let error = #expect(throws: ServerError.self) { try run(server) }
        guard case .certificate = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    private static let secureServer = """
        import socket, ssl, sys
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            try:
                secure = context.wrap_socket(connection, server_side=True)
                secure.recv(1 << 16)
                secure.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n{}")
                secure.close()
            except OSError:
                pass
        """

    /// For this test alone.
    private static let certificate = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5Bbe+dDbffi8Je2P
        LFmQumSAl2dhMtp9ErTnoMJS7v6hRANCAATQU2Oje/eenHsPmbnNbUf9NPLnaPPl
        xaJgQVIGWSxGIj4giuDf7NzOHy4DE0RbAhoLf1rVaDQEfudKLhwdZuUy
        -----END PRIVATE KEY-----
        -----BEGIN CERTIFICATE-----
        MIIBiDCCAS2gAwIBAgIUafGUNL1tgXQD4itmHQyoOGOmh1gwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTAgFw0yNjExMjcxNDE3MzRaGA8yMTI2
        MTEwMzE0MTczNFowGDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABNBTY6N7956cew+Zuc1tR/008udo8+XFomBBUgZZLEYi
        PiCK4N/s3M4fLgMTRFsCGgt/WtVoNAR+50ouHB1m5TKjUzBRMB0GA1UdDgQWBBQN
        ZEi15ucJkpo2VmaZ4iwN1l3v1jAfBgNVHSMEGDAWgBQNZEi15ucJkpo2VmaZ4iwN
        1l3v1jAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQCbYqHAkl60
        FmfQV9w0KdK+ztfRqo0sBgSj7G2TNWWFYAIhAMZuyBxJmpAG68PwbGWQLtLKdpdY
        lYFHptebRT2WvC2v
        -----END CERTIFICATE-----
        """

    @Test func `another address is not followed`() throws {
        let other = try FakeServer { _ in .body(FakeServer.chat("Yes.")) }
        defer { other.stop() }
        let fake = try FakeServer { [url = other.url] _ in
            .status(307, headers: ["Location: \(url)/chat/completions"])
        }
        defer { fake.stop() }
        #expect(
            throws: ServerError.redirected(
                server: fake.url, to: other.url + "/chat/completions")
        ) { try run(server(fake)) }
        #expect(other.requests.isEmpty)
    }

    @Test func `a port where nothing listens is told at once`() throws {
        let fake = try FakeServer { _ in .silence }
        let server = try server(fake)
        fake.stop()
        let error = #expect(throws: ServerError.self) { try run(server) }
        guard case .unreachable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `an address that cannot be read is told at once`() throws {
        let server = Server(address: try ServerAddress("http://[::1/v1"), model: "m")
        let start = ContinuousClock.now
        let error = #expect(throws: ServerError.self) { try run(server) }
        #expect("\(try #require(error))".contains("is the address right?"))
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test(arguments: [(400, "refuses"), (401, "key"), (404, "no such model"), (422, "status 422")])
    func `a refusal is told once, with the server's words`(status: Int, words: String) throws {
        let fake = try FakeServer { _ in
            .status(status, body: "{\"error\":{\"message\":\"not \\u0007so\"}}")
        }
        defer { fake.stop() }
        let error = #expect(throws: ServerError.self) { try run(server(fake)) }
        #expect(fake.requests.count == 1)
        let sentence = "\(try #require(error))"
        #expect(sentence.contains(words) && sentence.contains("not  so"))
    }

    @Test func `a list of problems is told with their places`() throws {
        let body = """
            {"detail":[{"loc":["body","stop",0],"msg":"too long","type":"x"},{"msg":"no"},7]}
            """
        let fake = try FakeServer { _ in .status(422, body: body) }
        defer { fake.stop() }
        let error = #expect(throws: ServerError.self) { try run(server(fake)) }
        #expect("\(try #require(error))".contains("(\"body.stop.0: too long; no\")"))
    }

    @Test func `answers underway when one request is refused are taken`() throws {
        let fake = try FakeServer { request in
            if request.body.contains("1") { return .status(400) }
            usleep(200_000)
            return .body(FakeServer.chat(request.body))
        }
        defer { fake.stop() }
        let server = try server(fake, concurrency: 3)
        var places: [Int] = []
        let bodies = (0..<9).map { JSON.object([.init("n", .integer($0))]) }
        #expect(throws: ServerError.refused(server: fake.url, status: 400, message: "")) {
            try RequestRun(server: server, key: ServerKey(of: server, [:])).run(bodies) {
                .more
            } received: { place, _ in
                places.append(place)
            }
        }
        #expect(Set(places) == [0, 2] && fake.requests.count == 3)
    }

    // MARK: Keys

    @Test func `a key across the end of a long message is not told in part`() throws {
        let secret = "sk-never-to-be-seen"
        let fake = try FakeServer { _ in
            .status(401, body: "{\"error\":\"\(String(repeating: "a", count: 290)) \(secret)\"}")
        }
        defer { fake.stop() }
        var server = try server(fake, retries: 0)
        server.keyVariable = "FAKE_KEY"
        let engine = ServerEngine(
            server, keeping: MemoryStore(), environment: ["FAKE_KEY": secret])
        let error = #expect(throws: ServerError.self) {
            try engine.write([prompt("a")], Sampling(), stops: []) { _ in .more }
        }
        let sentence = "\(try #require(error))"
        #expect(sentence.contains("aaa") && !sentence.contains("sk-"))
    }

    @Test func `a word that stands for no key may be in an answer`() throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat("This is a test.")) }
        defer { fake.stop() }
        var server = try server(fake)
        server.keyVariable = "FAKE_KEY"
        let engine = ServerEngine(
            server, keeping: MemoryStore(), environment: ["FAKE_KEY": "test"])
        let written = try engine.write([prompt("a")], Sampling(), stops: []) { _ in .more }
        #expect(written.map(\.text) == ["This is a test."])
    }

    /// A server that sends the key back in every place.
    @Test func `the key is sent, and is in nothing that is kept or said`() throws {
        let secret = "sk-never-to-be-seen"
        let fake = try FakeServer { request in
            switch request.number {
            case 0: .body(FakeServer.chat("Your key is \(secret).", finish: secret))
            case 1: .status(400, body: "{\"error\":\"bad key \(secret)\"}")
            case 2: .status(500, body: "{\"error\":\"bad key \(secret)\"}")
            default: .status(302, headers: ["Location: http://x/\(secret)"])
            }
        }
        defer { fake.stop() }
        var server = try server(fake, retries: 0)
        server.keyVariable = "FAKE_KEY"
        let store = MemoryStore()
        let engine = ServerEngine(server, keeping: store, environment: ["FAKE_KEY": secret])
        let written = try engine.write([prompt("a")], Sampling(), stops: []) { _ in .more }
        #expect(written.map(\.text) == ["Your key is [key]."])
        #expect(fake.requests[0].headers.contains("Authorization: Bearer \(secret)"))
        for text in ["b", "c", "d"] {
            let error = #expect(throws: ServerError.self) {
                try engine.write([prompt(text)], Sampling(), stops: []) { _ in .more }
            }
            #expect(!"\(try #require(error))".contains(secret))
        }
        #expect(!store.text.contains(secret) && store.text.contains("[key]"))
    }

    @Test func `a key that is missing, broken or would be exposed is not sent`() throws {
        var server = Server(address: try ServerAddress("http://127.0.0.1:9"), model: "m")
        server.keyVariable = "K"
        #expect(throws: ServerError.keyMissing(variable: "K")) { try ServerKey(of: server, [:]) }
        #expect(throws: ServerError.keyCharacters(variable: "K")) {
            try ServerKey(of: server, ["K": "a\r\nX: y"])
        }
        server.address = try ServerAddress("http://example.org/v1")
        #expect(throws: ServerError.keyExposed(server: "http://example.org/v1")) {
            try ServerKey(of: server, ["K": "a"])
        }
        for host in ["127.0.0.1.example.org", "127.evil.example", "localhost.example.org"] {
            server.address = try ServerAddress("http://\(host)/v1")
            #expect(throws: ServerError.self) { try ServerKey(of: server, ["K": "a"]) }
        }
        server.address = try ServerAddress("https://example.org/v1")
        _ = try ServerKey(of: server, ["K": "a"])
    }
}
