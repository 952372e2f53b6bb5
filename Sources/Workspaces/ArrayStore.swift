import Files
import Glibc
import HDF5Objects

/// The folder `objects/arrays`: large arrays in files of their own, each named by the digest of its
/// type, shape and bytes. Objects that hold equal arrays share a file, so a step that changes some
/// tensors of a model stores those alone.
///
/// An array is written from where it lies in memory and read where it lies in the mapped file.
final class ArrayStore {
    private static let temporaryPrefix = ".new-"

    let folder: String
    /// Arrays that this process wrote or read completely. They need no second check.
    private var sound: Set<String> = []
    private var nextTemporary = 0

    init(folder: String) { self.folder = folder }

    func file(_ digest: String) -> String { folder + "/" + ArrayFile.name(digest) }

    /// Whether a file exists for the digest; its content is checked when it is read.
    func contains(_ digest: String) -> Bool {
        isDigest(digest) && FileSystem.kind(of: folder) == .folder
            && FileSystem.kind(of: file(digest)) == .file
    }

    /// An array of an object, compared with its entry. Throws `ObjectFault` with the array's file.
    func read(_ entry: ObjectManifest.Entry) throws -> StoredArray {
        let digest = entry.arrayDigest
        sound.remove(digest)
        do {
            guard contains(digest) else { throw ObjectFault.missing(entry.path) }
            let array = try ArrayFile.read(file(digest), entry)
            sound.insert(digest)
            return array
        } catch let fault as ObjectFault {
            throw ObjectFault.array(entry.path, file: file(digest), fault)
        }
    }

    /// The file to write for an array; nil if it is there already.
    func newFile(
        for entry: ObjectManifest.Entry, _ array: StoredArray
    ) -> FileSystem.Replacement? {
        let digest = entry.arrayDigest
        // A damaged file under the right name would otherwise never be replaced.
        if contains(digest), sound.contains(digest) || (try? read(entry)) != nil { return nil }
        nextTemporary += 1
        let temporary = "\(folder)/\(Self.temporaryPrefix)\(getpid())-\(nextTemporary)"
        return FileSystem.Replacement(file(digest), temporary: temporary) { temporary in
            try ArrayFile.write(array, entry, to: temporary)
        }
    }

    func noteWritten(_ entry: ObjectManifest.Entry) { sound.insert(entry.arrayDigest) }

    func fileSize(_ digest: String) -> Int { FileSystem.size(of: file(digest)) }

    /// The digests of all files in the folder.
    func digests() -> [String] {
        guard FileSystem.kind(of: folder) == .folder else { return [] }
        return FileSystem.names(in: folder).compactMap { name in
            guard name.hasSuffix(".h5"), isDigest(String(name.dropLast(3))) else { return nil }
            return String(name.dropLast(3))
        }
    }

    /// Returns the bytes freed.
    func remove(_ digest: String) -> Int {
        guard contains(digest) else { return 0 }
        let size = fileSize(digest)
        sound.remove(digest)
        return unlink(file(digest)) == 0 ? size : 0
    }

    /// Removes unfinished files of a process that died.
    func removeTemporaries() {
        guard FileSystem.kind(of: folder) == .folder else { return }
        for name in FileSystem.names(in: folder) where name.hasPrefix(Self.temporaryPrefix) {
            unlink(folder + "/" + name)
        }
    }
}
