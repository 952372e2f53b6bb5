import Foundation

/// The bytes of a file, memory-mapped: the system reads a page at its first use. The mapping is
/// read-only.
///
/// If another program shortens the file while it is mapped, its last pages disappear. Replacing the
/// file, as `sami` and transformers do when they write checkpoints, does no harm.
final class FileBytes: @unchecked Sendable {
    // Sendable, because nothing writes to the mapping.

    let base: UnsafeRawPointer
    let count: Int
    private let isMapped: Bool

    /// Maps a file. Throws `ModelError.unreadable`.
    init(path: String) throws {
        func refuse(_ problem: String) -> ModelError { .unreadable(file: path, problem: problem) }
        func systemRefusal() -> ModelError { refuse(String(cString: strerror(errno)).lowercased()) }
        // Without O_NONBLOCK, opening a pipe would wait for its other end.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw systemRefusal() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw systemRefusal() }
        guard status.st_mode & S_IFMT == S_IFREG else { throw refuse("it is not a plain file") }
        count = Int(status.st_size)
        guard count > 0 else { throw refuse("it is empty") }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
            address != MAP_FAILED
        else { throw systemRefusal() }
        base = UnsafeRawPointer(address)
        isMapped = true
    }

    /// A copy of bytes in memory.
    init(_ data: Data) {
        let size = data.count
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, size), alignment: 64)
        data.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: memory, count: size).copyMemory(from: $0)
        }
        count = size
        base = UnsafeRawPointer(memory)
        isMapped = false
    }

    deinit {
        if isMapped {
            munmap(UnsafeMutableRawPointer(mutating: base), count)
        } else {
            base.deallocate()
        }
    }

    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }
}
