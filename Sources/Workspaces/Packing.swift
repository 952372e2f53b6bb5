import Files
import Foundation
import Glibc
import HDF5Objects
import LongWork

public struct PackReport: Sendable {
    public var objects: Int
    /// The size of the packed file.
    public var bytes: Int
    /// Values that undo would need and that are missing or damaged; the packed file lacks them.
    public var missing: [Damage]
}

/// One file with a whole workspace: `journal` and `HEAD` as bytes, and under `objects` one group
/// for each object, named by its digest and with the layout of its own file. Under `answers` the
/// files of that folder, as bytes.
enum PackedFile {
    static let format = "sami pack 1"
}

extension Workspace {
    /// Writes all objects that names, undo and redo reach into one file, for moving the workspace.
    ///
    /// The file is written completely or not at all. An existing packed file is replaced; any other
    /// file is not.
    ///
    /// - Parameter watch: asked before every array.
    /// - Throws: `WorkspaceError.damaged` if the value of a name is missing or damaged; `Canceled`,
    ///   and then an earlier packed file is as it was.
    public func pack(
        to file: String, watch: Watch = { _ in .more }
    ) throws -> PackReport {
        try locked {
            try mustBeOpen()
            try mustBeReplaceable(file)
            var report = PackReport(objects: 0, bytes: 0, missing: [])
            let needed = reachable(undo: .max).sorted()
            let total = needed.reduce(0) { $0 + objects.totalSize($1) } + journal.length
            let folder = FileSystem.folder(of: file)
            if let free = FileSystem.freeSpace(at: folder), free < total + 1 << 20 {
                throw WorkspaceError.diskFull(file: file, needed: total + 1 << 20, free: free)
            }
            // The committed part: a line that was cut short is left out.
            let content = try UntrustedFile(path + "/journal.jsonl").readAll()
            let lines = isWritable ? content.prefix(journal.length) : content
            let head = Head(
                sequence: timeline.lastSequence, position: lines.count, names: timeline.names)
            var written = 0
            func count(_ bytes: Int) throws {
                try Canceled.check(watch, Double(written) / Double(max(written + 1, total)))
                written += bytes
            }
            try FileSystem.replace(file, isEphemeral ? .derived : .durable) { temporary in
                try HDF5.locked {
                    try HDF5Writer.create(temporary, reserving: total) { writer in
                        try writer.attribute(of: "/", "format", PackedFile.format)
                        try writer.group("objects")
                        for digest in needed {
                            try count(0)
                            guard let layout = try layout(digest, into: &report) else { continue }
                            try writer.group("objects/" + digest)
                            try ObjectFile.write(
                                layout, into: writer, group: "objects/" + digest, isWhole: true,
                                before: count)
                            report.objects += 1
                        }
                        try writer.group("answers")
                        let kept = try answers.digests().map {
                            ("answers/" + $0, try answers.bytes($0))
                        }
                        for (name, bytes) in kept + [
                            ("journal", Data(lines)), ("HEAD", Data(head.bytes)),
                        ] {
                            let array = try StoredArray(
                                type: .uint8, shape: [bytes.count], bytes: bytes)
                            try writer.array(name, array, sha256: sha256(bytes))
                        }
                    }
                }
                try StructureSeal.append(to: temporary)
            }
            var status = stat()
            if stat(file, &status) == 0 { report.bytes = Int(status.st_size) }
            return report
        }
    }

    /// An object for packing. Nil, with an entry in the report, for a missing object that only undo
    /// would need.
    private func layout(_ digest: String, into report: inout PackReport) throws -> ObjectLayout? {
        do {
            return try ObjectLayout(objects.read(digest).object)
        } catch let fault as ObjectFault {
            let damage = damage(digest, fault)
            if let name = damage.names.first {
                throw WorkspaceError.damaged(
                    name: name, file: damage.file, fault, sequence: damage.sequence,
                    source: damage.source)
            }
            report.missing.append(damage)
            return nil
        }
    }

    private func mustBeReplaceable(_ file: String) throws {
        switch FileSystem.kind(of: file) {
        case .absent: return
        case .file:
            guard let packed = try? HDF5Reader(file),
                packed.root.attributes["format"] == PackedFile.format
            else { throw WorkspaceError.alreadyThere(file) }
        case .folder, .other: throw WorkspaceError.alreadyThere(file)
        }
    }

