import NumberTypes

/// One array in NumPy's format, `.npy` (numpy.lib.format, versions 1 to 3): a magic number, the
/// length of the header, a header that is a Python literal, the values.
///
/// The file may come from a stranger: every length is checked against the file's size before it is
/// used, and a file of Python objects, whose reading would run code, is refused.
public struct NumPyFile: Sendable {
    public let type: DType
    public let shape: [Int]
    /// Whether the first axis varies fastest.
    public let isColumnMajor: Bool
    /// The place of the values in the file.
    public let values: Range<Int>

    /// The reason why a file is refused.
    public enum Fault: Error, Equatable, Sendable {
        case notNumPy
        case version(Int)
        case tooShort(needed: Int, found: Int)
        case header
        case objects
        case structured
        case elements(String)
        case byteOrder
        case shape([Int])
        case size(shape: [Int], needed: Int, found: Int)
    }

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// NumPy's own limit for a header that comes from a stranger.
    private static let longestHeader = 10_000
    private static let highestRank = 32

    public init(_ file: UnsafeRawBufferPointer) throws(Fault) {
        guard file.count >= 10, file.prefix(6).elementsEqual(Self.magic) else {
            throw .notNumPy
        }
        let version = Int(file[6])
        guard (1...3).contains(version) else { throw .version(version) }
        let width = version == 1 ? 2 : 4
        let start = 8 + width
        guard file.count >= start else { throw .tooShort(needed: start, found: file.count) }
        var length = 0
        for byte in file[8..<start].reversed() { length = length << 8 | Int(byte) }
        guard length <= Self.longestHeader else { throw .header }
        let end = start + length
        guard file.count >= end else { throw .tooShort(needed: end, found: file.count) }
        var header = NumPyHeader(Array(file[start..<end]))
        let (description, isColumnMajor, shape) = try header.parse()
        guard shape.count <= Self.highestRank else { throw .shape(shape) }
        type = try Self.type(description)
        self.shape = shape
        self.isColumnMajor = isColumnMajor
        guard let needed = type.byteCount(of: shape) else { throw .shape(shape) }
        guard file.count - end == needed else {
            throw .size(shape: shape, needed: needed, found: file.count - end)
        }
        values = end..<file.count
    }

    /// `<f4`: byte order, kind of number, bytes.
    private static func type(_ description: String) throws(Fault) -> DType {
        let types: [String: DType] = [
            "f2": .float16, "f4": .float32, "f8": .float64, "i1": .int8, "i2": .int16,
            "i4": .int32, "i8": .int64, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64,
            "b1": .bool,
        ]
        let name = String(description.drop { "<>|=".contains($0) })
        if name.hasPrefix("O") { throw .objects }
        guard let type = types[name] else { throw .elements(description) }
        guard description.first != ">" || type.size == 1 else { throw .byteOrder }
        return type
    }

    /// The bytes before the values, version 1.0: padded so that the values begin at a multiple of
    /// 64.
    public static func header(ofFloat32 shape: [Int]) -> [UInt8] {
        let sides =
            "(" + shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? ",)" : ")")
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(sides), }"
        let length = header.utf8.count
        header += String(repeating: " ", count: (64 - (10 + length + 1) % 64) % 64) + "\n"
        let count = header.utf8.count
        return magic + [1, 0, UInt8(count & 0xFF), UInt8(count >> 8)] + Array(header.utf8)
    }
}

extension NumPyFile.Fault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notNumPy: "it does not begin like a file of numpy.save"
        case .version(let version): "its format has version \(version), and 1 to 3 are known"
        case .tooShort(let needed, let found): "it is cut off (\(found) of \(needed) bytes)"
        case .header: "its header is not a description of an array"
        case .objects: "it holds Python objects, and reading them would run code; save numbers"
        case .structured: "it holds records with named fields; save one field at a time"
        case .elements(let type): "its elements have type \(type), and only real numbers are read"
        case .byteOrder:
            "its numbers are big-endian; save a.astype(a.dtype.newbyteorder(\"<\")) instead"
        case .shape(let shape): "its shape \(shape) is impossible"
        case .size(let shape, let needed, let found):
            "shape \(shape) takes \(needed) bytes of values, and it has \(found)"
        }
    }
}
