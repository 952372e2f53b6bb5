import CZeroMQ
import Foundation
import Glibc
import JSON
import Synchronization

/// The five sockets of a kernel, on a thread of their own.
///
/// That thread answers interrupts and shutdowns at once, while a statement computes on another
/// thread. It hands all other requests to ``RequestQueue``, and sends the messages that other
/// threads post.
final class Wire: @unchecked Sendable {
    typealias Channel = ConnectionFile.Channel

    private struct Outgoing {
        var channel: Channel
        var parts: [[UInt8]]
    }

    private let signer: Signer
    private let sockets: [Channel: Socket]
    private let queue: RequestQueue
    /// The reply to `kernel_info_request`, which control answers too.
    private let info: [JSON.Member]
    private let outgoing = Mutex<[Outgoing]>([])
    private let isEnding = Atomic<Bool>(false)
    /// A pipe: a byte in it wakes the thread when something was posted.
    private let wake: (read: Int32, write: Int32)
    /// The process whose end ends the kernel; nil if there is none.
    private var parent: pid_t?
    private var log = KernelLog()
    private var seen = SeenSignatures()
    private let ended = DispatchSemaphore(value: 0)

    /// Binds the sockets.
    ///
    /// - Throws: `KernelError` if an address cannot be used.
    init(
        _ connection: ConnectionFile, _ queue: RequestQueue, info: [JSON.Member], parent: pid_t?
    ) throws(KernelError) {
        signer = Signer(key: connection.key)
        (self.queue, self.info, self.parent) = (queue, info, parent)
        let context = try SocketContext()
        var sockets: [Channel: Socket] = [:]
        for channel in Channel.allCases {
            sockets[channel] = try Socket(
                channel == .iopub ? .publisher : .router, connection.address(of: channel), context)
        }
        self.sockets = sockets
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw KernelError("the process has no file descriptor left")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wake = (ends[0], ends[1])
    }

    deinit {
        close(wake.read)
        close(wake.write)
    }

    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "sockets"
        thread.start()
    }

    /// Ends the thread, after all posted messages are sent.
    func stop() {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        wakeUp()
        ended.wait()
    }

    // MARK: Any thread

    /// Publishes on iopub.
    func publish(_ type: String, _ content: [JSON.Member], parent: JSON) {
        post(.iopub, Message(type, content, to: [Array(type.utf8)], parent: parent))
    }

    func publish(state: String, parent: JSON) {
        publish("status", [.init("execution_state", .string(state))], parent: parent)
    }

    func reply(
        _ type: String, _ content: [JSON.Member], to request: Message, on channel: Channel
    ) {
        post(channel, Message(type, content, to: request.addresses, parent: request.header))
    }

    private func post(_ channel: Channel, _ message: Message) {
        let parts = message.parts(signer)
        outgoing.withLock { $0.append(Outgoing(channel: channel, parts: parts)) }
        wakeUp()
    }

    private func wakeUp() {
        // A full pipe wakes the thread anyway.
        var byte: UInt8 = 1
        _ = write(wake.write, &byte, 1)
    }

    // MARK: The thread of the sockets

    private func run() {
        let channels = Channel.allCases
        var items = channels.map { channel in
            zmq_pollitem_t(
                socket: sockets[channel]?.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        }
        items.append(
            zmq_pollitem_t(socket: nil, fd: wake.read, events: Int16(ZMQ_POLLIN), revents: 0))
        var bytes = [UInt8](repeating: 0, count: 256)
        while true {
            // A second is soon enough to see that the parent is gone.
            zmq_poll(&items, Int32(items.count), 1000)
            while read(wake.read, &bytes, bytes.count) > 0 {}
            let ends = isEnding.load(ordering: .sequentiallyConsistent)
            for next in outgoing.withLock({ posted in
                defer { posted = [] }
                return posted
            }) {
                sockets[next.channel]?.send(next.parts)
            }
            if ends { return }
            for channel in channels {
                while let parts = sockets[channel]?.receive() { take(parts, from: channel) }
            }
            if let parent, getppid() != parent {
                KernelLog.write("the client is gone")
                self.parent = nil
                queue.close()
            }
        }
    }

    private func take(_ parts: [[UInt8]], from channel: Channel) {
        switch channel {
        // It goes back as it came.
        case .heartbeat: sockets[channel]?.send(parts)
        case .iopub: welcome(parts)
        // Nothing here asks a person for input.
        case .stdin: break
        case .shell, .control:
            do throws(Message.Fault) {
                let message = try Message(parts, signer)
                if signer.signs, !seen.insert(parts, of: message) { throw .repeated }
                take(message, from: channel)
            } catch {
                log.add("message dropped: \(error)")
            }
        }
    }

    /// A subscriber hears that its subscription has arrived: nothing that is published from now on
    /// passes it by. Source: JEP 65.
    private func welcome(_ parts: [[UInt8]]) {
        guard let frame = parts.first, frame.first == 1 else { return }
        let topic = String(decoding: frame.dropFirst(), as: UTF8.self)
        sockets[.iopub]?.send(
            Message(
                "iopub_welcome", [.init("subscription", .string(topic))],
                to: [Array(frame.dropFirst())], parent: [:]
            ).parts(signer))
    }

    private func take(_ message: Message, from channel: Channel) {
        switch message.type {
        case "interrupt_request":
            queue.interrupt()
            answer(message, channel, [.init("status", "ok")])
        case "shutdown_request":
            let members: [JSON.Member] = [
                .init("status", "ok"),
                .init("restart", .bool(message.content["restart"]?.bool ?? false)),
            ]
            publish("shutdown_reply", members, parent: message.header)
            answer(message, channel, members)
            queue.close()
        case "kernel_info_request" where channel == .control: answer(message, channel, info)
        default: queue.add(message, from: channel)
        }
    }

    private func answer(_ message: Message, _ channel: Channel, _ members: [JSON.Member]) {
        publish(state: "busy", parent: message.header)
        reply(message.replyType, members, to: message, on: channel)
        publish(state: "idle", parent: message.header)
    }
}

/// The signatures of the last messages: one that comes again was sent by somebody who listened.
struct SeenSignatures {
    static let capacity = 1 << 16
    private var all: Set<[UInt8]> = []
    private var order: [[UInt8]] = []

    /// - Returns: whether the message is new.
    mutating func insert(_ parts: [[UInt8]], of message: Message) -> Bool {
        let signature = parts[message.addresses.count + 1]
        guard all.insert(signature).inserted else { return false }
        order.append(signature)
        if order.count > SeenSignatures.capacity {
            // Half at a time: each signature is moved once.
            let half = SeenSignatures.capacity / 2
            all.subtract(order[..<half])
            order.removeFirst(half)
        }
        return true
    }
}
