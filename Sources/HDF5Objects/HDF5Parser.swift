import Foundation
import NumberTypes

/// Walks an HDF5 file's groups from the root. `HDF5Reader` describes the accepted structures and
/// the reasons.
struct HDF5Parser {
    private let file: UntrustedFile
    private(set) var groups: [HDF5Reader.Group] = []
    private(set) var datasets: [HDF5Reader.Dataset] = []
    /// Places that were already read: a file is a tree, so no place may be reached twice.
    private var visited: Set<Int> = []
    private var dataBytes = 0

    static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let undefined = UInt64.max
    private static let maximumHeader = 1 << 20
    private static let maximumAttribute = 1 << 16

    init(file: UntrustedFile) { self.file = file }

    mutating func parse() throws {
        try header(at: try rootHeader(), path: "", depth: 0)
    }

    /// Reads the superblock.
    ///
    /// - Returns: the place of the root group's header.
    private func rootHeader() throws -> Int {
        var superblock = try cursor(at: 0, count: 96)
        guard try superblock.bytes(8) == Self.signature else { throw ObjectFault.notHDF5 }
        // Versions of superblock, free space, root entry; reserved; shared headers; sizes of
        // offsets, lengths.
        guard try superblock.bytes(8) == [0, 0, 0, 0, 0, 8, 8, 0] else {
            throw ObjectFault.structure("a superblock of another version")
        }
        try superblock.skip(8)
        guard try superblock.uint64() == 0 else { throw ObjectFault.structure("the base address") }
        try superblock.skip(8)
        let end = try superblock.place()
        guard end == file.size else {
            throw ObjectFault.file(.tooShort(expected: end, found: file.size))
        }
        try superblock.skip(16)
        return try superblock.place()
    }

    // MARK: Places

    private func cursor(at place: Int, count: Int) throws -> Cursor {
        Cursor(bytes: [UInt8](try file.read(at: place, count: count)))
    }

    private mutating func visit(_ place: Int) throws {
        guard visited.insert(place).inserted else {
            throw ObjectFault.structure("a loop at byte \(place)")
        }
    }

    // MARK: Object headers

    private struct Messages {
        var symbolTable: (tree: Int, heap: Int)?
        var shape: [Int]?
        var type: [UInt8]?
        var layout: (offset: UInt64, size: Int)?
        var attributes: [String: String] = [:]
    }

    private mutating func header(at place: Int, path: String, depth: Int) throws {
        guard depth <= StoredValue.maximumDepth + 4 else { throw ObjectFault.structure("too deep") }
        let messages = try messages(at: place)
        if let table = messages.symbolTable {
            groups.append(.init(path: path, attributes: messages.attributes))
            try tree(at: table.tree, heap: try heap(at: table.heap), path: path, depth: depth)
        } else {
            try dataset(messages, path: path)
        }
    }

    private mutating func messages(at place: Int) throws -> Messages {
        try visit(place)
        var prefix = try cursor(at: place, count: 16)
        guard try prefix.bytes(2) == [1, 0] else {
            throw ObjectFault.structure("an object header of another version at byte \(place)")
        }
        let count = Int(try prefix.uint16())
        try prefix.skip(4)
        let size = Int(try prefix.uint32())
        var messages = Messages()
        var remaining = count
        var blocks = [(place + 16, size)]
        while let (start, length) = blocks.popLast() {
            guard length <= Self.maximumHeader else {
                throw ObjectFault.structure("a header's size")
            }
            var block = try cursor(at: start, count: length)
            while remaining > 0, block.left >= 8 {
                remaining -= 1
                let type = try block.uint16()
                let size = Int(try block.uint16())
                let flags = try block.uint8()
                try block.skip(3)
                var body = Cursor(bytes: try block.bytes(size))
                // A shared message lies at another place in the file; files of this module have
                // none.
                guard flags & 2 == 0 || type == 0 else { throw ObjectFault.structure("sharing") }
                if type == 0x10 {
                    let place = try body.place()
                    try visit(place)
                    blocks.append((place, try body.place()))
                } else {
                    try message(type, &body, into: &messages)
                }
            }
        }
        return messages
    }

