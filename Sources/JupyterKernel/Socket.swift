import CZeroMQ
import Glibc

/// A context of ZeroMQ: the thread that moves bytes, and the sockets on it.
final class SocketContext {
    fileprivate let raw: UnsafeMutableRawPointer

    init() throws(KernelError) {
        guard let raw = zmq_ctx_new() else {
            throw KernelError("ZeroMQ cannot start: \(Socket.reason)")
        }
        self.raw = raw
    }

    /// Waits until the messages of closed sockets are sent, for as long as their sockets linger.
    deinit { zmq_ctx_term(raw) }
}

/// A bound socket of ZeroMQ. One thread uses it.
final class Socket {
    enum Kind {
        /// Requests with the addresses of their senders, to which replies go back.
        case router
        /// To every subscriber; the socket hears of subscriptions.
        case publisher
    }

    let raw: UnsafeMutableRawPointer
    private let part: UnsafeMutablePointer<zmq_msg_t>
    private let context: SocketContext

    /// Messages of more parts are dropped, and connections that send a longer part are closed.
    private static let (mostParts, longestPart) = (64, Int64(256 << 20))

    fileprivate static var reason: String { String(cString: zmq_strerror(zmq_errno())) }

    init(_ kind: Kind, _ address: String, _ context: SocketContext) throws(KernelError) {
        guard let raw = zmq_socket(context.raw, kind == .router ? ZMQ_ROUTER : ZMQ_XPUB) else {
            throw KernelError("ZeroMQ has no socket left: \(Socket.reason)")
        }
        self.raw = raw
        self.context = context
        part = .allocate(capacity: 1)
        // A client that reads slowly loses nothing.
        set(ZMQ_SNDHWM, 0)
        // Milliseconds in which the last messages can leave.
        set(ZMQ_LINGER, 1000)
        var longest = Socket.longestPart
        zmq_setsockopt(raw, ZMQ_MAXMSGSIZE, &longest, MemoryLayout<Int64>.size)
        switch kind {
        // A client that comes again with its old address is the one to answer.
        case .router: set(ZMQ_ROUTER_HANDOVER, 1)
        // Every subscription is heard of, and not the first of each topic only.
        case .publisher: set(ZMQ_XPUB_VERBOSE, 1)
        }
        guard zmq_bind(raw, address) == 0 else {
            let reason = Socket.reason
            throw KernelError("\(address) cannot be listened on: \(reason)")
        }
    }

    deinit {
        zmq_close(raw)
        part.deallocate()
    }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size)
    }

    /// The next message, if one is there. A message with too many parts is empty.
    func receive() -> [[UInt8]]? {
        var (parts, isWhole, isFirst) = ([[UInt8]](), false, true)
        while !isWhole {
            zmq_msg_init(part)
            defer { zmq_msg_close(part) }
            // The parts of a message arrive together, so only the first can be missing.
            guard zmq_msg_recv(part, raw, isFirst ? ZMQ_DONTWAIT : 0) >= 0 else { return nil }
            isFirst = false
            let bytes = UnsafeRawBufferPointer(start: zmq_msg_data(part), count: zmq_msg_size(part))
            if parts.count <= Socket.mostParts { parts.append(Array(bytes)) }
            isWhole = zmq_msg_more(part) == 0
        }
        return parts.count > Socket.mostParts ? [] : parts
    }

    /// Sends a message, or drops it if its receiver is gone.
    func send(_ parts: [[UInt8]]) {
        for (index, bytes) in parts.enumerated() {
            let isLast = index == parts.count - 1
            let flags = ZMQ_DONTWAIT | (isLast ? 0 : ZMQ_SNDMORE)
            guard zmq_send(raw, bytes, bytes.count, flags) >= 0 else { return }
        }
    }
}
