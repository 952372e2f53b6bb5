import Files
import JSON

/// The addresses and the key of one kernel, as its client wrote them into a file.
///
/// Source: "Connection files" in the documentation of jupyter_client 8.
public struct ConnectionFile: Sendable {
    /// The five sockets of a kernel, by the names of their members in the file.
    public enum Channel: String, CaseIterable, Sendable {
        case shell, control, stdin, iopub
        case heartbeat = "hb"
    }

    public var transport: String
    public var ip: String
    public var ports: [Channel: Int]
    /// The key of signatures; empty for none.
    public var key: String

    private static let limits = JSON.Limits(depth: 8, bytes: 1 << 20)

    /// - Throws: `KernelError` if the file cannot be read, or is no connection file.
    public init(_ path: String) throws(KernelError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try RegularFile(path).contents()
        } catch {
            throw KernelError(
                "\(path): \(error.reason); a client of Jupyter writes this file and starts the "
                    + "kernel with it")
        }
        try self.init(bytes, path: path)
    }

    init(_ bytes: [UInt8], path: String) throws(KernelError) {
        let json: JSON
        do throws(JSON.Problem) {
            json = try JSON.read(bytes, limits: ConnectionFile.limits)
        } catch {
            throw KernelError("\(path): not a connection file of Jupyter: \(error)")
        }
        func refusal(_ reason: String) -> KernelError {
            KernelError("\(path): not a connection file of Jupyter: \(reason)")
        }
        func text(_ name: String, or absent: String) throws(KernelError) -> String {
            guard let value = json[name] else { return absent }
            guard let text = value.string else { throw refusal("`\(name)` is not a text") }
            return text
        }
        guard json.members != nil else { throw refusal("it is not an object") }
        transport = try text("transport", or: "tcp")
        guard transport == "tcp" || transport == "ipc" else {
            throw refusal("transport \(JSON.quoted(transport)) is neither tcp nor ipc")
        }
        let scheme = try text("signature_scheme", or: "hmac-sha256")
        guard scheme == "hmac-sha256" || scheme.isEmpty else {
            throw refusal("signatures by \(JSON.quoted(scheme)) are not known, hmac-sha256 is")
        }
        ip = try text("ip", or: "127.0.0.1")
        key = try text("key", or: "")
        ports = [:]
        for channel in Channel.allCases {
            let name = channel.rawValue + "_port"
            guard let value = json[name] else { throw refusal("`\(name)` is missing") }
            guard let port = value.integer, (1...65535).contains(port) else {
                throw refusal("`\(name)` is \(value.compact), and a port is a number up to 65535")
            }
            ports[channel] = port
        }
    }

    /// The address of a socket, in the form of ZeroMQ.
    func address(of channel: Channel) -> String {
        // Every channel has a port: reading the file saw to it.
        let port = ports[channel] ?? 0
        return transport == "ipc" ? "ipc://\(ip)-\(port)" : "tcp://\(ip):\(port)"
    }
}
