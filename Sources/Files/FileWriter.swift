import Foundation
import Glibc

/// When written bytes are safe against a power cut.
public enum Durability: Sendable {
    /// The bytes are on the disk before the file has its name, and the name is on the disk before
    /// the call returns. After a power cut the file is the old one or the new one.
    case durable
    /// Without fsync: for files that can be made again from others.
    case derived
}

/// Writes a file completely or not at all: under a temporary name in the same folder, then renamed.
///
/// ```swift
/// let writer = try FileWriter("model.safetensors")
/// try writer.write(header)
/// try writer.finish()          // without this nothing is left of it
/// ```
///
/// Files that belong together are completed one by one, and get their names when all are complete.
public final class FileWriter {
    /// The name in its folder, a link's or the file's.
    public let name: String
    private let path: String
    private let temporary: String
    private let durability: Durability
    /// -1 once the file is complete.
    private var descriptor: Int32
    /// Until the temporary file is renamed or removed.
    private var hasTemporary = true

    public init(_ path: String, _ durability: Durability = .durable) throws(FileError) {
        name = (path as NSString).lastPathComponent
        // A link stays, and the file that it leads to is replaced.
        self.path = FileSystem.target(of: path) ?? path
        self.durability = durability
        temporary = FileSystem.temporary(for: self.path)
        descriptor = try FileSystem.create(temporary)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if hasTemporary { unlink(temporary) }
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try FileSystem.write(bytes, to: descriptor, path: path)
    }

    public func write(_ data: Data) throws(FileError) {
        let result = data.withUnsafeBytes { bytes in
            Result { () throws(FileError) in try write(bytes) }
        }
        try result.get()
    }

    /// Hands the bytes so far to the disk, so that `finish` has little left to wait for.
    public func synchronize() throws(FileError) {
        if durability == .durable, fdatasync(descriptor) != 0 { throw .last(.write, path) }
    }

    /// Ends the writing: the bytes are safe, and the file has no name yet.
    public func complete() throws(FileError) {
        if durability == .durable, fsync(descriptor) != 0 { throw .last(.write, path) }
        let isClosed = close(descriptor) == 0
        descriptor = -1
        guard isClosed else { throw .last(.write, path) }
    }

    /// Completes the file, if it is not, and gives it its name. If that fails, the temporary file
    /// is removed.
    public func finish() throws(FileError) {
        do throws(FileError) {
            if descriptor >= 0 { try complete() }
            try takeName()
            if durability == .durable {
                try FileSystem.synchronize(FileSystem.folder(of: path))
            }
        } catch {
            if hasTemporary { unlink(temporary) }
            hasTemporary = false
            throw error
        }
    }

    private func takeName() throws(FileError) {
        try FileSystem.move(temporary, to: path)
        hasTemporary = false
    }

    /// Names complete files that belong together, the last one last. Before that it sets the
    /// earlier files `keys` aside, without which nobody takes the others for a whole, and removes
    /// them afterwards. So nobody ever finds some of the earlier files beside some of the new ones.
    public static func finish(
        _ writers: [FileWriter], insteadOf keys: [String]
    ) throws(FileError) {
        for writer in writers {
            try FileSystem.takePermissions(of: writer.path, writer.temporary)
        }
        var aside: [(path: String, old: String)] = []
        do throws(FileError) {
            for key in keys {
                let path = writers.first { $0.path == FileSystem.target(of: key) }?.path ?? key
                // Removing a large file takes a while, and renaming does not.
                let old = "\(path).old-\(getpid())"
                if rename(path, old) == 0 {
                    aside.append((path, old))
                } else if errno != ENOENT {
                    throw .last(.write, path)
                }
            }
            for writer in writers { try writer.takeName() }
        } catch {
            // As long as no new file has its name, the earlier ones are a whole.
            if writers.allSatisfy(\.hasTemporary) {
                for file in aside { rename(file.old, file.path) }
            }
            throw error
        }
        for folder in Set(writers.map { FileSystem.folder(of: $0.path) }) {
            try FileSystem.synchronize(folder)
        }
        for file in aside { unlink(file.old) }
    }

    /// The whole content at once.
    public static func write(
        _ data: Data, to path: String, _ durability: Durability = .durable
    ) throws(FileError) {
        let writer = try FileWriter(path, durability)
        try writer.write(data)
        try writer.finish()
    }
}

extension FileSystem {
    /// A new content for a file. `body` writes it under the temporary name that it is given, for
    /// writers that need a path.
    public struct Replacement {
        public let path: String
        let temporary: String
        let body: (String) throws -> Void

        public init(
            _ path: String, temporary: String? = nil, body: @escaping (String) throws -> Void
        ) {
            self.path = path
            self.temporary = temporary ?? FileSystem.temporary(for: path)
            self.body = body
        }
    }

    /// Replaces files, in order. All files are written before the first fsync, and every folder is
    /// synchronized once. If anything fails, the temporary files are removed. A file that already
    /// has its final name keeps it.
    ///
    /// - Parameter before: called with the place of a file before it is written, and again before
    ///   it is synchronized. Its error ends the work.
    public static func replace(
        _ files: [Replacement], _ durability: Durability,
        before: (Int) throws -> Void = { _ in }
    ) throws {
        do {
            for (place, file) in files.enumerated() {
                try before(place)
                try file.body(file.temporary)
            }
            if durability == .durable {
                for (place, file) in files.enumerated() {
                    try before(place)
                    try synchronize(file.temporary)
                }
            }
            for file in files { try move(file.temporary, to: file.path) }
            if durability == .durable {
                for folder in Set(files.map { folder(of: $0.path) }) { try synchronize(folder) }
            }
        } catch {
            for file in files { unlink(file.temporary) }
            throw error
        }
    }

    /// Replaces one file.
    public static func replace(
        _ path: String, _ durability: Durability = .durable, body: (String) throws -> Void
    ) throws {
        try withoutActuallyEscaping(body) { body in
            try replace([Replacement(path, body: body)], durability)
        }
    }

    /// Gives a complete file its name, and the permissions of the file that it replaces. A pipe or
    /// a device is not replaced: others use it.
    static func move(_ temporary: String, to path: String) throws(FileError) {
        try takePermissions(of: path, temporary)
        guard rename(temporary, path) == 0 else { throw .last(.write, path) }
    }

    /// Gives `temporary` the permissions of the file that it is to replace, if there is one.
    /// - Throws: if a folder, a pipe or a device has the name.
    static func takePermissions(of path: String, _ temporary: String) throws(FileError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG: chmod(temporary, status.st_mode & 0o777)
        case S_IFDIR: throw FileError(.write, path, .isFolder)
        default: throw FileError(.write, path, .notRegular)
        }
    }

    /// The file that a path leads to, through links; nil if there is none.
    static func target(of path: String) -> String? {
        let target = realpath(path, nil)
        defer { free(target) }
        return target.map { String(cString: $0) }
    }

    /// A name beside `path` that no other process uses; `.new-` marks the files that a crash
    /// leaves.
    static func temporary(for path: String) -> String { path + ".new-\(getpid())" }
}