    private func message(_ type: UInt16, _ body: inout Cursor, into messages: inout Messages) throws
    {
        switch type {
        case 0x01: messages.shape = try Self.shape(&body)
        case 0x03: messages.type = body.rest()
        case 0x08:
            guard try body.bytes(2) == [3, 1] else { throw ObjectFault.structure("a data layout") }
            messages.layout = (try body.uint64(), try body.place())
        case 0x0C:
            let (key, value) = try Self.attribute(&body)
            messages.attributes[key] = value
        case 0x11: messages.symbolTable = (try body.place(), try body.place())
        // Nil, fill value old and new, comment, modification times old and new.
        case 0x00, 0x04, 0x05, 0x0D, 0x0E, 0x12: break
        default: throw ObjectFault.structure("a header message of type \(type)")
        }
    }

    private static func shape(_ body: inout Cursor) throws -> [Int] {
        guard try body.uint8() == 1 else { throw ObjectFault.structure("a data space") }
        let rank = Int(try body.uint8())
        guard rank <= StoredArray.maximumRank else { throw ObjectFault.structure("a rank") }
        // The only flag says that maximum dimensions follow; in files of this module they repeat
        // the dimensions.
        guard try body.uint8() <= 1 else { throw ObjectFault.structure("a data space") }
        try body.skip(5)
        return try (0..<rank).map { _ in try body.place() }
    }

    /// A text attribute: version 1, name, type and space each padded to eight bytes, then the text.
    private static func attribute(_ body: inout Cursor) throws -> (String, String) {
        guard try body.bytes(2) == [1, 0] else { throw ObjectFault.structure("an attribute") }
        let sizes = try (0..<3).map { _ in Int(try body.uint16()) }
        func padded(_ size: Int) -> Int { (size + 7) & ~7 }
        let name = try body.bytes(padded(sizes[0])).prefix { $0 != 0 }
        let type = try body.bytes(padded(sizes[1]))
        var space = Cursor(bytes: try body.bytes(padded(sizes[2])))
        guard let length = textSize(type), length <= maximumAttribute, try shape(&space).isEmpty
        else { throw ObjectFault.structure("an attribute") }
        let text = try body.bytes(length).prefix { $0 != 0 }
        guard let key = String(validating: name, as: UTF8.self),
            let value = String(validating: text, as: UTF8.self)
        else { throw ObjectFault.structure("an attribute") }
        return (key, value)
    }

