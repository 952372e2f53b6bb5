import Foundation
import JSON
import Sessions

/// A session that clients of Jupyter drive: JupyterLab, a console, a pipeline.
///
/// Requests run one after the other on the thread that calls ``run()``. Another thread serves the
/// sockets, so that an interrupt reaches a statement that computes. Source: "Messaging in Jupyter",
/// version 5.4.
///
/// ```swift
/// let kernel = try Kernel(ConnectionFile(path), session: session, version: "0.1.0")
/// kernel.run()
/// session.close()
/// ```
public final class Kernel {
    let session: Session
    let wire: Wire
    let queue: RequestQueue
    private let info: [JSON.Member]
    /// Why no cell runs.
    let fault: String?
    var history: KernelHistory
    /// The number of the last execution that counts.
    var executionCount = 0
    var hasShownNotices = false
    private var log = KernelLog()
    /// Seconds.
    private static let farewell = 2.0

    /// Binds the sockets. Requests that come before ``run()`` wait.
    ///
    /// - Parameters:
    ///   - version: that of the program.
    ///   - parent: the process whose end ends the kernel; nil if there is none.
    ///   - fault: why no cell runs, as a sentence that each of them gets; nil if they do. A kernel
    ///     that ends in place of an answer leaves a person without the reason.
    /// - Throws: `KernelError` if an address cannot be used.
    public init(
        _ connection: ConnectionFile, session: Session, version: String, parent: pid_t? = nil,
        fault: String? = nil
    ) throws(KernelError) {
        self.session = session
        self.fault = fault
        history = KernelHistory(earlier: session.journaledStatements)
        info = Kernel.info(version: version, banner: session.greeting)
        queue = RequestQueue(session.interruption)
        wire = try Wire(connection, queue, info: info, parent: parent)
    }

    /// Serves requests until a client or a signal ends the kernel.
    public func run() {
        wire.start()
        wire.publish(state: "starting", parent: [:])
        while let request = queue.next() {
            serve(request)
            queue.finish()
            guard session.isFinished else { continue }
            // A client reads the reply to `quit` only while its kernel is alive, and then asks for
            // the end.
            queue.waitForEnd(seconds: Kernel.farewell)
            break
        }
        wire.stop()
    }

    /// As an interrupt from a client. Any thread may call it.
    public var interrupt: @Sendable () -> Void { { [queue] in queue.interrupt() } }

    /// Ends ``run()`` when the running statement has stopped. Any thread may call it.
    public var end: @Sendable () -> Void { { [queue] in queue.close() } }

    private func serve(_ request: RequestQueue.Request) {
        let message = request.message
        wire.publish(state: "busy", parent: message.header)
        if let reply = reply(to: request) {
            wire.reply(message.replyType, reply, to: message, on: request.channel)
        }
        wire.publish(state: "idle", parent: message.header)
    }

    /// Nil for a request that has no reply.
    private func reply(to request: RequestQueue.Request) -> [JSON.Member]? {
        let (message, content) = (request.message, request.message.content)
        switch message.type {
        case "kernel_info_request": return info
        case "execute_request": return request.isRefused ? refusal() : execute(message)
        case "complete_request": return completions(content)
        case "inspect_request": return inspection(content)
        case "is_complete_request": return completeness(content)
        case "history_request": return history.reply(to: content)
        case "comm_info_request": return [.init("status", "ok"), .init("comms", [:])]
        // A widget of the client has nobody to talk to here.
        case "comm_open", "comm_msg", "comm_close": return nil
        default:
            log.add("no answer to a request of unknown type: \(message.type.debugDescription)")
            return nil
        }
    }

    private static func info(version: String, banner: String) -> [JSON.Member] {
        [
            .init("status", "ok"), .init("protocol_version", .string(Message.version)),
            .init("implementation", "sami"), .init("implementation_version", .string(version)),
            .init(
                "language_info",
                [
                    "name": "sami", "version": .string(version), "mimetype": "text/x-sami",
                    "file_extension": ".sami",
                    // Comments, texts and numbers look as in Python.
                    "pygments_lexer": "python", "codemirror_mode": "python",
                ]),
            .init("banner", .string(banner)),
            .init("help_links", []), .init("debugger", false), .init("supported_features", []),
        ]
    }
}
