import Foundation

/// Reads the part of HDF5 that this module writes: groups, contiguous datasets, short text
/// attributes.
///
/// Files come from strangers and from failing disks, and the C library trusts what it reads; this
/// reader trusts nothing. Offsets, sizes, ranks and types are checked against the file's size
/// before anything is allocated, every header is visited once (so cycles end), and links out of the
/// file are refused. Whatever else HDF5 can express (chunks, filters, soft links, newer header
/// versions) is refused as unknown.
///
/// Layout: *HDF5 File Format Specification Version 3.0*, superblock version 0, object header
/// version 1.
struct HDF5Reader {
    struct Group {
        /// Without a leading slash; empty for the root.
        let path: String
        var attributes: [String: String]
    }

    struct Dataset {
        let path: String
        let type: DatasetType
        let shape: [Int]
        let offset: Int
        let byteCount: Int
        var attributes: [String: String]
    }

    let root: Group
    let groups: [Group]
    /// The file's size in bytes.
    var size: Int { file.size }
    private let datasets: [Dataset]
    private let file: RegularFile

    /// - Throws: `ObjectFault`, whatever the file holds.
    init(_ path: String, isSealed: Bool = true) throws {
        file = try RegularFile(path)
        if try file.size < 8 || file.read(at: 0, count: 8) != Data(HDF5Parser.signature) {
            throw ObjectFault.notHDF5
        }
        let seal = isSealed ? try StructureSeal.take(from: file) : nil
        var parser = HDF5Parser(file: file)
        try parser.parse()
        guard let root = parser.groups.first, root.path.isEmpty else {
            throw ObjectFault.structure("the root group")
        }
        self.root = root
        groups = parser.groups
        datasets = parser.datasets
        if let seal, try StructureSeal.digest(of: self) != seal { throw ObjectFault.seal }
    }

    /// The datasets of a group and of the groups in it.
    func datasets(under group: Group) -> [Dataset] {
        guard !group.path.isEmpty else { return datasets }
        let prefix = Array((group.path + "/").utf8)
        return datasets.filter { $0.path.utf8.starts(with: prefix) }
    }

    func structureBytes(at place: Int, count: Int) throws -> Data {
        try file.read(at: place, count: count)
    }

    /// The bytes of a dataset, whose place in the file was checked when the file was opened.
    func bytes(of dataset: Dataset) throws -> Data {
        try file.read(at: dataset.offset, count: dataset.byteCount)
    }
}

/// What a dataset's elements are, as far as the file alone tells.
enum DatasetType: Equatable {
    /// One text element of the dataset's size.
    case text
    case elements(Stored)

    enum Stored: CaseIterable {
        case float16, float32, float64, int32, int64, uint8, uint16

        /// Nil for `uint16`, which is only ever the bits of something else.
        var elementType: ElementType? {
            switch self {
            case .float16: .float16
            case .float32: .float32
            case .float64: .float64
            case .int32: .int32
            case .int64: .int64
            case .uint8: .uint8
            case .uint16: nil
            }
        }

        var size: Int { elementType?.size ?? 2 }

        /// The datatype message, byte for byte: class and version, bit field, size, properties.
        var encoding: [UInt8] {
            switch self {
            case .float16: [0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]
            case .float32: [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]
            case .float64:
                [0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]
            case .int32: [0x10, 0x08, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0]
            case .int64: [0x10, 0x08, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0]
            case .uint8: [0x10, 0x00, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]
            case .uint16: [0x10, 0x00, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0]
            }
        }
    }
}
