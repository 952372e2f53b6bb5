import Foundation
import NumberTypes

/// Reads the part of HDF5 that this module writes: groups, contiguous datasets, short text
/// attributes.
///
/// Files may come from strangers and from failing disks, and the C library trusts its input; this
/// reader trusts nothing. It checks offsets, sizes, ranks and types against the file's size before
/// it allocates memory. It visits every header only once, so that cycles end. It refuses links out
/// of the file, and all structures that this module does not write (chunks, filters, soft links,
/// newer header versions).
///
/// Layout: *HDF5 File Format Specification Version 3.0*, superblock version 0, object header
/// version 1.
package struct HDF5Reader {
    package struct Group {
        /// Without a leading slash; empty for the root.
        package let path: String
        package var attributes: [String: String]
    }

    package struct Dataset {
        package let path: String
        package let type: DatasetType
        package let shape: [Int]
        let offset: Int
        package let byteCount: Int
        package var attributes: [String: String]
    }

    package let root: Group
    package let groups: [Group]
    /// The file's size in bytes.
    package var size: Int { file.size }
    private let datasets: [Dataset]
    private let file: UntrustedFile

    /// - Throws: `ObjectFault`, whatever the file holds.
    package init(_ path: String, isSealed: Bool = true) throws {
        file = try UntrustedFile(path)
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
    package func datasets(under group: Group) -> [Dataset] {
        guard !group.path.isEmpty else { return datasets }
        let prefix = Array((group.path + "/").utf8)
        return datasets.filter { $0.path.utf8.starts(with: prefix) }
    }

    func structureBytes(at place: Int, count: Int) throws -> Data {
        try file.read(at: place, count: count)
    }

    /// The bytes of a dataset, whose place in the file was checked when the file was opened.
    package func bytes(of dataset: Dataset) throws -> StoredBytes {
        try file.bytes(at: dataset.offset, count: dataset.byteCount)
    }
}

/// The element type of a dataset, as far as the file alone determines it.
package enum DatasetType: Equatable {
    /// One text element with the size of the dataset.
    case text
    case elements(DType)
}

extension DType {
    /// The type that HDF5 sees. HDF5 1.10 has no bfloat16 and no boolean: their bits are stored as
    /// integers, and the attribute `dtype` names the type.
    var hdf5Type: DType {
        switch self {
        case .bfloat16: .uint16
        case .bool: .uint8
        default: self
        }
    }

    /// HDF5's datatype message of `hdf5Type`, byte for byte: class and version, bit field, size,
    /// properties.
    var hdf5Encoding: [UInt8] {
        func whole(isSigned: Bool) -> [UInt8] {
            let bytes = UInt8(size)
            return [0x10, isSigned ? 0x08 : 0, 0, 0, bytes, 0, 0, 0, 0, 0, 8 * bytes, 0]
        }
        switch self {
        case .float16:
            return [0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]
        case .float32:
            return [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]
        case .float64:
            return [0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0]
        case .int64, .int32, .int16, .int8: return whole(isSigned: true)
        case .uint64, .uint32, .uint16, .uint8, .bfloat16, .bool: return whole(isSigned: false)
        }
    }
}
