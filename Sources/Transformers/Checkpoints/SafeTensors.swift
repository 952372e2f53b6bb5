import Files
import Foundation
import JSON
import NumberTypes
import Tensors

/// A safetensors file: an 8-byte length, a JSON header of names, types, shapes and offsets, the
/// bytes (github.com/huggingface/safetensors, format).
///
/// The file may come from a stranger. So the header is used only after every length, offset and
/// count has been checked against the size of the file: the tensors must follow one another without
/// overlaps or gaps.
public struct SafeTensors: Sendable {
    public struct Entry: Sendable {
        /// The type's name in the header.
        public let typeName: String
        /// Nil for a type that the format has and this program does not support.
        public let type: DType?
        public let shape: [Int]
        let bytes: Range<Int>

        /// The number of values.
        public var count: Int { shape.isEmpty ? 1 : bytes.isEmpty ? 0 : shape.reduce(1, *) }
    }

    /// 8-bit floats need scales, which are stored in other tensors.
    private static let unreadSizes = ["F8_E5M2": 1, "F8_E4M3": 1]

    public let file: String
    public let entries: [String: Entry]
    /// The names of the tensors, in the order of their bytes.
    public let names: [String]
    /// The header's `__metadata__`.
    public let metadata: [String: String]
    private let bytes: MappedFile

    private static let longestHeader = 100 << 20

    /// Maps a file. The pages of a tensor are read at its first use. Throws `ModelError`.
    ///
    /// - Parameter shown: the name of the file in messages; its path by default.
    public init(path: String, shownAs shown: String? = nil) throws {
        if let problem = Pickle.refusal(path) { throw problem }
        let bytes: MappedFile
        do throws(FileError) {
            bytes = try MappedFile(path)
        } catch {
            throw ModelError(error)
        }
        try self.init(bytes, file: shown ?? path)
    }

    public init(data: Data, file: String) throws {
        try self.init(MappedFile(copying: data), file: file)
    }

    private init(_ bytes: MappedFile, file: String) throws {
        self.bytes = bytes
        self.file = file
        func refuse(_ problem: String) -> ModelError {
            .badTensorFile(file: file, problem: problem)
        }
        guard bytes.count >= 8 else { throw refuse("it has \(bytes.count) bytes, fewer than 8") }
        if LFSPointer.begins(bytes.bytes(0..<bytes.count)) {
            throw ModelError.unreadable(
                file: file,
                problem: "it is a pointer of Git LFS, not the weights; bring them: git lfs pull")
        }
        let length = UInt64(littleEndian: bytes.base.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(min(Self.longestHeader, bytes.count - 8)) else {
            throw refuse("its header claims \(length) bytes, and the file has \(bytes.count)")
        }
        let header: JSON
        do throws(JSON.Problem) {
            header = try JSON.read(bytes.bytes(8..<8 + Int(length)), limits: .init(depth: 8))
        } catch {
            throw refuse("its header is not JSON: \(error.fault)")
        }
        guard let members = header.members else { throw refuse("its header is not a JSON object") }
        let (first, body) = (8 + Int(length), bytes.count - 8 - Int(length))
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for member in members {
            if member.key == "__metadata__" {
                for pair in member.value.members ?? [] {
                    guard let text = pair.value.string else {
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
        let ordered = entries.sorted(by: Self.areInOrder)
        for (name, entry) in ordered {
            guard entry.bytes.lowerBound >= end else {
                throw refuse("tensors \"\(last)\" and \"\(name)\" overlap")
            }
            guard entry.bytes.lowerBound == end else {
                throw refuse(
                    "\(entry.bytes.lowerBound - end) bytes before tensor \"\(name)\" belong to no tensor"
                )
            }
            (end, last) = (entry.bytes.upperBound, name)
        }
        guard end == bytes.count else {
            throw refuse("its last \(bytes.count - end) bytes belong to no tensor")
        }
        self.entries = entries
        names = ordered.map(\.key)
        self.metadata = metadata
    }

    private static func entry(
        _ member: JSON.Member, body: Int, first: Int, _ refuse: (String) -> ModelError
    ) throws -> Entry {
        let name = member.key
        guard let typeName = member.value["dtype"]?.string,
            let sides = member.value["shape"]?.elements,
            let offsets = member.value["data_offsets"]?.elements
        else { throw refuse("tensor \"\(name)\" is described without type, shape or offsets") }
        let type = DType(safetensors: typeName)
        guard let elementSize = type?.size ?? unreadSizes[typeName] else {
            throw refuse("tensor \"\(name)\" has type \(typeName), which is not supported")
        }
        let shape = sides.compactMap(\.integer)
        let places = offsets.compactMap(\.integer)
        guard shape.count == sides.count, shape.count <= 16, shape.allSatisfy({ $0 >= 0 }) else {
            throw refuse("tensor \"\(name)\" has an invalid shape")
        }
        guard places.count == 2, offsets.count == 2, places[0] >= 0, places[0] <= places[1],
            places[1] <= body
        else {
            throw refuse("tensor \"\(name)\" lies at \(places), outside \(body) bytes of data")
        }
        let size = shape.reduce(elementSize) { $0.multiplied($1) }
        guard size == places[1] - places[0] else {
            throw refuse(
                "tensor \"\(name)\" of shape \(shape) does not fill \(places[1] - places[0]) bytes")
        }
        return Entry(
            typeName: typeName, type: type, shape: shape,
            bytes: first + places[0]..<first + places[1])
    }

    /// Ordered by offset. At equal offsets an empty tensor comes first.
    private static func areInOrder(
        _ a: (key: String, value: Entry), _ b: (key: String, value: Entry)
    ) -> Bool {
        (a.value.bytes.lowerBound, a.value.bytes.upperBound, a.key)
            < (b.value.bytes.lowerBound, b.value.bytes.upperBound, b.key)
    }

    /// A tensor; nil if there is none of this name, or if its type is not supported.
    ///
    /// F32, F16 and BF16 keep their type and stay in the mapped file; other numbers are converted
    /// to float32.
    public func tensor(_ name: String) -> Tensor? {
        guard let entry = entries[name], let type = entry.type else { return nil }
        return Tensor(
            borrowing: bytes.base + entry.bytes.lowerBound, .plain(type), shape: entry.shape,
            of: bytes)
    }
}

extension DType {
    /// The names in the headers of safetensors files.
    private static let safetensorsNames: [(type: DType, name: String)] = [
        (.float64, "F64"), (.float32, "F32"), (.float16, "F16"), (.bfloat16, "BF16"),
        (.int64, "I64"), (.int32, "I32"), (.int16, "I16"), (.int8, "I8"),
        (.uint64, "U64"), (.uint32, "U32"), (.uint16, "U16"), (.uint8, "U8"), (.bool, "BOOL"),
    ]

    init?(safetensors name: String) {
        guard let found = Self.safetensorsNames.first(where: { $0.name == name }) else {
            return nil
        }
        self = found.type
    }

    var safetensorsName: String {
        Self.safetensorsNames.first { $0.type == self }?.name ?? rawValue
    }
}

/// Pickle files. Opening one runs the code that its author put in.
enum Pickle {
    static func refusal(_ path: String) -> ModelError? {
        let file = (path as NSString).lastPathComponent.lowercased()
        let endings = [".bin", ".pt", ".pth", ".pkl", ".ckpt"]
        return endings.contains { file.hasSuffix($0) } ? .pickle(file: path) : nil
    }
}
