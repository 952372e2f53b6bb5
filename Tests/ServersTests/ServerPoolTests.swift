import Foundation
import LongWork
import Tensors
import TestSupport
import Testing
import TextModels

@testable import Servers

/// Several servers as one engine.
@Suite struct ServerPoolTests {
    private func server(_ fake: FakeServer, concurrency: Int = 2, retries: Int = 0) throws -> Server
    {
        Server(
            address: try ServerAddress(fake.url), model: "m", concurrency: concurrency,
            timeout: 20, retries: retries)
    }

    private func pool(_ servers: [Server], _ store: MemoryStore) -> ServerPool {
        ServerPool(servers.map { ServerEngine($0, keeping: store, environment: [:]) })
    }

    private let requests = (0..<12).map { prompt("question \($0)") }

    private func texts(
        _ pool: ServerPool, watch: @escaping () -> Continuation = { .more }
    ) throws -> [String] {
        try pool.write(requests, Sampling(maxTokens: 8), stops: []) { _ in watch() }.map(\.text)
    }

    /// A server that answers with its name and the question's number.
    private func named(_ name: String, failingAfter limit: Int = .max) throws -> FakeServer {
        try FakeServer { request in
            guard request.number < limit else { return .status(503) }
            usleep(5000)
            let number = request.body.firstMatch(of: #/question (\d+)/#).map { String($0.1) } ?? ""
            return .body(FakeServer.chat("\(name) \(number)"))
        }
    }

    @Test func `requests are shared by what the servers take at once, and keep their order`() throws
    {
        let (one, two) = (try named("one"), try named("two"))
        defer {
            one.stop()
            two.stop()
        }
        let store = MemoryStore()
        let pool = pool([try server(one, concurrency: 1), try server(two, concurrency: 3)], store)
        let found = try texts(pool)
        #expect(found == (0..<12).map { ($0 < 3 ? "one " : "two ") + "\($0)" })
        #expect(one.requests.count == 3 && two.requests.count == 9)
        // A second run asks neither.
        #expect(try texts(pool) == found)
        #expect(one.requests.count == 3 && two.requests.count == 9)
    }

    @Test func `the requests of a server that fails go to the others, and none is asked twice`()
        throws
    {
        let (one, two) = (try named("one", failingAfter: 2), try named("two"))
        defer {
            one.stop()
            two.stop()
        }
        let store = MemoryStore()
        let servers = [try server(one, concurrency: 1), try server(two, concurrency: 1)]
        let pool = self.pool(servers, store)
        let found = try texts(pool)
        #expect(found.prefix(2) == ["one 0", "one 1"])
        #expect(found.dropFirst(2).elementsEqual((2..<12).map { "two \($0)" }))
        #expect(store.count == 12)
        let failures = pool.engines.map(\.usage.counts.failure)
        #expect(failures[0]?.contains("503") == true && failures[1] == nil)
        // Which server answered is kept: a replay needs none of them.
        let again = MemoryStore(mayAsk: false)
        for line in store.lines { again.keep(line.value, to: line.key) }
        #expect(try texts(self.pool(servers, again)) == found)
    }

    @Test func `if all fail, the first fault is told, and the answers are kept`() throws {
        let (one, two) = (try named("one", failingAfter: 1), try named("two", failingAfter: 2))
        defer {
            one.stop()
            two.stop()
        }
        let store = MemoryStore()
        let pool = pool([try server(one, concurrency: 1), try server(two, concurrency: 1)], store)
        #expect(throws: ServerError.self) { try texts(pool) }
        #expect(store.count == 3)
    }

    @Test func `a stop ends all at once, while a server is silent`() throws {
        let silent = try FakeServer { _ in .silence }
        defer { silent.stop() }
        let other = try named("two")
        defer { other.stop() }
        let pool = pool([try server(silent), try server(other)], MemoryStore())
        let start = ContinuousClock.now
        #expect(throws: Canceled.self) {
            try texts(pool) { ContinuousClock.now - start > .milliseconds(300) ? .stop : .more }
        }
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
