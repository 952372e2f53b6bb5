import Files
import Foundation
import JSON
import LongWork
import NumberTypes
import Tensors

extension SafeTensors {
    /// The bytes of a file with these tensors in this order, each in its stored type, bfloat16 for
    /// blocks.
    public static func encode(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = ["format": "pt"]
    ) -> Data {
        var data = header(tensors, metadata)
        for (_, tensor) in tensors {
            tensor.plain.withUnsafeBytes { data.append(contentsOf: $0) }
        }
        return data
    }

    /// The same into a file, without a copy of the tensors. The file is written under a temporary
    /// name and then renamed.
    ///
    /// - Parameter watch: asked before every tensor.
    /// - Throws: `ModelError.unwritable`; `Canceled`, and then the file is as it was.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], to path: String,
        metadata: [String: String] = ["format": "pt"], watch: Watch = { _ in .more }
    ) throws {
        let writer = try complete(tensors, for: path, metadata: metadata, watch: watch)
        do throws(FileError) {
            try writer.finish()
        } catch {
            throw ModelError(error)
        }
    }

    /// The same file, complete, but without its name, which the writer's `finish` gives it.
    static func complete(
        _ tensors: [(name: String, tensor: Tensor)], for path: String,
        metadata: [String: String] = ["format": "pt"], watch: Watch = { _ in .more }
    ) throws -> FileWriter {
        do {
            let writer = try FileWriter(path)
            try writer.write(header(tensors, metadata))
            let sizes = tensors.map { $0.tensor.count * $0.tensor.format.plainType.size }
            let bytes = sizes.reduce(0, +)
            var (written, waiting) = (0, 0)
            for ((_, tensor), size) in zip(tensors, sizes) {
                try Canceled.check(watch, Double(written) / Double(max(1, bytes)))
                try tensor.plain.withUnsafeBytes { try writer.write($0) }
                written += size
                waiting += size
                if waiting > 1 << 26 {
                    try writer.synchronize()
                    waiting = 0
                }
            }
            try writer.complete()
            return writer
        } catch let error as FileError {
            throw ModelError(error)
        }
    }

    private static func header(
        _ tensors: [(name: String, tensor: Tensor)], _ metadata: [String: String]
    ) -> Data {
        header(
            tensors.map { ($0.name, $0.tensor.format.plainType, $0.tensor.shape) }, metadata)
    }

    /// Length and header of a file that contains these tensors in this order.
    public static func header(
        _ tensors: [(name: String, type: DType, shape: [Int])],
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
                ",\(JSON.quoted(name)):{\"dtype\":\"\(type.safetensorsName)\",\"shape\":[\(sides)],"
                + "\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        text += "}"
        // So that the data begin at a multiple of eight.
        text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
        var data = Data()
        withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(Data(text.utf8))
        return data
    }
}
