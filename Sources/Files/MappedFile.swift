import Foundation
import Glibc

/// The bytes of a file, mapped: a page is read when it is first touched, and costs no memory of our
/// own. They are never written.
///
/// A file that another program shortens while it is mapped takes its pages away, and touching one
/// ends the process. Replacing the file, as this program and transformers do, is harmless.
public final class MappedFile: @unchecked Sendable {
    // Sendable because nothing ever writes here.

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

    /// A copy of bytes that are in memory already, aligned as a mapped file is.
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

    /// The bytes of a range that lies within the file.
    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }
}
