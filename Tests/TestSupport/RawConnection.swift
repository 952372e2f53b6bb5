import Foundation
import Glibc

/// A connection to a server on 127.0.0.1 that sends the bytes that a test says, also such as no
/// client's library would send.
public final class RawConnection {
    public struct Reply {
        public var status: Int
        /// The lines of the head, in lower case.
        public var head: [String]
        public var body: String
    }

    public struct Fault: Error {
        public var reason: String
    }

    private let descriptor: Int32
    private var waiting: [UInt8] = []

    /// - Parameter patience: seconds after which a server that says nothing is a fault.
    public init(port: UInt16, patience: Int = 60) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        var time = timeval(tv_sec: patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw RawConnection.fault("connect") }
    }

    deinit { close(descriptor) }

    public func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw RawConnection.fault("send") }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a request with a body, if there is one.
    public func send(
        _ method: String, _ path: String, version: String = "HTTP/1.1", headers: [String] = [],
        body: String = ""
    ) throws {
        let lines =
            ["\(method) \(path) \(version)", "Host: 127.0.0.1"] + headers
            + (body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"])
        try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// The next answer: its body has the length that its head says, or comes in chunks.
    ///
    /// - Parameter isHead: no body follows.
    public func receive(isHead: Bool = false) throws -> Reply {
        let head = try line(until: "\r\n\r\n").lowercased().components(separatedBy: "\r\n")
        guard let status = Int(head[0].split(separator: " ").dropFirst().first ?? "") else {
            throw Fault(reason: "no status in \(head[0])")
        }
        func value(_ name: String) -> String? {
            head.first { $0.hasPrefix(name + ": ") }?.components(separatedBy: ": ").last
        }
        var body: [UInt8] = []
        if value("transfer-encoding") == "chunked" {
            while let count = Int(try line(until: "\r\n"), radix: 16), count > 0 {
                body += try bytes(count)
                _ = try bytes(2)
            }
            _ = try bytes(2)
        } else if !isHead {
            body = try bytes(value("content-length").flatMap { Int($0) } ?? 0)
        }
        return Reply(status: status, head: head, body: String(decoding: body, as: UTF8.self))
    }

    /// Whether the server closes the connection; false if something comes, or nothing in time.
    public func isClosed() -> Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, 0)
        return waiting.isEmpty && (count == 0 || count < 0 && errno == ECONNRESET)
    }

    private func line(until end: String) throws -> String {
        while true {
            if let place = waiting.firstRange(of: Array(end.utf8)) {
                defer { waiting.removeFirst(place.upperBound) }
                return String(decoding: waiting[..<place.lowerBound], as: UTF8.self)
            }
            try receiveMore()
        }
    }

    private func bytes(_ count: Int) throws -> [UInt8] {
        while waiting.count < count { try receiveMore() }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }

    private func receiveMore() throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw RawConnection.fault("receive") }
        waiting += buffer[..<count]
    }

    private static func fault(_ action: String) -> Fault {
        Fault(reason: "\(action): \(String(cString: strerror(errno)))")
    }
}
