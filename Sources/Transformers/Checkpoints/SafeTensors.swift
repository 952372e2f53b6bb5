import Foundation
import Tensors

/// A safetensors file: an 8-byte length, a JSON header of names, types, shapes and offsets, the bytes.
///
/// The file may come from anybody, so the header is believed only after every length, offset and
/// count has been checked against the file's own size.
public struct SafeTensors: Sendable {
    public enum ElementType: String, Sendable {
        case f32 = "F32"
        case f16 = "F16"
        case bf16 = "BF16"
        case f64 = "F64"
        case i64 = "I64"
        case i32 = "I32"
        case u8 = "U8"

        var size: Int {
            switch self {
            case .f64, .i64: 8
            case .f32, .i32: 4
            case .f16, .bf16: 2
            case .u8: 1
            }
        }
    }

    public struct Entry: Sendable {
        public let type: ElementType
        public let shape: [Int]
        let bytes: Range<Int>
    }

    public let file: String
    public let entries: [String: Entry]
    /// The header's `__metadata__`.
    public let metadata: [String: String]
    private let data: Data

    private static let longestHeader = 100 << 20

    /// Maps a file; its pages are read when a tensor is.
    public init(path: String) throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        } catch {
            throw ModelError.unreadable(
                file: path, problem: (error as NSError).localizedDescription)
        }
        try self.init(data: data, file: path)
    }

    public init(data: Data, file: String) throws {
        self.data = data
        self.file = file
        func refuse(_ problem: String) -> ModelError {
            .badTensorFile(file: file, problem: problem)
        }
        guard data.count >= 8 else { throw refuse("it has \(data.count) bytes, fewer than 8") }
        let length = data.prefix(8).enumerated().reduce(UInt64(0)) {
            $0 | UInt64($1.element) << (8 * UInt64($1.offset))
        }
        guard length <= UInt64(min(Self.longestHeader, data.count - 8)) else {
            throw refuse("its header claims \(length) bytes, and the file has \(data.count)")
        }
        let start = data.startIndex + 8
        let header = data[start..<start + Int(length)]
        guard let object = try? JSONSerialization.jsonObject(with: header) as? [String: Any] else {
            throw refuse("its header is not a JSON object")
        }
        let body = data.count - 8 - Int(length)
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for (name, value) in object {
            if name == "__metadata__" {
                metadata = value as? [String: String] ?? [:]
                continue
            }
            guard let fields = value as? [String: Any],
                let typeName = fields["dtype"] as? String,
                let shape = fields["shape"] as? [Int],
                let offsets = fields["data_offsets"] as? [Int], offsets.count == 2
            else { throw refuse("tensor \"\(name)\" is described without type, shape or offsets") }
            guard let type = ElementType(rawValue: typeName) else {
                throw refuse("tensor \"\(name)\" has type \(typeName), which is not read here")
            }
            guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= body else {
                throw refuse("tensor \"\(name)\" lies at \(offsets), outside \(body) bytes of data")
            }
            guard let size = Self.byteCount(shape, type), size == offsets[1] - offsets[0] else {
                throw refuse(
                    "tensor \"\(name)\" of shape \(shape) does not fill \(offsets[1] - offsets[0]) bytes"
                )
            }
            let first = start + Int(length)
            entries[name] = Entry(
                type: type, shape: shape, bytes: first + offsets[0]..<first + offsets[1])
        }
        let ordered = entries.sorted { $0.value.bytes.lowerBound < $1.value.bytes.lowerBound }
        for (one, next) in zip(ordered, ordered.dropFirst())
        where one.value.bytes.upperBound > next.value.bytes.lowerBound {
            throw refuse("tensors \"\(one.key)\" and \"\(next.key)\" overlap")
        }
        self.entries = entries
        self.metadata = metadata
    }

    private static func byteCount(_ shape: [Int], _ type: ElementType) -> Int? {
        var size = type.size
        for side in shape {
            guard side >= 0 else { return nil }
            let (product, overflow) = size.multipliedReportingOverflow(by: side)
            if overflow { return nil }
            size = product
        }
        return size
    }

    /// A tensor as float32, whatever floating type it is stored in; nil when there is none of this name.
    public func tensor(_ name: String) -> Tensor? {
        guard let entry = entries[name] else { return nil }
        var tensor = Tensor(uninitialized: entry.shape)
        data.withUnsafeBytes { bytes in
            let source = UnsafeRawBufferPointer(
                rebasing: bytes[
                    entry.bytes.lowerBound - data.startIndex..<entry.bytes.upperBound
                        - data.startIndex])
            tensor.withUnsafeMutableBufferPointer { target in
                func fill<Bits: FixedWidthInteger>(_: Bits.Type, _ convert: (Bits) -> Float) {
                    for i in target.indices {
                        let bits = source.loadUnaligned(
                            fromByteOffset: i * MemoryLayout<Bits>.size, as: Bits.self)
                        target[i] = convert(Bits(littleEndian: bits))
                    }
                }
                switch entry.type {
                case .f32:
                    UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                case .bf16: fill(UInt16.self) { float(fromBFloat16: $0) }
                case .f16: fill(UInt16.self) { float(fromFloat16: $0) }
                case .f64: fill(UInt64.self) { Float(Double(bitPattern: $0)) }
                case .i64: fill(Int64.self) { Float($0) }
                case .i32: fill(Int32.self) { Float($0) }
                case .u8: fill(UInt8.self) { Float($0) }
                }
            }
        }
        return tensor
    }

    /// The bytes of a float32 file with these tensors in this order.
    public static func encode(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = ["format": "pt"]
    ) -> Data {
        var header: [String: Any] = ["__metadata__": metadata]
        var offset = 0
        for (name, tensor) in tensors {
            let end = offset + tensor.count * MemoryLayout<Float>.stride
            header[name] = [
                "dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end],
            ]
            offset = end
        }
        var json =
            (try? JSONSerialization.data(withJSONObject: header, options: [.sortedKeys]))
            ?? Data("{}".utf8)
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        var data = Data(capacity: 8 + json.count + offset)
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(json)
        for (_, tensor) in tensors {
            tensor.withUnsafeBufferPointer { data.append(Data(buffer: $0)) }
        }
        return data
    }
}
