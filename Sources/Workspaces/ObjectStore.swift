import Files
import Foundation
import Glibc
import HDF5Objects
import LongWork

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
    private static let arrayFolder = "arrays"

    private let arrays: ArrayStore
    /// Nil until an object with arrays in files of their own is removed.
    private var holders: ArrayHolders?

    init(folder: String, isDurable: Bool) {
        self.folder = folder
        arrays = ArrayStore(folder: folder + "/" + Self.arrayFolder)
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
        sound.remove(digest)
        let file = try open(digest)
        let result = try ObjectFile.read(file, group: file.root, arrays: arrays.read)
        guard result.manifest.digest == digest else { throw ObjectFault.digest }
        sound.insert(digest)
        return result
    }

    private func open(_ digest: String) throws -> HDF5Reader {
        // A folder that is a link would lead out of the workspace.
        guard contains(digest) else {
            let isAbsent = FileSystem.kind(of: path(digest)) == .absent
            throw ObjectFault.file(isAbsent ? .absent : .notRegular)
        }
        return try HDF5Reader(path(digest))
    }

    /// The arrays of an object that lie in files of their own; their bytes are not read.
    private func arraysApart(of digest: String) throws -> [ObjectManifest.Entry] {
        let file = try open(digest)
        return try ObjectFile.apartEntries(file, group: file.root)
    }

    /// The files of an object and the paths in them, for the links of `workspace.h5`. An object
    /// that cannot be read gets a link to its root; a reader that follows it gets the error.
    func places(of digest: String) -> ObjectPlaces {
        let home = Self.fileName(digest)
        let root = ObjectPlaces(main: "", places: [.init(path: "", file: home, target: "")])
        guard let file = try? open(digest),
            let apart = try? ObjectFile.apartEntries(file, group: file.root)
        else { return root }
        let main = file.root.attributes["main"] ?? ""
        let inside = file.datasets(under: file.root).map(\.path)
        if let entry = apart.first(where: { $0.path.utf8.elementsEqual(main.utf8) }) {
            let file = Self.arrayFolder + "/" + ArrayFile.name(entry.arrayDigest)
            return ObjectPlaces(
                main: main, places: [.init(path: "", file: file, target: ArrayFile.path)])
        }
        if inside.contains(where: { $0.utf8.elementsEqual(main.utf8) }) {
            return ObjectPlaces(main: main, places: [.init(path: "", file: home, target: main)])
        }
        if apart.isEmpty { return root }
        return ObjectPlaces(
            main: "",
            places: inside.filter { $0 != ObjectLayout.listPath }.map {
                .init(path: $0, file: home, target: $0)
            }
                + apart.map {
                    .init(
                        path: $0.path,
                        file: Self.arrayFolder + "/" + ArrayFile.name($0.arrayDigest),
                        target: ArrayFile.path)
                })
    }

    /// The size of an object's own file.
    func fileSize(_ digest: String) -> Int { FileSystem.size(of: path(digest)) }

    /// The bytes of an object's file and of its arrays' files.
    func totalSize(_ digest: String) -> Int { size(of: [digest]) }

    /// The bytes of the files of several objects; an array that they share counts once.
    func size(of digests: some Sequence<String>) -> Int {
        var arrays: Set<String> = []
        return digests.reduce(0) { sum, digest in
            let apart = ((try? arraysApart(of: digest)) ?? []).filter {
                arrays.insert($0.arrayDigest).inserted
            }
            return apart.reduce(sum + fileSize(digest)) { $0 + $1.byteCount }
        }
    }

    /// Writes those of the objects that are not there yet, and of their arrays those that no other
    /// object has: arrays first, so that an object that is there is complete.
    ///
    /// - Parameter watch: asked before every file is written, and before it is synchronized.
    /// - Returns: the bytes written.
    /// - Throws: `WorkspaceError`; `Canceled`, and then no file has its name.
    func write(_ layouts: [ObjectLayout], watch: Watch = { _ in .more }) throws -> Int {
        var new: [ObjectLayout] = []
        for layout in layouts {
            let digest = layout.manifest.digest
            // A damaged file under the right name would otherwise never be replaced.
            if contains(digest), sound.contains(digest) || (try? read(digest)) != nil { continue }
            if !new.contains(where: { $0.manifest.digest == digest }) { new.append(layout) }
        }
        guard !new.isEmpty else { return 0 }
        var written: Set<String> = []
        var files: [FileSystem.Replacement] = []
        var apart: [ObjectManifest.Entry] = []
        var sizes: [Int] = []
        for (entry, array) in new.flatMap(\.apart)
        where written.insert(entry.arrayDigest).inserted {
            guard let file = arrays.newFile(for: entry, array) else { continue }
            files.append(file)
            apart.append(entry)
            sizes.append(entry.byteCount)
        }
        for layout in new {
            sizes.append(layout.byteCount - layout.apart.reduce(0) { $0 + $1.entry.byteCount })
        }
        let needed = sizes.reduce(0, +)
        try FileSystem.makeFolder(folder)
        try reserve(needed)
        var homes = Set(new.map { FileSystem.folder(of: path($0.manifest.digest)) })
        if !files.isEmpty { homes.insert(arrays.folder) }
        let newHomes = homes.filter { FileSystem.kind(of: $0) == .absent }
        for home in homes { try FileSystem.makeFolder(home) }
        for layout in new {
            let target = path(layout.manifest.digest)
            nextTemporary += 1
            files.append(
                FileSystem.Replacement(
                    target,
                    temporary: "\(folder)/\(Self.temporaryPrefix)\(getpid())-\(nextTemporary)"
                ) { temporary in
                    try ObjectFile.write(layout, to: temporary, isWhole: false)
                })
        }
        // Every byte is written once and synchronized once.
        let all = Double(isDurable ? 2 * needed : needed) + 1
        var finished = 0
        try FileSystem.replace(files, isDurable ? .durable : .derived) { place in
            try Canceled.check(watch, Double(finished) / all)
            finished += sizes[place]
        }
        if isDurable, !newHomes.isEmpty { try FileSystem.synchronize(folder) }
        for entry in apart { arrays.noteWritten(entry) }
        for layout in new {
            sound.insert(layout.manifest.digest)
            holders?.add(layout.apart.map(\.entry.arrayDigest))
        }
        return files.reduce(0) { $0 + FileSystem.size(of: $1.path) }
    }

    private func reserve(_ bytes: Int) throws {
        let needed = bytes + Self.spaceMargin
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

    /// Removes an object's file, and the files of arrays that no other object has.
    ///
    /// - Returns: the bytes freed; zero where it could not be removed.
    func remove(_ digest: String) -> Int {
        guard contains(digest) else { return 0 }
        let apart = Set(((try? arraysApart(of: digest)) ?? []).map(\.arrayDigest))
        if !apart.isEmpty { countHolders() }
        var size = fileSize(digest)
        sound.remove(digest)
        guard unlink(path(digest)) == 0 else { return 0 }
        // Succeeds only for a folder that is empty now.
        rmdir(FileSystem.folder(of: path(digest)))
        for array in holders?.remove(apart) ?? [] { size += arrays.remove(array) }
        return size
    }

    /// Removes the arrays that no object refers to. They remain if a process died before it wrote
    /// the object, or if an object was lost. Nothing is removed while an object cannot be read.
    ///
    /// - Returns: the bytes freed.
    func removeOrphans() -> Int {
        let found = arrays.digests()
        if found.isEmpty { return 0 }
        countHolders()
        guard let holders, holders.isComplete else { return 0 }
        return found.filter { !holders.contains($0) }.reduce(0) { $0 + arrays.remove($1) }
    }

    /// Counts, once in each process, how many objects have each array.
    private func countHolders() {
        guard holders == nil else { return }
        var counts = ArrayHolders()
        for digest in digests() {
            if let entries = try? arraysApart(of: digest) {
                counts.add(entries.map(\.arrayDigest))
            } else {
                counts.isComplete = false
            }
        }
        holders = counts
    }

    /// Removes unfinished files of a process that died.
    func removeTemporaries() {
        guard FileSystem.kind(of: folder) == .folder else { return }
        for name in FileSystem.names(in: folder) where name.hasPrefix(Self.temporaryPrefix) {
            unlink(folder + "/" + name)
        }
        arrays.removeTemporaries()
    }
}

/// How many objects have each array that lies in a file of its own.
struct ArrayHolders {
    private var counts: [String: Int] = [:]
    /// False if an object could not be read: then no array may be removed.
    var isComplete = true

    func contains(_ array: String) -> Bool { counts[array] != nil }

    /// The arrays of one object; an array that it has twice counts once.
    mutating func add(_ arrays: [String]) {
        for array in Set(arrays) { counts[array, default: 0] += 1 }
    }

    /// Forgets one object. Returns the arrays that no object has any more.
    mutating func remove(_ arrays: Set<String>) -> [String] {
        var left: [String] = []
        for array in arrays {
            let count = counts[array, default: 0] - 1
            counts[array] = count > 0 ? count : nil
            if count <= 0 { left.append(array) }
        }
        return isComplete ? left : []
    }
}

/// Where the values of an object are, for links from another file.
struct ObjectPlaces {
    struct Place {
        /// Under the object's name; empty for the name itself.
        var path: String
        /// Below `objects`.
        var file: String
        /// The path in that file.
        var target: String
    }

    /// The value that the object's name stands for; empty for all of it.
    var main: String
    var places: [Place]
}
