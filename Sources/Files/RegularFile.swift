import Foundation
import Glibc

/// A regular file, open for reading.
///
/// Devices and pipes are refused: reading them could block or never end.
public final class RegularFile: Sendable {
    public let path: String
    /// The size in bytes when the file was opened.
    public let size: Int
    let descriptor: Int32

    /// - Parameter followsLinks: false for files of a folder that may come from a stranger, in
    ///   which a link could lead anywhere.
    /// - Throws: `FileError`.
    public init(_ path: String, followsLinks: Bool = true) throws(FileError) {
        self.path = path
        let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | (followsLinks ? 0 : O_NOFOLLOW)
        descriptor = open(path, flags)
        guard descriptor >= 0 else { throw .last(.read, path) }
        var status = stat()
        let isKnown = fstat(descriptor, &status) == 0
        size = Int(status.st_size)
        guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            close(descriptor)
            throw FileError(.read, path, isFolder ? .isFolder : .notRegular)
        }
    }

    deinit { close(descriptor) }

    /// Fills `buffer` with the bytes from `place` on.
    public func read(at place: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) {
        guard place >= 0, place <= size, buffer.count <= size - place else {
            throw FileError(.read, path, .tooShort(expected: place &+ buffer.count, found: size))
        }
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let got = pread(descriptor, base + done, buffer.count - done, off_t(place + done))
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .last(.read, path) }
            guard got > 0 else {
                throw FileError(.read, path, .tooShort(expected: buffer.count, found: done))
            }
            done += got
        }
    }

    /// Exactly `count` bytes from `place` on. The range is checked against the size of the file
    /// before memory is allocated.
    public func read(at place: Int, count: Int) throws(FileError) -> Data {
        guard place >= 0, count >= 0, place <= size, count <= size - place else {
            throw FileError(.read, path, .tooShort(expected: place &+ count, found: size))
        }
        var bytes = Data(count: count)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(FileError) in try read(at: place, into: buffer) }
        }
        try result.get()
        return bytes
    }

    public func readAll() throws(FileError) -> Data { try read(at: 0, count: size) }

    /// The whole content.
    public func contents() throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(FileError) in try read(at: 0, into: buffer) }
        }
        try result.get()
        return bytes
    }
}
