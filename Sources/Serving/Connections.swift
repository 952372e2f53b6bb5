import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Sockets that wait as in another pool, with a limit: a connection on which nothing came for this
/// time is closed, so that forgotten ones do not use up the descriptors.
struct PatientPool<Base: AsyncSocketPool>: AsyncSocketPool {
    let base: Base
    let patience: Duration

    func prepare() async throws { try await base.prepare() }

    func run() async throws { try await base.run() }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        // The socket that listens has no peer. It waits without a limit.
        guard events == .read, (try? socket.remotePeer()) != nil else {
            return try await base.suspendSocket(socket, untilReadyFor: events)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await base.suspendSocket(socket, untilReadyFor: events) }
            group.addTask {
                try await Task.sleep(for: patience)
                throw SocketError.disconnected
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// The client of a request, watched while its answer is computed.
///
/// FlyingFox tells a handler the client's address alone. Its socket is the descriptor of this
/// process whose peer has that address.
final class Client: Sendable {
    private let address: HTTPRequest.Address
    private let socket: Socket
    private let look = Mutex((hasLeft: false, next: ContinuousClock.now))

    /// Nil if there is no such descriptor.
    init?(of request: HTTPRequest) {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let sockets = (names ?? []).lazy.compactMap { Int32($0) }
            .map { Socket(file: .init(rawValue: $0)) }
        guard let address = request.remoteAddress,
            let socket = sockets.first(where: { Client.peer(of: $0) == address })
        else { return nil }
        (self.address, self.socket) = (address, socket)
    }

    /// Whether the client closed the connection, or its direction of it. It is cheap to ask often.
    var hasLeft: Bool {
        look.withLock { look in
            let now = ContinuousClock.now
            if !look.hasLeft, now >= look.next {
                look = (hasClosed, now + .milliseconds(50))
            }
            return look.hasLeft
        }
    }

    private var hasClosed: Bool {
        // After the end of the connection, the number is another's or nobody's.
        guard Client.peer(of: socket) == address else { return true }
        var byte: UInt8 = 0
        let count = recv(socket.file.rawValue, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count == 0 || count < 0 && ![EAGAIN, EINTR].contains(errno)
    }

    private static func peer(of socket: Socket) -> HTTPRequest.Address? {
        (try? socket.remotePeer()).map { .make(from: $0) }
    }
}
