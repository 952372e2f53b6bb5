import Files
import Foundation
import NumberTypes

/// A GGUF file, the format of llama.cpp: a header with metadata by key and a table of tensors, then
/// the bytes of the tensors (github.com/ggml-org/ggml, docs/gguf.md).
///
/// The file may come from a stranger, so the header is checked in the manner of `SafeTensors`:
/// every length, offset and count against the size of the file, before it is used. The pages of a
/// tensor are read at its first use.
public struct GGUFFile: Sendable {
    /// The name of the file in messages.
    public let file: String
    public let metadata: [String: GGUFValue]
    /// In the order of the table.
    public let tensors: [GGUFTensor]
    private let bytes: MappedFile

    /// The file's memory, which lives as long as the tensors that borrow it.
    public var owner: AnyObject { bytes }

    /// Maps a file and reads its header. Throws `FileError` or `GGUFError`.
    /// - Parameter shown: the name of the file in messages; its path by default.
    public init(path: String, shownAs shown: String? = nil) throws {
        try self.init(MappedFile(path), file: shown ?? path)
    }

    public init(data: Data, file: String) throws {
        try self.init(MappedFile(copying: data), file: file)
    }

    /// Whether the file at a path begins as one of this format does, whatever its name.
    public static func isPresent(at path: String) -> Bool {
        guard let file = try? RegularFile(path), file.size >= 4,
            let start = try? file.read(at: 0, count: 4)
        else { return false }
        return start.elementsEqual(magic)
    }

    /// The first byte of a tensor's data, of as many as its format and shape take.
    public func address(_ tensor: GGUFTensor) -> UnsafeRawPointer {
        bytes.base + tensor.bytes.lowerBound
    }

    public func refusal(_ problem: String) -> GGUFError { GGUFError(file: file, problem: problem) }

    // MARK: - Reading

    private static let magic = Array("GGUF".utf8)
    /// The first bytes of older formats of llama.cpp, in the order of the file.
    private static let olderMagics = ["lmgg", "fmgg", "tjgg", "algg"]
    private static let mostSides = 4
    private static let largestAlignment = 1 << 20

    private init(_ bytes: MappedFile, file: String) throws {
        self.bytes = bytes
        self.file = file
        var reader = GGUFReader(bytes, file: file, at: try Self.checkStart(bytes, file))
        // A tensor takes at least a name's length, a number of sides, a side, a type and an offset.
        let tensorCount = try reader.count("tensors", of: 32, in: "its header")
        // A key takes at least its length, a type and a byte.
        let keyCount = try reader.count("keys", of: 13, in: "its header")
        metadata = try Self.metadata(keyCount, &reader)
        if case .integer(let parts) = metadata["split.count"], parts > 1 {
            throw reader.refusal(
                "it is one part of a model in \(parts) files; join them first, with llama.cpp's "
                    + "llama-gguf-split --merge FIRST_PART.gguf WHOLE.gguf")
        }
        tensors = try Self.tensors(
            tensorCount, try Self.alignment(metadata, reader), bytes.count, &reader)
    }

    /// Checks magic and version; the place after them.
    private static func checkStart(_ bytes: MappedFile, _ file: String) throws -> Int {
        func refuse(_ problem: String) -> GGUFError { GGUFError(file: file, problem: problem) }
        let start = bytes.bytes(0..<min(4, bytes.count))
        if bytes.count >= 4, olderMagics.contains(where: { $0.utf8.elementsEqual(start) }) {
            throw refuse(
                "it is of a format that came before GGUF; convert the original model anew, with "
                    + "llama.cpp's convert_hf_to_gguf.py")
        }
        if LFSPointer.begins(bytes.bytes(0..<bytes.count)) {
            throw refuse(
                "it is a pointer of Git LFS, not the file itself; bring it: git lfs pull")
        }
        guard start.elementsEqual(magic) else {
            throw refuse("it does not begin with the letters GGUF, so it is no GGUF file")
        }
        var reader = GGUFReader(bytes, file: file, at: 4)
        let version = try reader.number(UInt32.self, "its version")
        switch version {
        case 2, 3: return reader.place
        case 1:
            throw refuse(
                "it is of version 1 of GGUF, of August 2023; versions 2 and 3 work: convert the "
                    + "original model anew, with llama.cpp's convert_hf_to_gguf.py")
        case _ where version.byteSwapped < 1 << 16:
            throw refuse(
                "it is big-endian, made for another kind of processor; convert it with Python's "
                    + "gguf: gguf-convert-endian FILE little")
        default: throw refuse("it is of version \(version) of GGUF; versions 2 and 3 work")
        }
    }

