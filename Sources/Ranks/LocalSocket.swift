import Foundation
import Glibc

/// A stream between two processes of one machine, through a socket in the file system.
///
/// The socket lies in a folder that only its owner may enter, so nobody else connects.
public final class LocalSocket: @unchecked Sendable {
    // One thread at a time reads, and one writes.

    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Gives up after so many seconds without room to write, or in the middle of a message that is
    /// read: the other end hangs.
    public func limitWaiting(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(
                descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { close(descriptor) }

    /// Waits for connections at a path.
    public static func listening(at path: String) throws -> LocalSocket {
        let socket = try made()
        let code = withAddress(path) { bind(socket.descriptor, $0, $1) }
        guard code == 0, listen(socket.descriptor, 1) == 0 else { throw fault("listen at \(path)") }
        return socket
    }

    /// Connects to the process that listens at a path.
    public static func connecting(to path: String) throws -> LocalSocket {
        let socket = try made()
        guard withAddress(path, { connect(socket.descriptor, $0, $1) }) == 0 else {
            throw fault("connect to \(path)")
        }
        return socket
    }

    /// The next connection, if one comes in time.
    public func accepted(within milliseconds: Int32) throws -> LocalSocket? {
        guard try isReadable(within: milliseconds) else { return nil }
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { throw Self.fault("accept") }
        return LocalSocket(connection)
    }

    private static func made() throws -> LocalSocket {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw fault("make a socket") }
        return LocalSocket(descriptor)
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func fault(_ action: String) -> RankError {
        .notStarted("cannot \(action): \(String(cString: strerror(errno)))")
    }

    // MARK: Bytes

    /// Whether there is something to read, or the other end has closed.
    public func isReadable(within milliseconds: Int32) throws -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let code = poll(&entry, 1, milliseconds)
        if code < 0, errno != EINTR { throw RankError.gone }
        return code > 0
    }

    /// - Throws: `RankError.gone` if the other end has closed, `.stalled` after `limitWaiting`.
    public func read(into target: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < target.count {
            let count = Glibc.read(
                descriptor, target.baseAddress.map { $0 + done }, target.count - done)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { throw RankError.stalled }
            guard count > 0 else { throw RankError.gone }
            done += count
        }
    }

    /// - Throws: `RankError.gone` if the other end has closed, `.stalled` after `limitWaiting`.
    public func write(_ source: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < source.count {
            let count = send(
                descriptor, source.baseAddress.map { $0 + done }, source.count - done,
                Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { throw RankError.stalled }
            guard count > 0 else { throw RankError.gone }
            done += count
        }
    }

    public func readBytes(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try read(into: $0) }
        return bytes
    }

    // MARK: Messages

    public func write(_ message: RankMessage) throws {
        try RankMessageHead(message).bytes.withUnsafeBytes { try write($0) }
        try message.body.withUnsafeBytes { try write($0) }
        try message.payload.withUnsafeBytes { try write($0) }
    }

    /// The next message, whole.
    public func read() throws -> RankMessage {
        let head = try RankMessageHead(try readBytes(RankMessage.headLength))
        var body = Data(count: head.bodyLength)
        try body.withUnsafeMutableBytes { try read(into: $0) }
        var payload = Data(count: head.payloadLength)
        try payload.withUnsafeMutableBytes { try read(into: $0) }
        return RankMessage(
            head.kind, rank: head.rank, body: body, payload: payload, after: head.after)
    }
}