    /// Makes a workspace from a packed file. Every object is compared with its digest.
    ///
    /// The folder is made completely or not at all.
    ///
    /// - Parameter watch: asked before every file of an object.
    /// - Throws: `WorkspaceError.alreadyThere` if something is at `path`; `.fileDamaged` if the
    ///   file does not come from `pack`; `Canceled`, and then nothing is at `path`.
    public static func unpack(
        _ file: String, to path: String, watch: Watch = { _ in .more }
    ) throws -> PackReport {
        var path = path
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        guard FileSystem.kind(of: path) == .absent else { throw WorkspaceError.alreadyThere(path) }
        let temporary = path + ".new-\(getpid())"
        FileSystem.removeTree(temporary)
        do {
            let report = try unpack(file, into: temporary, watch)
            guard rename(temporary, path) == 0 else {
                throw FileError.last(.write, path)
            }
            try FileSystem.synchronize(FileSystem.folder(of: path))
            return report
        } catch let fault as ObjectFault {
            FileSystem.removeTree(temporary)
            throw WorkspaceError.fileDamaged(file: file, fault)
        } catch {
            FileSystem.removeTree(temporary)
            throw error
        }
    }

    private static func unpack(
        _ file: String, into path: String, _ watch: Watch
    ) throws -> PackReport {
        let packed = try HDF5Reader(file)
        guard packed.root.attributes["format"] == PackedFile.format else {
            throw ObjectFault.format(packed.root.attributes["format"])
        }
        let datasets = Dictionary(
            packed.datasets(under: packed.root).map { ($0.path, $0) },
            uniquingKeysWith: { first, _ in first })
        func bytes(_ name: String) throws -> Data {
            guard let dataset = datasets[name] else { throw ObjectFault.missing(name) }
            let bytes = try packed.bytes(of: dataset).data
            guard dataset.type == .elements(.uint8) else { throw ObjectFault.type(name) }
            guard dataset.attributes["sha256"] == sha256(bytes) else {
                throw ObjectFault.checksum(name)
            }
            return bytes
        }
        let journal = try bytes("journal")
        let headBytes = try bytes("HEAD")
        switch Head.read(headBytes) {
        case .newer(let version): throw WorkspaceError.newer(path: file, version: version)
        case .absent, .damaged: throw ObjectFault.checksum("HEAD")
        case .head: break
        }
        try FileSystem.makeFolder(path)
        try FileSystem.makeFolder(path + "/objects")
        let store = ObjectStore(folder: path + "/objects", isDurable: true)
        var report = PackReport(objects: 0, bytes: packed.size, missing: [])
        let prefix = "objects/"
        var written = 0
        for group in packed.groups where group.path.hasPrefix(prefix) {
            let digest = String(group.path.dropFirst(prefix.count))
            // Deeper groups are parts of objects.
            if digest.contains("/") { continue }
            guard isDigest(digest) else { throw ObjectFault.unexpected(group.path) }
            let (object, manifest) = try ObjectFile.read(packed, group: group, arrays: nil)
            guard manifest.digest == digest else { throw ObjectFault.checksum(group.path) }
            let layout = try ObjectLayout(object)
            // The same tree could be written in another form, with a digest of its own.
            guard layout.manifest == manifest else { throw ObjectFault.checksum(group.path) }
            let size = layout.byteCount
            _ = try store.write([layout]) { share in
                let done = Double(written) + share * Double(size)
                return watch(done / Double(max(written + size, packed.size)))
            }
            written += size
            report.objects += 1
        }
        let answers = KeptAnswers(folder: path + "/answers", isDurable: true)
        for name in datasets.keys.sorted() where name.hasPrefix("answers/") {
            try answers.takeOver(try bytes(name), named: String(name.dropFirst("answers/".count)))
        }
        try FileSystem.write([UInt8](journal), to: path + "/journal.jsonl")
        try FileSystem.write([UInt8](headBytes), to: path + "/HEAD")
        for name in ["journal.jsonl", "HEAD", "objects"] {
            try FileSystem.synchronize(path + "/" + name)
        }
        // Opening checks journal and HEAD, and makes workspace.h5.
        try Workspace.open(path).close()
        return report
    }
}
