import Foundation
import Glibc

/// Calls of the file system, with errors that name the file.
public enum FileSystem {
    // MARK: Writing

    /// Creates a file, or empties an existing one; links are not followed.
    static func create(_ path: String) throws(FileError) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC
        let descriptor = open(path, flags, 0o666)
        guard descriptor >= 0 else { throw .last(.write, path) }
        return descriptor
    }

    /// Writes bytes to a file under a name that only the caller uses.
    public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let descriptor = try create(path)
        defer { close(descriptor) }
        try write(bytes, to: descriptor, at: 0, path: path)
    }

    /// Appends to the bytes that were written to the descriptor so far.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
    ) throws(FileError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            // The system writes at most two gigabytes at a time.
            let wrote = Glibc.write(descriptor, base + done, min(bytes.count - done, 1 << 30))
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { throw .last(.write, path) }
            done += wrote
        }
    }

    /// Writes at a place of an open file. `path` is for the error.
    public static func write(
        _ bytes: [UInt8], to descriptor: Int32, at place: Int, path: String
    ) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done,
                    off_t(place + done))
            }
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { throw .last(.write, path) }
            done += wrote
        }
    }

    /// Waits until a file or a folder is on the disk.
    public static func synchronize(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last(.write, path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last(.write, path) }
    }

    // MARK: Asking

    public enum Kind: Sendable { case file, folder, other, absent }

    /// The kind of file at a path, without following a link.
    public static func kind(of path: String) -> Kind {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .absent }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// Whether two paths lead to one file or folder.
    public static func isSame(_ path: String, _ other: String) -> Bool {
        var (one, two) = (stat(), stat())
        return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev
            && one.st_ino == two.st_ino
    }

    /// Bytes of a file, without following a link; zero if there is none.
    public static func size(of path: String) -> Int {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Bytes that an ordinary user can still write to the file system of `path`.
    public static func freeSpace(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
            by: UInt64(status.f_frsize))
        return overflow ? nil : Int(clamping: bytes)
    }

    // MARK: Folders

    /// The folder that contains `path`, as the path states it.
    public static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The names in a folder without `.` and `..`, sorted; empty if the folder cannot be read.
    public static func names(in folder: String) -> [String] {
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

    /// Makes one folder. Accepts an existing real folder, but not a link to one.
    public static func makeFolder(_ path: String) throws(FileError) {
        if mkdir(path, 0o777) == 0 { return }
        let code = errno
        guard code == EEXIST else { throw FileError(.write, path, .system(code)) }
        guard kind(of: path) == .folder else { throw FileError(.write, path, .system(ENOTDIR)) }
    }

    /// Removes a file, or a folder with everything in it, without following links.
    public static func removeTree(_ path: String) {
        if kind(of: path) == .folder {
            for name in names(in: path) { removeTree(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
