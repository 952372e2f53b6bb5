import Foundation
import JSON
import LongWork
import TestSupport
import Testing

@testable import Servers

/// The findings of probes of servers that honor, ignore and refuse the wishes of a request.
@Suite struct ServerProbeTests {
    private func probe(
        _ fake: FakeServer, api: Server.API = .chat, number: Int? = 1,
        _ store: MemoryStore = MemoryStore(), retries: Int = 0
    ) throws -> ServerProbe {
        var probe = ServerProbe(
            Server(
                address: try ServerAddress(fake.url), model: "m", api: api, retries: retries),
            number: number, keeping: store, environment: [:])
        probe.firstDelay = 0.001
        return probe
    }

    /// `max_tokens yes`, one line a wish.
    private func words(_ findings: [ServerProbe.Finding]) -> [String] {
        findings.map { "\($0.wish.rawValue) \($0.honored.rawValue)" }
    }

    private func findings(
        _ counting: CountingServer, api: Server.API = .chat
    ) throws -> (findings: [ServerProbe.Finding], requests: [FakeServer.Request]) {
        let fake = try FakeServer(counting.reply)
        defer { fake.stop() }
        return (try probe(fake, api: api).findings { _ in .more }, fake.requests)
    }

    @Test(arguments: Server.API.allCases)
    func `a server that honors all is found to`(api: Server.API) throws {
        let (findings, requests) = try findings(CountingServer(), api: api)
        #expect(
            words(findings) == [
                "max_tokens yes", "stop yes", "seed yes", "n yes", "logprobs yes",
                "prompt_logprobs yes",
            ])
        #expect(
            findings.map(\.seen) == [
                "4 tokens of 4, finish_reason \"length\"", "it ends before \"5,\"",
                "equal for one seed, different for another", "2 of 2 texts",
                "of 4 tokens", "of 7 of 8 tokens, with max_tokens=0",
            ])
        #expect(requests.count == 8)
        let bodies = try requests.map { try JSON.read($0.body) }
        #expect(bodies.allSatisfy { $0["max_tokens"]?.integer ?? 99 <= 12 })
        // Every wish is sent in the form of the endpoint.
        #expect(bodies.count { $0["messages"] != nil } == (api == .chat ? 7 : 0))
        #expect(bodies.count { $0["top_logprobs"] != nil } == (api == .chat ? 1 : 0))
        #expect(bodies.count { $0["seed"] != nil } == 3)
    }

    @Test(arguments: Server.API.allCases)
    func `a server that ignores all is found to, with one request more`(api: Server.API) throws {
        let (findings, requests) = try findings(
            CountingServer(ignores: CountingServer.wishes), api: api)
        #expect(
            words(findings) == [
                "max_tokens no", "stop no", "seed no", "n no", "logprobs no", "prompt_logprobs no",
            ])
        #expect(
            findings.map(\.seen) == [
                "20 tokens of 4, finish_reason \"length\"", "it goes on after \"10\"",
                "two texts for one seed", "1 of 2 texts", "none in the answer",
                "the prompt does not come back",
            ])
        #expect(requests.count == 9)
    }

    /// Each finding depends on its own wish.
    @Test(arguments: ["max_tokens", "stop", "seed", "n", "logprobs", "echo"])
    func `a server that ignores one wish honors the others`(wish: String) throws {
        let found = try findings(CountingServer(ignores: [wish]), api: .completions).findings
        let missing = Set(found.filter { $0.honored != .yes }.map(\.wish.rawValue))
        switch wish {
        case "logprobs": #expect(missing == ["logprobs", "prompt_logprobs"])
        case "echo": #expect(missing == ["prompt_logprobs"])
        default: #expect(missing == [wish])
        }
    }

    @Test(arguments: [400, 403, 404, 422, 501])
    func `a wish that is refused is shown with the server's words`(status: Int) throws {
        let (findings, requests) = try findings(
            CountingServer(refuses: ["logprobs": status]), api: .completions)
        #expect(
            words(findings) == [
                "max_tokens yes", "stop yes", "seed yes", "n yes", "logprobs refused",
                "prompt_logprobs refused",
            ])
        #expect(findings[4].seen == "status \(status): \"no logprobs here\"")
        #expect(findings[5].seen == findings[4].seen && requests.count == 9)
    }

    @Test func `a fault that stays for one wish is a refusal of it`() throws {
        let fake = try FakeServer(CountingServer(refuses: ["n": 500]).reply)
        defer { fake.stop() }
        let probe = try probe(fake, retries: 2)
        let found = try probe.findings { _ in .more }
        #expect(found[3].honored == .refused && found[3].seen == "status 500: \"no n here\"")
        #expect(fake.requests.count == 10 && probe.usage.counts.repeated == 2)
        #expect(found.count { $0.honored == .yes } == 5)
    }

    @Test func `a server without completions is said to have none`() throws {
        let (findings, requests) = try findings(CountingServer(hasCompletions: false))
        #expect(words(findings)[4...] == ["logprobs yes", "prompt_logprobs no"])
        #expect(
            findings[5].seen == "there is no /completions (status 404: \"Not Found\")")
        #expect(requests.count == 8)
    }

    /// Some servers take no `max_tokens` of 0.
    @Test func `the log-probs of a prompt are asked for with one token too`() throws {
        let fake = try FakeServer { request in
            request.body.contains(#""max_tokens":0"#)
                ? .status(400) : CountingServer().reply(to: request)
        }
        defer { fake.stop() }
        let found = try probe(fake).findings { _ in .more }
        #expect(found[5].honored == .yes)
        #expect(found[5].seen == "of 7 of 8 tokens, with max_tokens=1")
        #expect(fake.requests.count == 9)
    }

    /// Log-probs of the written tokens alone are none of the prompt.
    @Test func `an echo with log-probs of the written token alone is not enough`() throws {
        let fake = try FakeServer { request in
            guard request.body.contains("echo") else { return CountingServer().reply(to: request) }
            return .body(
                """
                {"choices":[{"text":"Count from 1 to 50: 1, 2, 3, 4","logprobs":\
                {"token_logprobs":[null,null,-0.5]}}],"usage":{"completion_tokens":1}}
                """)
        }
        defer { fake.stop() }
        let found = try probe(fake).findings { _ in .more }
        #expect(found[5].honored == .no && found[5].seen == "the prompt comes back without them")
    }

    @Test func `what cannot be seen is not called honored`() throws {
        let fake = try FakeServer { _ in .body(FakeServer.chat("Hi.", tokens: 2)) }
        defer { fake.stop() }
        let found = try probe(fake).findings { _ in .more }
        #expect(
            words(found)[..<3] == [
                "max_tokens cannot be seen", "stop cannot be seen", "seed cannot be seen",
            ])
        #expect(found[1].seen == "it ends with \"i.\" in any case")
        #expect(found[2].seen == "the same text, whatever the seed")
        let empty = try FakeServer { _ in .body(FakeServer.chat("", tokens: 0)) }
        defer { empty.stop() }
        let none = try probe(empty).findings { _ in .more }
        #expect(words(none)[1...2] == ["stop cannot be seen", "seed cannot be seen"])
    }

    /// With the stop string at its end, as some servers send it.
    @Test func `a text that ends after the stop string is cut`() throws {
        let fake = try FakeServer { request in
            request.body.contains("\"stop\"")
                ? .body(FakeServer.chat(" 4, 5,")) : CountingServer().reply(to: request)
        }
        defer { fake.stop() }
        let found = try probe(fake).findings { _ in .more }
        #expect(found[1].honored == .yes && found[1].seen == "it ends after \"5,\", which it keeps")
    }

    @Test(arguments: [
        (" 4, 5, 6", "5,"), ("ab", "b"), ("a", ","), ("", ","), ("a b", "b"), ("   ", ","),
        ("ababab", "ba"), ("aaaa", ","),
    ])
    func `the stop string is inside of the text`(text: String, stop: String) {
        #expect(ProbeRequest.stopString(in: text) == stop)
    }

    // MARK: Asking anew, and not asking

    @Test func `a probe asks anew, and its answers serve a replay`() throws {
        let fake = try FakeServer(CountingServer(refuses: ["n": 400]).reply)
        defer { fake.stop() }
        let store = MemoryStore()
        let first = try probe(fake, number: 1, store).findings { _ in .more }
        #expect(fake.requests.count == 8 && store.count == 8)
        _ = try probe(fake, number: 2, store).findings { _ in .more }
        #expect(fake.requests.count == 16)
        let again = try probe(fake, number: 1, store)
        #expect(try again.findings { _ in .more } == first)
        #expect(fake.requests.count == 16 && again.usage.counts.reused == 8)
        #expect(again.usage.counts.asked == 0 && again.usage.counts.completionTokens == 0)
        #expect(throws: ServerError.notKept(server: fake.url, count: 1)) {
            try probe(fake, MemoryStore(mayAsk: false)).findings { _ in .more }
        }
        // Without a number nothing is kept.
        _ = try probe(fake, number: nil, store).findings { _ in .more }
        #expect(fake.requests.count == 24 && store.count == 16)
    }

    // MARK: Faults

    @Test func `no server, no model, a wrong key and a form of another kind are errors`() throws {
        let gone = try FakeServer { _ in .silence }
        let nowhere = try probe(gone)
        gone.stop()
        #expect(throws: ServerError.self) { try nowhere.findings { _ in .more } }
        for status in [401, 403, 404] {
            let fake = try FakeServer { _ in .status(status) }
            defer { fake.stop() }
            #expect(
                throws: ServerError.refused(server: fake.url, status: status, message: "")
            ) { try probe(fake).findings { _ in .more } }
            #expect(fake.requests.count == 1)
        }
        for body in ["<html>", "{}"] {
            let fake = try FakeServer { _ in .body(body) }
            defer { fake.stop() }
            #expect(throws: ServerError.self) { try probe(fake).findings { _ in .more } }
        }
        let broken = try FakeServer { _ in .status(500) }
        defer { broken.stop() }
        #expect(throws: ServerError.self) { try probe(broken).findings { _ in .more } }
        let refusing = try FakeServer { _ in .status(400) }
        defer { refusing.stop() }
        let all = try probe(refusing).findings { _ in .more }
        #expect(all.allSatisfy { $0.honored == .refused && $0.seen == "status 400" })
    }

    @Test func `a stop takes effect at once, while the server is silent`() throws {
        let fake = try FakeServer { request in
            request.number == 0 ? CountingServer().reply(to: request) : .silence
        }
        defer { fake.stop() }
        let start = ContinuousClock.now
        #expect(throws: Canceled.self) {
            try probe(fake).findings { _ in
                ContinuousClock.now - start > .milliseconds(300) ? .stop : .more
            }
        }
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test func `a key that is sent back is in no finding and in nothing that is kept`() throws {
        let secret = "sk-never-to-be-seen"
        let fake = try FakeServer { request in
            if request.body.contains("\"n\":2") {
                return .status(400, body: "{\"error\":\"bad key \(secret)\"}")
            }
            return .body(FakeServer.chat("\(secret) \(secret)", finish: secret))
        }
        defer { fake.stop() }
        let store = MemoryStore()
        var server = Server(address: try ServerAddress(fake.url), model: "m", retries: 0)
        server.keyVariable = "FAKE_KEY"
        let probe = ServerProbe(
            server, number: 1, keeping: store, environment: ["FAKE_KEY": secret])
        let found = try probe.findings { _ in .more }
        #expect(found[3].seen == "status 400: \"bad key [key]\"")
        #expect(!"\(found)".contains(secret) && !store.text.contains(secret))
        #expect(fake.requests.allSatisfy { $0.headers.contains("Authorization: Bearer \(secret)") })
    }

    // MARK: Prices

    @Test func `only tokens that were asked for now cost anything`() throws {
        let fake = try FakeServer(CountingServer().reply)
        defer { fake.stop() }
        let store = MemoryStore()
        let price = TokenPrice(input: 2, output: 10)
        let first = try probe(fake, store)
        _ = try first.findings { _ in .more }
        let counts = first.usage.counts
        // Seven answers are of chat; the stop string leaves one part, the echo writes none.
        #expect(counts.promptTokens == 88 && counts.completionTokens == 4 + 1 + 36 + 4 + 4)
        #expect(abs(counts.cost(price) - (88 * 2 + 49 * 10) / 1e6) < 1e-12)
        let again = try probe(fake, store)
        _ = try again.findings { _ in .more }
        #expect(again.usage.counts.cost(price) == 0)
    }
}
