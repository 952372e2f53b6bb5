import Foundation
import Tensors

extension SafeTensors {
    /// The bytes of a file with these tensors in this order, each in its stored type.
    public static func encode(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = ["format": "pt"]
    ) -> Data {
        var data = header(tensors.map { ($0.name, $0.tensor.type, $0.tensor.shape) }, metadata)
        for (_, tensor) in tensors {
            tensor.withUnsafeBytes { data.append(contentsOf: $0) }
        }
        return data
    }

    /// The same into a file, written aside and then renamed, without a copy of the tensors.
    /// Throws `ModelError.unwritable`.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], to path: String,
        metadata: [String: String] = ["format": "pt"]
    ) throws {
        let writer = try FileWriter(path)
        try writer.write(
            header(tensors.map { ($0.name, $0.tensor.type, $0.tensor.shape) }, metadata))
        for (_, tensor) in tensors { try tensor.withUnsafeBytes { try writer.write($0) } }
        try writer.finish()
    }

    /// Length and header of a file whose tensors follow in this order.
    public static func header(
        _ tensors: [(name: String, type: WeightType, shape: [Int])],
        _ metadata: [String: String] = ["format": "pt"]
    ) -> Data {
        var text = "{\"__metadata__\":{"
        text += metadata.sorted { $0.key < $1.key }
            .map { JSON.quoted($0.key) + ":" + JSON.quoted($0.value) }.joined(separator: ",")
        text += "}"
        var offset = 0
        for (name, type, shape) in tensors {
            let end = offset + shape.reduce(type.size, *)
            let sides = shape.map(String.init).joined(separator: ",")
            text +=
                ",\(JSON.quoted(name)):{\"dtype\":\"\(DataType(type).rawValue)\",\"shape\":[\(sides)],"
                + "\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        text += "}"
        // The bytes then begin at a multiple of eight.
        text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
        var data = Data()
        withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(Data(text.utf8))
        return data
    }
}

/// A file that appears whole or not at all: written beside its place, then renamed.
final class FileWriter {
    private let path: String
    private let aside: String
    private var descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        aside = path + ".\(ProcessInfo.processInfo.processIdentifier).partial"
        descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw failure() }
    }

    deinit { abandon() }

    func write(_ data: Data) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
            // The system takes at most two gigabytes at a time.
            let written = Foundation.write(descriptor, base, min(rest.count, 1 << 30))
            if written < 0 {
                if errno == EINTR { continue }
                throw failure()
            }
            rest = rest.dropFirst(written)
        }
    }

    func finish() throws {
        guard fsync(descriptor) == 0 else { throw failure() }
        let result = close(descriptor)
        descriptor = -1
        guard result == 0, rename(aside, path) == 0 else { throw failure() }
    }

    private func failure() -> ModelError {
        let problem = String(cString: strerror(errno)).lowercased()
        abandon()
        return .unwritable(file: path, problem: problem)
    }

    private func abandon() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(aside)
        descriptor = -1
    }
}
