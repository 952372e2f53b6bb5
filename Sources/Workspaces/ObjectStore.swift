import Files
import Foundation
import Glibc

/// The folder `objects`: immutable files, each named by the digest of its content.
///
/// A file is written under a temporary name in the same folder and renamed when it is complete and
/// on the disk. So every file with its final name is complete. Equal values are written once.
final class ObjectStore {
    let folder: String
    private let isDurable: Bool
    /// Objects that this process wrote or read completely; they need no second check.
    private var sound: Set<String> = []
    private var nextTemporary = 0

    /// Free space required in addition to the bytes of an object, for HDF5's structures and the
    /// journal.
    private static let spaceMargin = 1 << 20
    private static let temporaryPrefix = ".new-"

    init(folder: String, isDurable: Bool) {
        self.folder = folder
        self.isDurable = isDurable
    }

    /// `ab/cdef….h5` below the folder. The caller has checked that the digest is valid.
    static func fileName(_ digest: String) -> String {
        "\(digest.prefix(2))/\(digest.dropFirst(2)).h5"
    }

    func path(_ digest: String) -> String { folder + "/" + Self.fileName(digest) }

    /// Whether a file exists for the digest. Only reading shows whether its content is valid.
    func contains(_ digest: String) -> Bool {
        isDigest(digest) && FileSystem.kind(of: folder) == .folder
            && FileSystem.kind(of: folder + "/" + digest.prefix(2)) == .folder
            && FileSystem.kind(of: path(digest)) == .file
    }

    /// Reads an object and compares it with its digest.
    ///
    /// - Throws: `ObjectFault`.
    func read(_ digest: String) throws -> (object: StoredObject, manifest: ObjectManifest) {
        // A folder that is a link would lead out of the workspace.
        sound.remove(digest)
        guard contains(digest) else {
            let isAbsent = FileSystem.kind(of: path(digest)) == .absent
            throw ObjectFault.file(isAbsent ? .absent : .notRegular)
        }
        let file = try HDF5Reader(path(digest))
        let result = try ObjectFile.read(file, group: file.root)
        guard result.manifest.digest == digest else { throw ObjectFault.digest }
        sound.insert(digest)
        return result
    }

    func fileSize(_ digest: String) -> Int { FileSystem.size(of: path(digest)) }

    /// Writes the objects that are not there yet.
    ///
    /// - Returns: the bytes written.
    func write(_ layouts: [ObjectLayout]) throws -> Int {
        var total = 0
        var folders: Set<String> = []
        for layout in layouts {
            let digest = layout.manifest.digest
            // Otherwise a damaged file under the right name would never be replaced.
            if contains(digest), sound.contains(digest) || (try? read(digest)) != nil { continue }
            try reserve(layout)
            let target = path(digest)
            let home = FileSystem.folder(of: target)
            if FileSystem.kind(of: home) == .absent { folders.insert(folder) }
            try FileSystem.makeFolder(folder)
            try FileSystem.makeFolder(home)
            nextTemporary += 1
            let temporary = "\(folder)/\(Self.temporaryPrefix)\(getpid())-\(nextTemporary)"
            try FileSystem.replace(
                target, isDurable ? .durable : .derived, temporary: temporary,
                synchronizesFolder: false
            ) { temporary in
                try ObjectFile.write(layout, to: temporary)
            }
            folders.insert(home)
            sound.insert(digest)
            total += fileSize(digest)
        }
        if isDurable {
            for folder in folders { try FileSystem.synchronize(folder) }
        }
        return total
    }

    private func reserve(_ layout: ObjectLayout) throws {
        let needed = layout.byteCount + Self.spaceMargin
        guard let free = FileSystem.freeSpace(at: folder), free < needed else { return }
        throw WorkspaceError.diskFull(file: folder, needed: needed, free: free)
    }

    /// The digests of all files in the folder, sorted. Files with other names are ignored.
    func digests() -> [String] {
        guard FileSystem.kind(of: folder) == .folder else { return [] }
        var digests: [String] = []
        for prefix in FileSystem.names(in: folder) where prefix.utf8.count == 2 {
            let home = folder + "/" + prefix
            guard FileSystem.kind(of: home) == .folder else { continue }
            for name in FileSystem.names(in: home) where name.hasSuffix(".h5") {
                let digest = prefix + name.dropLast(3)
                if isDigest(digest) { digests.append(digest) }
            }
        }
        return digests
    }

    /// Removes an object's file.
    ///
    /// - Returns: the bytes freed; zero if the file could not be removed.
    func remove(_ digest: String) -> Int {
        guard contains(digest) else { return 0 }
        let size = fileSize(digest)
        sound.remove(digest)
        guard unlink(path(digest)) == 0 else { return 0 }
        // Succeeds only if the folder is now empty.
        rmdir(folder + "/" + digest.prefix(2))
        return size
    }

    /// Removes the files of a process that died during writing.
    func removeTemporaries() {
        guard FileSystem.kind(of: folder) == .folder else { return }
        for name in FileSystem.names(in: folder) where name.hasPrefix(Self.temporaryPrefix) {
            unlink(folder + "/" + name)
        }
    }
}