    private static func metadata(
        _ count: Int, _ reader: inout GGUFReader
    ) throws -> [String: GGUFValue] {
        var metadata: [String: GGUFValue] = [:]
        for number in 0..<count {
            let key = try reader.text("key \(number) of its metadata")
            guard !key.isEmpty else {
                throw reader.refusal("key \(number) of its metadata is empty")
            }
            let value = try reader.value(of: key.quoted)
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw reader.refusal("its metadata has \(key.quoted) twice")
            }
        }
        return metadata
    }

    private static func alignment(
        _ metadata: [String: GGUFValue], _ reader: GGUFReader
    ) throws -> Int {
        let key = "general.alignment"
        guard let value = metadata[key] else { return 32 }
        guard case .integer(let alignment) = value, alignment > 0,
            alignment & (alignment - 1) == 0, alignment <= largestAlignment
        else { throw reader.refusal("\(key) is no power of two up to \(largestAlignment)") }
        return alignment
    }

    private static func tensors(
        _ count: Int, _ alignment: Int, _ size: Int, _ reader: inout GGUFReader
    ) throws -> [GGUFTensor] {
        var described: [(tensor: GGUFTensor, offset: UInt64)] = []
        var names: Set<String> = []
        described.reserveCapacity(count)
        for number in 0..<count {
            let found = try describedTensor(number, &reader)
            guard names.insert(found.tensor.name).inserted else {
                throw reader.refusal("it has two tensors named \(found.tensor.name.quoted)")
            }
            described.append(found)
        }
        // Places count from the first aligned byte after the table.
        let first = (reader.place + alignment - 1) / alignment * alignment
        var tensors: [GGUFTensor] = []
        for (tensor, offset) in described {
            guard offset % UInt64(alignment) == 0 else {
                throw reader.refusal(
                    "tensor \(tensor.name.quoted) begins at \(offset), not at a multiple of "
                        + "\(alignment)")
            }
            // A type that is not read has no known length.
            let length = tensor.format?.byteCount(of: tensor.shape) ?? 0
            guard first <= size, offset <= UInt64(size - first),
                length <= size - first - Int(offset)
            else {
                throw reader.refusal(
                    "tensor \(tensor.name.quoted) of \(length) bytes at \(offset) lies beyond the "
                        + "end of the file, which has \(size) bytes: the file is incomplete; "
                        + "download or copy it again")
            }
            let start = first + Int(offset)
            tensors.append(
                GGUFTensor(
                    name: tensor.name, shape: tensor.shape, typeName: tensor.typeName,
                    format: tensor.format, bytes: start..<start + length))
        }
        try checkOverlaps(tensors, reader)
        return tensors
    }

    private static func describedTensor(
        _ number: Int, _ reader: inout GGUFReader
    ) throws -> (tensor: GGUFTensor, offset: UInt64) {
        let name = try reader.text("the name of tensor \(number)")
        guard !name.isEmpty else { throw reader.refusal("tensor \(number) has no name") }
        let what = "the description of tensor \(name.quoted)"
        let sides = try reader.number(UInt32.self, what)
        guard (1...UInt32(mostSides)).contains(sides) else {
            throw reader.refusal(
                "tensor \(name.quoted) has \(sides) dimensions; 1 to \(mostSides) are possible")
        }
        var shape: [Int] = []
        for _ in 0..<sides {
            let side = try reader.number(UInt64.self, what)
            guard side >= 1, let side = Int(exactly: side) else {
                throw reader.refusal("tensor \(name.quoted) has a side of \(side)")
            }
            shape.insert(side, at: 0)
        }
        let number = try reader.number(UInt32.self, what)
        guard let type = GGUFNumberType.name(number) else {
            throw reader.refusal(
                "tensor \(name.quoted) is of type \(number), which is unknown here")
        }
        let format = GGUFNumberType.format(type)
        if let format, format.byteCount(of: shape) == nil {
            throw reader.refusal(
                "tensor \(name.quoted) of shape \(shape) cannot be of type \(type): "
                    + (shape.last.map { $0 % format.group != 0 } == true
                        ? "its rows are no multiple of \(format.group)" : "it is too large"))
        }
        let offset = try reader.number(UInt64.self, what)
        return (
            GGUFTensor(name: name, shape: shape, typeName: type, format: format, bytes: 0..<0),
            offset
        )
    }

    private static func checkOverlaps(_ tensors: [GGUFTensor], _ reader: GGUFReader) throws {
        let ordered = tensors.sorted {
            ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
        }
        for (tensor, next) in zip(ordered, ordered.dropFirst())
        where tensor.bytes.upperBound > next.bytes.lowerBound {
            throw reader.refusal(
                "tensors \(tensor.name.quoted) and \(next.name.quoted) overlap")
        }
    }
}

extension String {
    /// In quotation marks, cut if it is long, without control characters.
    fileprivate var quoted: String {
        let shown = unicodeScalars.prefix(80).map { scalar -> Character in
            scalar.value < 32 || scalar.value == 127 ? "\u{FFFD}" : Character(scalar)
        }
        return "\"" + String(shown) + (unicodeScalars.count > 80 ? "…" : "") + "\""
    }
}
