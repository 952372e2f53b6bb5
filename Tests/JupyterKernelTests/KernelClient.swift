import CZeroMQ
import Foundation
import JSON
import Sessions
import TestSupport

@testable import JupyterKernel

/// A kernel on a thread of its own, and a client of it that speaks over sockets of files.
final class KernelClient {
    static let key = "a key"
    private let folder: TemporaryFolder
    private let context: UnsafeMutableRawPointer
    private var sockets: [ConnectionFile.Channel: UnsafeMutableRawPointer] = [:]
    private let signer = Signer(key: KernelClient.key)
    private let ended = DispatchSemaphore(value: 0)
    private var hasEnded = false

    init(fault: String? = nil) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let text = """
            {"transport":"ipc","ip":"\(folder.path)/k","key":"\(KernelClient.key)","shell_port":1,\
            "control_port":2,"stdin_port":3,"iopub_port":4,"hb_port":5}
            """
        let connection = try ConnectionFile(Array(text.utf8), path: "c")
        guard let context = zmq_ctx_new() else { throw KernelError("no context") }
        self.context = context
        let (ended, started) = (ended, DispatchSemaphore(value: 0))
        let path = folder.path
        Thread.detachNewThread {
            var configuration = Session.Configuration()
            configuration.access = .ephemeral
            configuration.directory = path
            if let session = try? Session(configuration),
                let kernel = try? Kernel(
                    connection, session: session, version: "1", fault: fault)
            {
                started.signal()
                kernel.run()
                session.close()
            }
            ended.signal()
        }
        guard started.wait(timeout: .now() + 20) == .success else {
            throw KernelError("the kernel did not start")
        }
        for channel in ConnectionFile.Channel.allCases {
            guard let socket = zmq_socket(context, channel == .iopub ? ZMQ_SUB : ZMQ_DEALER)
            else { throw KernelError("no socket") }
            var (linger, wait): (Int32, Int32) = (0, 20_000)
            zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
            zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, 4)
            if channel == .iopub { zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) }
            zmq_connect(socket, connection.address(of: channel))
            sockets[channel] = socket
        }
        while try receive(.iopub).type != "iopub_welcome" {}
    }

    deinit {
        if !hasEnded { _ = try? end() }
        for socket in sockets.values { zmq_close(socket) }
        zmq_ctx_term(context)
    }

    /// Asks for the end, and waits for it.
    func end() throws {
        try send("shutdown_request", [:], on: .control)
        hasEnded = ended.wait(timeout: .now() + 20) == .success
        if !hasEnded { throw KernelError("the kernel did not end") }
    }

    @discardableResult
    func send(
        _ type: String, _ content: JSON, on channel: ConnectionFile.Channel = .shell
    ) throws -> JSON {
        let message = Message(type, content.members ?? [], to: [], parent: [:])
        send(message.parts(signer), on: channel)
        return message.header
    }

    func send(_ parts: [[UInt8]], on channel: ConnectionFile.Channel) {
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            _ = zmq_send(sockets[channel], part, part.count, isLast ? 0 : ZMQ_SNDMORE)
        }
    }

    /// Signed parts of a message, to be changed before they are sent.
    func parts(_ type: String, _ content: JSON) -> [[UInt8]] {
        Message(type, content.members ?? [], to: [], parent: [:]).parts(signer)
    }

    /// Waits for the next message; throws after 20 seconds.
    func receive(_ channel: ConnectionFile.Channel) throws -> Message {
        try Message(try receiveParts(channel), signer)
    }

    func receiveParts(_ channel: ConnectionFile.Channel) throws -> [[UInt8]] {
        var (parts, isWhole) = ([[UInt8]](), false)
        while !isWhole {
            var part = [UInt8](repeating: 0, count: 1 << 20)
            let count = zmq_recv(sockets[channel], &part, part.count, 0)
            guard count >= 0 else { throw KernelError("no answer on \(channel)") }
            parts.append(Array(part.prefix(Int(count))))
            var (more, size): (Int32, Int) = (0, 4)
            zmq_getsockopt(sockets[channel], ZMQ_RCVMORE, &more, &size)
            isWhole = more == 0
        }
        return parts
    }

    /// Sends a request, and returns its reply and the messages published for it.
    func ask(
        _ type: String, _ content: JSON, on channel: ConnectionFile.Channel = .shell
    ) throws -> (reply: JSON, published: [Message]) {
        let header = try send(type, content, on: channel)
        let reply = try receive(channel)
        return (reply.content, try published(for: header))
    }

    /// The messages published for a request, up to its idle status.
    func published(for header: JSON) throws -> [Message] {
        var published: [Message] = []
        while true {
            let message = try receive(.iopub)
            guard message.parent == header else { continue }
            published.append(message)
            if message.content["execution_state"]?.string == "idle" { return published }
        }
    }

    func execute(_ code: String) throws -> (reply: JSON, published: [Message]) {
        try ask("execute_request", ["code": .string(code)])
    }
}
