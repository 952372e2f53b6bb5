import Files
import Foundation
import JSON
import NumberTypes

/// Objects as groups of HDF5 files: alone at the root of their own file, or many in a packed one.
enum ObjectFile {
    static let format = "sami object 1"

    /// Writes a file with one object. On return the file is complete but not yet fsynced.
    static func write(_ layout: ObjectLayout, to path: String) throws {
        try HDF5.locked {
            try HDF5Writer.create(path, reserving: layout.byteCount) { writer in
                try write(layout, into: writer, group: "")
            }
        }
        try StructureSeal.append(to: path)
    }

    /// Writes an object under an existing group (`""` for the root).
    static func write(_ layout: ObjectLayout, into writer: HDF5Writer, group: String) throws {
        let here = group.isEmpty ? "/" : group
        try writer.attribute(of: here, "format", format)
        try writer.attribute(of: here, "kind", layout.kind)
        try writer.attribute(of: here, "main", layout.manifest.mainPath)
        let prefix = group.isEmpty ? "" : group + "/"
        let entries = layout.manifest.entries
        try writer.text(prefix + ObjectLayout.jsonPath, layout.json, sha256: entries[0].sha256)
        for (item, entry) in zip(layout.arrays, entries.dropFirst()) {
            try writer.array(prefix + item.path, item.array, sha256: entry.sha256)
        }
    }

    /// Reads the object under a group and computes its digest.
    ///
    /// Every dataset is hashed. If one differs from its own checksum, the error names it. The
    /// caller compares the digest, which changes with every change to the file.
    static func read(
        _ file: HDF5Reader, group: HDF5Reader.Group
    ) throws -> (object: StoredObject, manifest: ObjectManifest) {
        guard group.attributes["format"] == format else {
            throw ObjectFault.format(group.attributes["format"])
        }
        guard let kind = group.attributes["kind"] else { throw ObjectFault.missing("kind") }
        let prefix = group.path.isEmpty ? "" : group.path + "/"
        var entries: [ObjectManifest.Entry] = []
        var arrays: [String: StoredArray] = [:]
        var json: JSON?
        for dataset in file.datasets(under: group) {
            let path = String(
                decoding: dataset.path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
            let bytes = try file.bytes(of: dataset)
            let sum = sha256(bytes)
            if let expected = dataset.attributes["sha256"], expected != sum {
                throw ObjectFault.checksum(path)
            }
            switch dataset.type {
            case .text:
                guard path == ObjectLayout.jsonPath else { throw ObjectFault.unexpected(path) }
                do throws(JSON.Problem) {
                    json = try JSON.read(bytes, limits: StoredValue.limits)
                } catch {
                    throw ObjectFault.json(error)
                }
                entries.append(.init(path: path, type: nil, shape: [bytes.count], sha256: sum))
            case .elements(let stored):
                var type = stored
                if let name = dataset.attributes["dtype"] {
                    guard let named = DType(rawValue: name), named.hdf5Type == stored else {
                        throw ObjectFault.unexpected(path)
                    }
                    type = named
                }
                arrays[path] = try StoredArray(type: type, shape: dataset.shape, bytes: bytes)
                entries.append(.init(path: path, type: type, shape: dataset.shape, sha256: sum))
            }
        }
        guard let json else { throw ObjectFault.missing(ObjectLayout.jsonPath) }
        entries.sort { first, second in
            if first.type == nil || second.type == nil { return first.type == nil }
            return first.path.utf8.lexicographicallyPrecedes(second.path.utf8)
        }
        let value = try StoredValue(json, arrays: arrays)
        return (
            StoredObject(kind: kind, value: value), ObjectManifest(kind: kind, entries: entries)
        )
    }
}

extension StoredObject {
    /// Writes a plain HDF5 file with the layout of a workspace object. Replaces an existing file.
    ///
    /// The file is written completely or not at all.
    public func write(to path: String) throws {
        let layout = try ObjectLayout(self)
        try FileSystem.replace(path) { temporary in
            try ObjectFile.write(layout, to: temporary)
        }
    }

    /// Reads a file from `write(to:)`, or an object of a workspace's folder.
    public init(contentsOf path: String) throws {
        do {
            let file = try HDF5Reader(path)
            self = try ObjectFile.read(file, group: file.root).object
        } catch let fault as ObjectFault {
            throw WorkspaceError.fileDamaged(file: path, fault)
        }
    }
}

/// Faults of a file that should hold an object. Values are named by their path in the file.
enum ObjectFault: Error, Equatable {
    case file(FileError.Reason)
    case notHDF5
    case format(String?)
    case structure(String)
    case link(String)
    case missing(String)
    case unexpected(String)
    case type(String)
    case shape(String)
    case checksum(String)
    case json(JSON.Problem)
    case jsonNames(String)
    case digest
    case seal
}

extension ObjectFile {
    /// The path inside an object's file that the object's link leads to, as the file states it. The
    /// root if the file cannot be read; a reader that follows the link then gets the error.
    static func mainPath(_ path: String) -> String {
        guard let file = try? UntrustedFile(path), (try? StructureSeal.take(from: file)) != nil
        else { return "" }
        let main = try? HDF5Parser(file: file).rootAttributes()["main"]
        return main == ObjectLayout.jsonPath || main == "array" ? main ?? "" : ""
    }
}
