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
public final class FileWriter {
    private let path: String
    private let temporary: String
    private let durability: Durability
    private var descriptor: Int32

    public init(_ path: String, _ durability: Durability = .durable) throws(FileError) {
        self.path = path
        self.durability = durability
        temporary = FileSystem.temporary(for: path)
        descriptor = try FileSystem.create(temporary)
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
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

    /// Gives the file its name. If that fails, the temporary file is removed.
    public func finish() throws(FileError) {
        if durability == .durable, fsync(descriptor) != 0 { throw .last(.write, path) }
        let isClosed = close(descriptor) == 0
        descriptor = -1
        do throws(FileError) {
            guard isClosed else { throw .last(.write, path) }
            try FileSystem.move(temporary, to: path, durability)
        } catch {
            unlink(temporary)
            throw error
        }
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
    /// Replaces a file by one that `body` writes under a temporary name, for writers that need a
    /// path. If anything fails, the temporary file is removed.
    ///
    /// - Parameter synchronizesFolder: false if the caller writes several files and then
    ///   synchronizes their folder once.
    public static func replace(
        _ path: String, _ durability: Durability = .durable, temporary: String? = nil,
        synchronizesFolder: Bool = true, body: (String) throws -> Void
    ) throws {
        let temporary = temporary ?? self.temporary(for: path)
        do {
            try body(temporary)
            if durability == .durable { try synchronize(temporary) }
            try move(temporary, to: path, durability, synchronizesFolder: synchronizesFolder)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Gives a complete file its name.
    static func move(
        _ temporary: String, to path: String, _ durability: Durability,
        synchronizesFolder: Bool = true
    ) throws(FileError) {
        guard rename(temporary, path) == 0 else { throw .last(.write, path) }
        if durability == .durable, synchronizesFolder { try synchronize(folder(of: path)) }
    }

    /// A name beside `path` that no other process uses; `.new-` marks the files that a crash
    /// leaves.
    static func temporary(for path: String) -> String { path + ".new-\(getpid())" }
}
