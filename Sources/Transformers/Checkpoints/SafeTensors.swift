import Foundation
import Tensors

/// A safetensors file: an 8-byte length, a JSON header of names, types, shapes and offsets, the
/// bytes (github.com/huggingface/safetensors, format).
///
/// The file may come from anybody, so the header is believed only after every length, offset and
/// count has been checked against the file's own size: tensors lie in it one after the other,
/// without overlaps or gaps.
public struct SafeTensors: Sendable {
    /// The types that the format knows.
    public enum DataType: String, Sendable {
        case f64 = "F64"
        case f32 = "F32"
        case f16 = "F16"
        case bf16 = "BF16"
        case f8e5m2 = "F8_E5M2"
        case f8e4m3 = "F8_E4M3"
        case i64 = "I64"
        case i32 = "I32"
        case i16 = "I16"
        case i8 = "I8"
        case u64 = "U64"
        case u32 = "U32"
        case u16 = "U16"
        case u8 = "U8"
        case bool = "BOOL"

        var size: Int {
            switch self {
            case .f64, .i64, .u64: 8
            case .f32, .i32, .u32: 4
            case .f16, .bf16, .i16, .u16: 2
            case .f8e5m2, .f8e4m3, .i8, .u8, .bool: 1
            }
        }

        /// The stored type of tensors whose bytes are used as they are.
        var weightType: WeightType? {
            switch self {
            case .f32: .float32
            case .bf16: .bfloat16
            case .f16: .float16
            default: nil
            }
        }

        init(_ type: WeightType) {
            switch type {
            case .float32: self = .f32
            case .bfloat16: self = .bf16
            case .float16: self = .f16
            }
        }
    }

    public struct Entry: Sendable {
        public let type: DataType
        public let shape: [Int]
        let bytes: Range<Int>
    }

    public let file: String
    public let entries: [String: Entry]
    /// The header's `__metadata__`.
    public let metadata: [String: String]
    private let bytes: FileBytes

    private static let longestHeader = 100 << 20

    /// Maps a file; its pages are read when a tensor is. Throws `ModelError`.
    public init(path: String) throws {
        if let problem = Pickle.refusal(path) { throw problem }
        try self.init(FileBytes(path: path), file: path)
    }

    public init(data: Data, file: String) throws {
        try self.init(FileBytes(data), file: file)
    }