    /// The size of a null-padded UTF-8 text type; nil for any other type.
    private static func textSize(_ type: [UInt8]) -> Int? {
        guard type.count >= 8, Array(type[0..<4]) == [0x13, 0x11, 0, 0] else { return nil }
        return type[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func dataset(_ messages: Messages, path: String) throws {
        guard let shape = messages.shape else { throw ObjectFault.shape(path) }
        guard let code = messages.type else { throw ObjectFault.type(path) }
        guard let layout = messages.layout else { throw ObjectFault.structure("\(path)'s layout") }
        let type: DatasetType
        let expected: Int?
        if let size = Self.textSize(code) {
            guard shape.isEmpty else { throw ObjectFault.shape(path) }
            type = .text
            expected = size
        } else if let stored = DType.allCases.first(where: {
            $0.hdf5Type == $0 && code.starts(with: $0.hdf5Encoding)
        }) {
            type = .elements(stored)
            expected = stored.byteCount(of: shape)
        } else {
            throw ObjectFault.type(path)
        }
        guard expected == layout.size else { throw ObjectFault.shape(path) }
        var offset = 0
        if layout.size > 0 {
            guard let place = Int(exactly: layout.offset), place <= file.size,
                layout.size <= file.size - place
            else { throw ObjectFault.file(.tooShort(expected: layout.size, found: file.size)) }
            offset = place
            // Overlapping datasets would let a small file ask for any amount of memory.
            dataBytes += layout.size
            guard dataBytes <= file.size else { throw ObjectFault.structure("overlapping values") }
        }
        datasets.append(
            .init(
                path: path, type: type, shape: shape, offset: offset, byteCount: layout.size,
                attributes: messages.attributes))
    }

    // MARK: Groups

    /// The names of a group's members: the data of its local heap.
    private mutating func heap(at place: Int) throws -> [UInt8] {
        try visit(place)
        var heap = try cursor(at: place, count: 32)
        guard try heap.bytes(8) == Array("HEAP".utf8) + [0, 0, 0, 0] else {
            throw ObjectFault.structure("a name heap at byte \(place)")
        }
        let size = try heap.place()
        try heap.skip(8)
        let data = try heap.place()
        try visit(data)
        return [UInt8](try file.read(at: data, count: size))
    }

    private mutating func tree(at place: Int, heap: [UInt8], path: String, depth: Int) throws {
        var pending = [place]
        while let place = pending.popLast() {
            try visit(place)
            var node = try cursor(at: place, count: 8)
            let signature = try node.bytes(4)
            if signature == Array("SNOD".utf8) {
                guard try node.bytes(2) == [1, 0] else {
                    throw ObjectFault.structure("a group node")
                }
                let count = Int(try node.uint16())
                var entries = try cursor(at: place + 8, count: count * 40)
                for _ in 0..<count {
                    try member(&entries, heap: heap, path: path, depth: depth)
                }
            } else {
                guard signature == Array("TREE".utf8), try node.uint8() == 0 else {
                    throw ObjectFault.structure("a group node at byte \(place)")
                }
                try node.skip(1)
                let count = Int(try node.uint16())
                var entries = try cursor(at: place + 24, count: count * 16 + 8)
                var children: [Int] = []
                for _ in 0..<count {
                    try entries.skip(8)
                    children.append(try entries.place())
                }
                pending.append(contentsOf: children.reversed())
            }
        }
    }

    private mutating func member(
        _ entries: inout Cursor, heap: [UInt8], path: String, depth: Int
    ) throws {
        let nameOffset = try entries.place()
        let place = try entries.uint64()
        let cache = try entries.uint32()
        try entries.skip(20)
        guard nameOffset < heap.count else { throw ObjectFault.structure("a name") }
        let bytes = heap[nameOffset...].prefix { $0 != 0 }
        guard !bytes.isEmpty, !bytes.contains(UInt8(ascii: "/")),
            let name = String(validating: bytes, as: UTF8.self)
        else { throw ObjectFault.structure("a name") }
        let whole = path.isEmpty ? name : path + "/" + name
        // 0: nothing cached; 1: the member is a group; 2: a soft link.
        guard cache <= 1, place != Self.undefined, let place = Int(exactly: place) else {
            throw ObjectFault.link(whole)
        }
        try header(at: place, path: whole, depth: depth + 1)
    }
}

/// Reads little-endian numbers from bytes, never past the end.
private struct Cursor {
    private let bytes: [UInt8]
    private var next = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var left: Int { bytes.count - next }

    mutating func skip(_ count: Int) throws { _ = try self.bytes(count) }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        guard count >= 0, count <= left else { throw ObjectFault.structure("a record cut short") }
        defer { next += count }
        return Array(bytes[next..<next + count])
    }

    mutating func rest() -> [UInt8] {
        defer { next = bytes.count }
        return Array(bytes[next...])
    }

    private mutating func integer(_ count: Int) throws -> UInt64 {
        try bytes(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func uint8() throws -> UInt8 { UInt8(try integer(1)) }
    mutating func uint16() throws -> UInt16 { UInt16(try integer(2)) }
    mutating func uint32() throws -> UInt32 { UInt32(try integer(4)) }
    mutating func uint64() throws -> UInt64 { try integer(8) }

    /// An offset or a size. Files of this module never need more than 62 bits for it.
    mutating func place() throws -> Int {
        let value = try uint64()
        guard value < 1 << 62 else { throw ObjectFault.structure("an address") }
        return Int(value)
    }
}
