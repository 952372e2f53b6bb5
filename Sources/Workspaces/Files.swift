import Foundation
import Glibc

/// A regular file, open for reading. Links are not followed. Devices and pipes, which could block
/// or never end, are refused. The workspace may come from a stranger.
final class RegularFile {
    private(set) var size: Int
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: throw ObjectFault.absent
            case ELOOP: throw ObjectFault.notAFile
            default: throw ObjectFault.cannotRead(errno: errno)
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            Glibc.close(descriptor)
            throw ObjectFault.notAFile
        }
        size = Int(status.st_size)
    }

    deinit { Glibc.close(descriptor) }

    /// Excludes the last bytes from reading.
    func shorten(by count: Int) { size = max(0, size - count) }

    /// Exactly `count` bytes from `place`. Both are checked against the file's size before memory
    /// is allocated.
    func read(at place: Int, count: Int) throws -> Data {
        guard place >= 0, count >= 0, place <= size, count <= size - place else {
            throw ObjectFault.truncated(expected: place &+ count, found: size)
        }
        var bytes = Data(count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor, buffer.baseAddress.map { $0 + done }, count - done,
                    off_t(place + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw ObjectFault.cannotRead(errno: errno) }
            guard got > 0 else { throw ObjectFault.truncated(expected: count, found: done) }
            done += got
        }
        return bytes
    }

    func readAll() throws -> Data { try read(at: 0, count: size) }
}

/// File system calls with durable results: a written file is complete under its name.
enum Files {
    /// Writes a file under a temporary name in the same folder and renames it over `path`.
    ///
    /// - Parameter durable: whether the bytes are on the disk before the rename, and the rename is
    ///   on the disk before the return. Derived files do not need this: after a power cut they are
    ///   made again.
    static func writeAside(
        _ path: String, durable: Bool, temporary name: String? = nil, body: (String) throws -> Void
    ) throws {
        let temporary = name ?? path + ".new-\(getpid())"
        do {
            try body(temporary)
            if durable { try synchronize(temporary) }
            guard rename(temporary, path) == 0 else {
                throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
            }
            if durable { try synchronize(folder(of: path)) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Waits until a file or a folder is on the disk.
    static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
        }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
        }
    }

    /// Writes bytes to a new file under a name that only the caller uses.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(
            path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
        }
        defer { Glibc.close(descriptor) }
        try write(bytes, to: descriptor, at: 0, path: path)
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, at place: Int, path: String) throws {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done,
                    off_t(place + done))
            }
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else {
                throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: errno))
            }
            done += wrote
        }
    }

    /// Bytes that an ordinary user can still write to the file system of `path`.
    static func freeSpace(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
            by: UInt64(status.f_frsize))
        return overflow ? nil : Int(clamping: bytes)
    }

    /// The names in a folder without `.` and `..`; empty if the folder cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    enum Kind { case file, folder, other, absent }

    /// The kind of file at a path, without following a link.
    static func kind(of path: String) -> Kind {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .absent }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// Makes one folder; does nothing if a real folder is already there.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o777) == 0 { return }
        let code = errno
        guard code == EEXIST else {
            throw WorkspaceError.cannotWrite(file: path, reason: sentence(errno: code))
        }
        guard kind(of: path) == .folder else { throw WorkspaceError.notAFolder(path) }
    }

    /// Removes a folder and its contents, without following links.
    static func removeTree(_ path: String) {
        if kind(of: path) == .folder {
            for name in names(in: path) { removeTree(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
