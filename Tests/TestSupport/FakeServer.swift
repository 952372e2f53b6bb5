import Foundation
import Glibc
import Synchronization

/// A server on 127.0.0.1 that answers HTTP requests as a test says, well or badly.
public final class FakeServer: Sendable {
    public struct Request: Sendable {
        /// `POST /v1/chat/completions HTTP/1.1`
        public var line: String
        public var headers: [String]
        public var body: String
        /// How many requests came before it.
        public var number: Int
    }

    public enum Reply: Sendable {
        /// A body with status 200.
        case body(String)
        case status(Int, headers: [String] = [], body: String = "")
        /// The first bytes of a whole answer with this body; then the connection ends.
        case cut(String, after: Int)
        /// These bytes, then the connection ends.
        case raw(String)
        /// Nothing until the server stops.
        case silence
        /// A body without an end.
        case endless
    }

    public let port: UInt16
    private let listener: Int32
    private let respond: @Sendable (Request) -> Reply
    private struct State {
        var requests: [Request] = []
        var isStopped = false
        var most = 0
        var underway = 0
    }
    private let state = Mutex(State())

    public var url: String { "http://127.0.0.1:\(port)/v1" }
    public var requests: [Request] { state.withLock { $0.requests } }
    /// The most requests that were underway at once.
    public var mostAtOnce: Int { state.withLock { $0.most } }
    private var isStopped: Bool { state.withLock { $0.isStopped } }

    public init(_ respond: @escaping @Sendable (Request) -> Reply) throws {
        self.respond = respond
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard isListening else { throw POSIXError(.EADDRINUSE) }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else {
                    // By the thread that uses the number: once closed, it may be another's.
                    close(listener)
                    return
                }
                Thread.detachNewThread { [self] in
                    serve(connection)
                    close(connection)
                }
            }
        }
    }

    /// Ends all connections.
    public func stop() {
        let wasStopped = state.withLock { state in
            defer { state.isStopped = true }
            return state.isStopped
        }
        guard !wasStopped else { return }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func serve(_ connection: Int32) {
        guard var request = receive(connection) else { return }
        state.withLock {
            request.number = $0.requests.count
            $0.requests.append(request)
            $0.underway += 1
            $0.most = max($0.most, $0.underway)
        }
        let reply = respond(request)
        // Before the answer: after it, the next request may be here first.
        state.withLock { $0.underway -= 1 }
        switch reply {
        case .body(let body): send(FakeServer.whole(body), connection)
        case .status(let status, let headers, let body):
            let lines = ["HTTP/1.1 \(status) Status", "Connection: close"] + headers
            send(
                lines.joined(separator: "\r\n")
                    + "\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)", connection)
        case .cut(let body, let count):
            send(
                String(decoding: Array(FakeServer.whole(body).utf8.prefix(count)), as: UTF8.self),
                connection)
        case .raw(let text): send(text, connection)
        case .silence: while !isStopped { usleep(10_000) }
        case .endless:
            var isOpen = send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", connection)
            let part = String(repeating: " ", count: 1 << 20)
            while isOpen, !isStopped { isOpen = send(part, connection) }
        }
    }

    /// The answer with this body, as it crosses the network.
    public static func whole(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    }

    private func receive(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                    .components(separatedBy: "\r\n")
                let length =
                    head.compactMap { line -> Int? in
                        guard line.lowercased().hasPrefix("content-length:") else { return nil }
                        return Int(line.dropFirst(15).trimmingCharacters(in: .whitespaces))
                    }.first ?? 0
                if bytes.count >= end.upperBound + length {
                    return Request(
                        line: head[0], headers: Array(head.dropFirst()),
                        body: String(
                            decoding: bytes[end.upperBound..<end.upperBound + length],
                            as: UTF8.self),
                        number: 0)
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    @discardableResult
    private func send(_ text: String, _ connection: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The body of an answer by `/chat/completions`.
    public static func chat(_ text: String, tokens: Int = 3, finish: String = "stop") -> String {
        """
        {"id":"x","model":"fake-1","choices":[{"index":0,"finish_reason":"\(finish)",\
        "message":{"role":"assistant","content":\(quoted(text))}}],\
        "usage":{"prompt_tokens":7,"completion_tokens":\(tokens)}}
        """
    }

    private static func quoted(_ text: String) -> String {
        let data = try? JSONEncoder().encode(text)
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
