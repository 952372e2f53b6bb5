import Foundation

/// The bytes of a file, mapped: a page is read when it is first touched, and costs no memory of our
/// own. What lies in it is never written.
///
/// A file that another program shortens while it is mapped takes its pages away; replacing it, as
/// checkpoints are written here and by transformers, does not.
final class FileBytes: @unchecked Sendable {
    // Sendable because nothing ever writes here.

    let base: UnsafeRawPointer
    let count: Int
    private let isMapped: Bool

    /// Maps a file. Throws `ModelError.unreadable`.
    init(path: String) throws {
        func refuse(_ problem: String) -> ModelError { .unreadable(file: path, problem: problem) }
        func systemRefusal() -> ModelError { refuse(String(cString: strerror(errno)).lowercased()) }
        // A pipe would keep us waiting for its other end.
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

    /// A copy of bytes that are in memory.
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
