import ChatTemplates
import Foundation
import JSON
import LongWork
import Tensors
import TestSupport
import Testing
import TextModels

@testable import Servers

@Suite struct ServerEngineTests {
    private func engine(
        _ fake: FakeServer, _ store: MemoryStore, api: Server.API = .chat, retries: Int = 0
    ) throws -> ServerEngine {
        ServerEngine(
            Server(
                address: try ServerAddress(fake.url), model: "m", api: api, concurrency: 1,
                retries: retries), keeping: store, environment: [:])
    }

    @Test func `nothing is asked twice`() throws {
        let fake = try FakeServer { .body(FakeServer.chat("answer \($0.number)")) }
        defer { fake.stop() }
        let store = MemoryStore()
        let requests = ["a", "b", "a"].map(prompt)
        let engine = try engine(fake, store)
        let first = try engine.write(requests, Sampling(), stops: []) { _ in .more }
        #expect(first.map(\.text) == ["answer 0", "answer 1", "answer 0"])
        let counts = engine.usage.counts
        #expect(counts.asked == 2 && counts.reused == 0 && counts.completionTokens == 6)
        fake.stop()
        let again = try self.engine(fake, store)
        #expect(try again.write(requests, Sampling(), stops: []) { _ in .more } == first)
        #expect(again.usage.counts.reused == 2 && fake.requests.count == 2)
        // Other settings are another request.
        #expect(throws: ServerError.self) {
            try again.write(requests, Sampling(temperature: 0), stops: []) { _ in .more }
        }
    }

    @Test func `answers before a fault are kept, and only the others are asked for`() throws {
        let fake = try FakeServer { request in
            request.number == 2
                ? .status(400) : .body(FakeServer.chat("answer \(request.number)"))
        }
        defer { fake.stop() }
        let store = MemoryStore()
        let requests = (0..<4).map { prompt("\($0)") }
        #expect(throws: ServerError.self) {
            try engine(fake, store).write(requests, Sampling(), stops: []) { _ in .more }
        }
        #expect(store.count == 2)
        let texts = try engine(fake, store).write(requests, Sampling(), stops: []) { _ in .more }
        #expect(texts.map(\.text) == ["answer 0", "answer 1", "answer 3", "answer 4"])
    }

    @Test func `a replay asks no server`() throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat("x")) }
        defer { fake.stop() }
        #expect(throws: ServerError.notKept(server: fake.url, count: 1)) {
            try engine(fake, MemoryStore(mayAsk: false)).write([prompt("a")], Sampling(), stops: [])
            { _ in .more }
        }
        #expect(fake.requests.isEmpty)
    }

    @Test func `what a server does not honor is done here and counted`() throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat("One.\n\nTwo.", tokens: 99)) }
        defer { fake.stop() }
        let engine = try engine(fake, MemoryStore())
        let written = try engine.write([prompt("a")], Sampling(maxTokens: 9), stops: ["\n\n"]) {
            _ in .more
        }
        #expect(written == [WrittenText(text: "One.")])
        #expect(engine.usage.counts.unstopped == 1 && engine.usage.counts.tooLong == 1)
    }

    @Test func `a fifth stop string is not sent, and its cut is no fault of the server`() throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat("One. Two.")) }
        defer { fake.stop() }
        let engine = try engine(fake, MemoryStore())
        let stops = ["q", "x", "z", "k", " Two"]
        let written = try engine.write([prompt("a")], Sampling(), stops: stops) { _ in .more }
        #expect(written == [WrittenText(text: "One.")])
        #expect(engine.usage.counts.unstopped == 0)
        #expect(try JSON.read(fake.requests[0].body)["stop"]?.elements?.count == 4)
    }

    @Test(arguments: [
        ("<think>a</think>\n\nb", "b"), ("a</think> b", "b"), ("b", "b"), (" <think>a", nil),
        ("a <think>b</think> c", "a <think>b</think> c"), ("", ""),
    ])
    func `thoughts are left out, also those that the prompt has begun`(
        text: String, answer: String?
    ) {
        #expect(ServerEngine.withoutThoughts(text) == answer)
    }

    @Test func `a count of tokens that no answer has is left out`() throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat("x", tokens: .max)) }
        defer { fake.stop() }
        let engine = try engine(fake, MemoryStore())
        let requests = ["a", "b"].map(prompt)
        let written = try engine.write(requests, Sampling(), stops: []) { _ in .more }
        #expect(written.count == 2 && engine.usage.counts.completionTokens == 0)
    }

    @Test(arguments: [("stop", true), ("length", false), ("content_filter", false)])
    func `an ending that is no stop is unfinished`(finish: String, isFinished: Bool) throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat("x", finish: finish)) }
        defer { fake.stop() }
        let written = try engine(fake, MemoryStore()).write([prompt("a")], Sampling(), stops: []) {
            _ in .more
        }
        #expect(written[0].isFinished == isFinished)
    }

    @Test func `a conversation whose answer has begun is asked for in words`() throws {
        let fake = try FakeServer { request in
            .body(FakeServer.chat(request.number == 0 ? " Principle: Be kind." : "Be kind."))
        }
        defer { fake.stop() }
        let content = PromptContent.messages([
            ChatMessage(role: "user", content: "Write."),
            ChatMessage(role: "assistant", content: "Principle:"),
        ])
        let engine = try engine(fake, MemoryStore())
        for (seed, text) in [(1, " Be kind."), (2, "Be kind.")] as [(UInt64, String)] {
            let request = TextRequest(content, key: RandomKey(seed: seed))
            let written = try engine.write([request], Sampling(), stops: []) { _ in .more }
            #expect(written.map(\.text) == [text])
        }
        let messages = try JSON.read(fake.requests[0].body)["messages"]?.elements
        #expect(messages?.count == 1)
        #expect(
            messages?[0]["content"]?.string == "Write.\n\nBegin your answer with: Principle:")
    }

    @Test(arguments: [
        ("<think>Hm.\n</think>\n\nYes.", "Yes.", true), (" <think>Hm.", "", false),
        ("Yes. <think>no</think>", "Yes. <think>no</think>", true),
    ])
    func `thoughts before an answer are no part of it`(
        answer: String, text: String, isFinished: Bool
    ) throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat(answer)) }
        defer { fake.stop() }
        let written = try engine(fake, MemoryStore()).write([prompt("a")], Sampling(), stops: []) {
            _ in .more
        }
        #expect(written[0].text == text && written[0].isFinished == isFinished)
    }

    @Test func `requests have the form of the API`() throws {
        let fake = try FakeServer { _ in
            .body(#"{"choices":[{"text":" yes","finish_reason":"stop"}]}"#)
        }
        defer { fake.stop() }
        let sampling = Sampling(temperature: 0.5, topP: 0.9, maxTokens: 12)
        let engine = try engine(fake, MemoryStore(), api: .completions)
        let written = try engine.write(
            [prompt("Go:")], sampling, stops: ["\n", "b", "c", "d", "z"]
        ) { _ in .more }
        #expect(written == [WrittenText(text: " yes")])
        #expect(fake.requests[0].line == "POST /v1/completions HTTP/1.1")
        let body = try JSON.read(fake.requests[0].body)
        #expect(body["prompt"]?.string == "Go:" && body["model"]?.string == "m")
        #expect(body["max_tokens"]?.integer == 12 && body["temperature"]?.double == 0.5)
        #expect(body["top_p"]?.double == 0.9 && body["stop"]?.elements?.count == 4)
        #expect(body["top_k"] == nil && body["messages"] == nil)
        #expect((body["seed"]?.integer).map { (0..<1 << 31).contains($0) } == true)
    }

    @Test(arguments: [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("HTTPS://Api.Example.org/v1/", "https://api.example.org/v1"),
        ("http://[::1]:80/v1/chat/completions", "http://[::1]:80/v1"),
        ("http://h/completions", "http://h"),
    ])
    func `addresses are read as manuals show them`(text: String, address: String) throws {
        #expect(try ServerAddress(text).text == address)
    }

    /// No proxy stands between this machine and itself.
    @Test(arguments: [
        ("http://127.0.0.1:8000/v1", true), ("https://localhost/v1", true),
        ("http://[::1]:80", true), ("http://LOCALHOST", true), ("http://127.example.org", false),
        ("https://example.org", false), ("http://localhost.example.org", false),
    ])
    func `addresses of this machine are known`(text: String, isLocal: Bool) throws {
        #expect(try ServerAddress(text).isLocal == isLocal)
    }

    @Test(arguments: [
        ("", ServerError.AddressProblem.scheme), ("example.org", .scheme), ("ftp://x", .scheme),
        ("file:///etc/passwd", .scheme), ("http://", .host), ("http:///v1", .host),
        ("http://:80", .host), ("http://me:secret@h/v1", .user), ("http://h/v1?key=secret", .query),
        ("http://h /v1", .characters), ("http://h\r\nX: y", .characters),
        ("http://h\u{e9}", .characters),
    ])
    func `other addresses are refused without repeating a password`(
        text: String, problem: ServerError.AddressProblem
    ) throws {
        let error = #expect(throws: ServerError.self) { try ServerAddress(text) }
        guard case .address(_, problem) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!"\(try #require(error))".contains("secret"))
    }
}
