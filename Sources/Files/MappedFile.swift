import Foundation
import Glibc

/// The bytes of a file, memory-mapped: the system reads a page at its first use. The mapping is
/// read-only.
///
/// If another program shortens the file while it is mapped, its last pages disappear, and using one
/// ends the process. Replacing the file, as this program and transformers do, does no harm.
public final class MappedFile: @unchecked Sendable {
    // Sendable, because nothing writes to the mapping.

    public let base: UnsafeRawPointer
    public let count: Int
    private let isMapped: Bool

    /// Throws `FileError`; `.empty` for an empty file.
    public convenience init(_ path: String) throws(FileError) {
        try self.init(RegularFile(path))
    }

    public init(_ file: RegularFile) throws(FileError) {
        guard file.size > 0 else { throw FileError(.read, file.path, .empty) }
        let address = mmap(nil, file.size, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
        guard let address, address != MAP_FAILED else { throw .last(.read, file.path) }
        base = UnsafeRawPointer(address)
        count = file.size
        isMapped = true
    }

    /// A copy of bytes in memory, aligned like a mapped file.
    public init(copying data: Data) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, data.count), alignment: 64)
        data.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: memory, count: data.count).copyMemory(from: $0)
        }
        base = UnsafeRawPointer(memory)
        count = data.count
        isMapped = false
    }

    deinit {
        if isMapped {
            munmap(UnsafeMutableRawPointer(mutating: base), count)
        } else {
            base.deallocate()
        }
    }

    /// The bytes of a range inside the file.
    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }
}
