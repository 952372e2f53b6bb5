import Files
import Foundation
import Glibc

/// A checksum of everything in an HDF5 file but the values, after the last byte that HDF5 reads.
///
/// Values have checksums of their own. Headers, names and the gaps between them have none in this
/// version of the format, so a flipped bit there could stay undetected; this checksum detects it.
/// HDF5 ignores the bytes after its end of file.
package enum StructureSeal {
    private static let start = Array("\nsami structure ".utf8)
    static let byteCount = start.count + 64 + 1
    /// No file of this module has more structure than this.
    private static let maximumStructure = 1 << 28

    /// Appends the checksum to a file that HDF5 has closed, after reading its layout.
    package static func append(to path: String) throws {
        let file = try HDF5Reader(path, isSealed: false)
        let bytes = start + Array(try digest(of: file).utf8) + [0x0A]
        let descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FileError.last(.write, path)
        }
        defer { close(descriptor) }
        try FileSystem.write(bytes, to: descriptor, at: file.size, path: path)
    }

    /// Reads the checksum at the end of an open file and excludes it from further reading.
    static func take(from file: UntrustedFile) throws -> String {
        guard file.size >= byteCount else {
            throw ObjectFault.file(.tooShort(expected: byteCount, found: file.size))
        }
        let bytes = [UInt8](try file.read(at: file.size - byteCount, count: byteCount))
        let digest = String(decoding: bytes.dropFirst(start.count).dropLast(), as: UTF8.self)
        guard bytes.starts(with: start), bytes.last == 0x0A, isDigest(digest) else {
            throw ObjectFault.seal
        }
        file.shorten(by: byteCount)
        return digest
    }

    /// The SHA-256 of all bytes that belong to no dataset, in order.
    static func digest(of file: HDF5Reader) throws -> String {
        var hash = SHA256()
        var place = 0
        var structure = 0
        func cover(to end: Int) throws {
            guard end > place else { return }
            structure += end - place
            guard structure <= maximumStructure else {
                throw ObjectFault.structure("\(readable(structure)) of it")
            }
            hash.update(try file.structureBytes(at: place, count: end - place))
        }
        let values = file.datasets(under: file.root).filter { $0.byteCount > 0 }
        for value in values.sorted(by: { $0.offset < $1.offset }) {
            try cover(to: value.offset)
            place = max(place, value.offset + value.byteCount)
        }
        try cover(to: file.size)
        return hexadecimal(hash.digest)
    }
}