    private init(_ bytes: FileBytes, file: String) throws {
        self.bytes = bytes
        self.file = file
        func refuse(_ problem: String) -> ModelError {
            .badTensorFile(file: file, problem: problem)
        }
        guard bytes.count >= 8 else { throw refuse("it has \(bytes.count) bytes, fewer than 8") }
        let length = UInt64(littleEndian: bytes.base.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(min(Self.longestHeader, bytes.count - 8)) else {
            throw refuse("its header claims \(length) bytes, and the file has \(bytes.count)")
        }
        let header: JSON
        do throws(JSON.Problem) {
            header = try JSON.read(bytes.bytes(8..<8 + Int(length)), depthLimit: 8)
        } catch {
            throw refuse("its header is not JSON: \(error.what)")
        }
        guard let members = header.members else { throw refuse("its header is not a JSON object") }
        let (first, body) = (8 + Int(length), bytes.count - 8 - Int(length))
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for member in members {
            if member.key == "__metadata__" {
                for pair in member.value.members ?? [] {
                    guard let text = pair.value.text else {
                        throw refuse("its metadata \"\(pair.key)\" is not a text")
                    }
                    metadata[pair.key] = text
                }
                continue
            }
            let entry = try Self.entry(member, body: body, first: first, refuse)
            entries[member.key] = entry
        }
        var end = first
        var last = "the header"
        for (name, entry) in entries.sorted(by: Self.areInOrder) {
            guard entry.bytes.lowerBound >= end else {
                throw refuse("tensors \"\(last)\" and \"\(name)\" overlap")
            }
            guard entry.bytes.lowerBound == end else {
                throw refuse(
                    "\(entry.bytes.lowerBound - end) bytes before tensor \"\(name)\" are no tensor's"
                )
            }
            (end, last) = (entry.bytes.upperBound, name)
        }
        guard end == bytes.count else {
            throw refuse("its last \(bytes.count - end) bytes are no tensor's")
        }
        self.entries = entries
        self.metadata = metadata
    }

    private static func entry(
        _ member: JSON.Member, body: Int, first: Int, _ refuse: (String) -> ModelError
    ) throws -> Entry {
        let name = member.key
        guard let typeName = member.value["dtype"]?.text,
            let sides = member.value["shape"]?.items,
            let offsets = member.value["data_offsets"]?.items
        else { throw refuse("tensor \"\(name)\" is described without type, shape or offsets") }
        guard let type = DataType(rawValue: typeName) else {
            throw refuse("tensor \"\(name)\" has type \(typeName), which is not read here")
        }
        let shape = sides.compactMap(\.integer)
        let places = offsets.compactMap(\.integer)
        guard shape.count == sides.count, shape.count <= 16, shape.allSatisfy({ $0 >= 0 }) else {
            throw refuse("tensor \"\(name)\" has a shape that is none")
        }
        guard places.count == 2, offsets.count == 2, places[0] >= 0, places[0] <= places[1],
            places[1] <= body
        else {
            throw refuse("tensor \"\(name)\" lies at \(places), outside \(body) bytes of data")
        }
        let size = shape.reduce(type.size) { $0.multiplied($1) }
        guard size == places[1] - places[0] else {
            throw refuse(
                "tensor \"\(name)\" of shape \(shape) does not fill \(places[1] - places[0]) bytes")
        }
        return Entry(type: type, shape: shape, bytes: first + places[0]..<first + places[1])
    }

    /// By place; an empty tensor before the one that begins where it lies.
    private static func areInOrder(
        _ a: (key: String, value: Entry), _ b: (key: String, value: Entry)
    ) -> Bool {
        (a.value.bytes.lowerBound, a.value.bytes.upperBound, a.key)
            < (b.value.bytes.lowerBound, b.value.bytes.upperBound, b.key)
    }

    /// A tensor; nil when there is none of this name, or of a type that is not read here.
    ///
    /// F32, F16 and BF16 stay as they are stored, where they lie; other numbers become float32.
    public func tensor(_ name: String) -> Tensor? {
        guard let entry = entries[name] else { return nil }
        let source = bytes.bytes(entry.bytes)
        if let type = entry.type.weightType {
            return Tensor(
                borrowing: bytes.base + entry.bytes.lowerBound, type, shape: entry.shape,
                of: bytes)
        }
        func converted<Bits: FixedWidthInteger>(
            _: Bits.Type, _ convert: (Bits) -> Float
        ) -> Tensor {
            var tensor = Tensor(uninitialized: entry.shape)
            tensor.withUnsafeMutableBufferPointer { target in
                for i in target.indices {
                    let bits = source.loadUnaligned(
                        fromByteOffset: i * MemoryLayout<Bits>.size, as: Bits.self)
                    target[i] = convert(Bits(littleEndian: bits))
                }
            }
            return tensor
        }
        return switch entry.type {
        case .f64: converted(UInt64.self) { Float(Double(bitPattern: $0)) }
        case .i64: converted(Int64.self) { Float($0) }
        case .i32: converted(Int32.self) { Float($0) }
        case .i16: converted(Int16.self) { Float($0) }
        case .i8: converted(Int8.self) { Float($0) }
        case .u64: converted(UInt64.self) { Float($0) }
        case .u32: converted(UInt32.self) { Float($0) }
        case .u16: converted(UInt16.self) { Float($0) }
        case .u8, .bool: converted(UInt8.self) { Float($0) }
        case .f32, .f16, .bf16, .f8e5m2, .f8e4m3: nil
        }
    }
}

/// Pickles run what their author wrote into them as they are opened.
enum Pickle {
    static func refusal(_ path: String) -> ModelError? {
        let file = (path as NSString).lastPathComponent.lowercased()
        let endings = [".bin", ".pt", ".pth", ".pkl", ".ckpt"]
        return endings.contains { file.hasSuffix($0) } ? .pickle(file: path) : nil
    }
}
