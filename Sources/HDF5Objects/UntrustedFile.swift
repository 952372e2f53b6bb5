import Files
import Foundation

/// A file of a workspace, open for reading. A workspace may come from a stranger: links are not
/// followed, and every range is checked against the file's size. Throws `ObjectFault`.
package final class UntrustedFile {
    /// The bytes that can be read.
    package private(set) var size: Int
    private let file: RegularFile

    package init(_ path: String) throws(ObjectFault) {
        do throws(FileError) {
            file = try RegularFile(path, followsLinks: false)
        } catch {
            throw .file(error.reason)
        }
        size = file.size
    }

    /// Excludes the last bytes from reading.
    func shorten(by count: Int) { size = max(0, size - count) }

    package func read(at place: Int, count: Int) throws(ObjectFault) -> Data {
        guard place >= 0, count >= 0, place <= size, count <= size - place else {
            throw .file(.tooShort(expected: place &+ count, found: size))
        }
        do throws(FileError) {
            return try file.read(at: place, count: count)
        } catch {
            throw .file(error.reason)
        }
    }

    /// From this size on, values are mapped and not copied.
    static let leastMapped = 1 << 16

    private var mapping: MappedFile?

    /// The same bytes, mapped where they are many. The range must have been read or checked before.
    func bytes(at place: Int, count: Int) throws(ObjectFault) -> StoredBytes {
        guard count >= Self.leastMapped, place >= 0, place <= size, count <= size - place else {
            return try read(at: place, count: count).withUnsafeBytes { StoredBytes(copying: $0) }
        }
        do throws(FileError) {
            if mapping == nil { mapping = try MappedFile(file) }
            guard let mapping else { return StoredBytes(copying: .init(start: nil, count: 0)) }
            return StoredBytes(borrowing: mapping.bytes(place..<place + count), of: mapping)
        } catch {
            throw .file(error.reason)
        }
    }

    package func readAll() throws(ObjectFault) -> Data { try read(at: 0, count: size) }
}
