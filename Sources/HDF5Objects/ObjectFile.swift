import Files
import Foundation
import JSON
import NumberTypes

/// Objects as groups of HDF5 files: alone at the root of their own file, or many in a packed one.
package enum ObjectFile {
    static let format = "sami object 1"
    /// The format of objects with arrays in files of their own.
    static let apartFormat = "sami object 2"

    /// Writes a file that holds one object. The file is complete on return but not yet on the disk.
    ///
    /// - Parameter isWhole: whether it holds the large arrays too.
    package static func write(_ layout: ObjectLayout, to path: String, isWhole: Bool) throws {
        let apart = isWhole ? 0 : layout.apart.reduce(0) { $0 + $1.array.byteCount }
        try HDF5.locked {
            try HDF5Writer.create(path, reserving: layout.byteCount - apart) { writer in
                try write(layout, into: writer, group: "", isWhole: isWhole)
            }
        }
        try StructureSeal.append(to: path)
    }

    /// Writes an object under a group that exists (`""` for the root).
    ///
    /// - Parameter before: called with the bytes of each array before it is written. Its error ends
    ///   the work.
    package static func write(
        _ layout: ObjectLayout, into writer: HDF5Writer, group: String, isWhole: Bool,
        before: (Int) throws -> Void = { _ in }
    ) throws {
        let here = group.isEmpty ? "/" : group
        let apart = isWhole ? [] : layout.apart.map(\.entry)
        try writer.attribute(of: here, "format", apart.isEmpty ? format : apartFormat)
        try writer.attribute(of: here, "kind", layout.kind)
        try writer.attribute(of: here, "main", layout.mainPath)
        let prefix = group.isEmpty ? "" : group + "/"
        let entries = layout.manifest.entries
        try writer.text(prefix + ObjectLayout.jsonPath, layout.json, sha256: entries[0].sha256)
        if !apart.isEmpty {
            let list = ArrayList.text(apart)
            try writer.text(prefix + ObjectLayout.listPath, list, sha256: sha256(list))
        }
        for (item, entry) in zip(layout.arrays, entries.dropFirst())
        where isWhole || !entry.isApart {
            try before(item.array.byteCount)
            try writer.array(prefix + item.path, item.array, sha256: entry.sha256)
        }
    }

    /// Reads the object under a group, and its digest.
    ///
    /// Every value is hashed. Where one differs from the checksum beside it the error names it;
    /// the caller compares the digest, which no change to the file can leave as it was.
    ///
    /// - Parameter apart: reads an array that has a file of its own; nil for a file that must be
    ///   whole.
    package static func read(
        _ file: HDF5Reader, group: HDF5Reader.Group,
        arrays apart: ((ObjectManifest.Entry) throws -> StoredArray)?
    ) throws -> (object: StoredObject, manifest: ObjectManifest) {
        guard let kind = group.attributes["kind"] else {
            throw group.attributes["format"].map { _ in ObjectFault.missing("kind") }
                ?? .format(nil)
        }
        let apartEntries = try apartEntries(file, group: group)
        let prefix = group.path.isEmpty ? "" : group.path + "/"
        var entries: [ObjectManifest.Entry] = []
        var arrays: [[UInt8]: StoredArray] = [:]
        var json: JSON?
        for dataset in file.datasets(under: group) {
            let path = String(
                decoding: dataset.path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
            if path == ObjectLayout.listPath { continue }
            let bytes = try file.bytes(of: dataset)
            let sum = sha256(bytes.buffer)
            if let expected = dataset.attributes["sha256"], expected != sum {
                throw ObjectFault.checksum(path)
            }
            switch dataset.type {
            case .text:
                guard path == ObjectLayout.jsonPath else { throw ObjectFault.unexpected(path) }
                do throws(JSON.Problem) {
                    json = try JSON.read(bytes.buffer, limits: StoredValue.limits)
                } catch {
                    throw ObjectFault.json(error)
                }
                entries.append(.init(path: path, type: nil, shape: [bytes.count], sha256: sum))
            case .elements:
                let array = try array(dataset, in: file)
                arrays[Array(path.utf8)] = array
                entries.append(
                    .init(path: path, type: array.type, shape: array.shape, sha256: sum))
            }
        }
        for entry in apartEntries {
            guard let apart else { throw ObjectFault.unexpected(ObjectLayout.listPath) }
            guard arrays[Array(entry.path.utf8)] == nil else {
                throw ObjectFault.unexpected(entry.path)
            }
            arrays[Array(entry.path.utf8)] = try apart(entry)
            entries.append(entry)
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

    /// An array of a file, mapped where it is large. Its bytes are not checked.
    package static func array(_ dataset: HDF5Reader.Dataset, in file: HDF5Reader) throws
        -> StoredArray
    {
        guard case .elements(let stored) = dataset.type else {
            throw ObjectFault.type(dataset.path)
        }
        var type = stored
        if let name = dataset.attributes["dtype"] {
            guard let named = DType(rawValue: name), named.hdf5Type == stored else {
                throw ObjectFault.unexpected(dataset.path)
            }
            type = named
        }
        return try StoredArray(
            type: type, shape: dataset.shape, memory: file.bytes(of: dataset))
    }

    /// The arrays of an object that lie in files of their own.
    package static func apartEntries(
        _ file: HDF5Reader, group: HDF5Reader.Group
    ) throws -> [ObjectManifest.Entry] {
        switch group.attributes["format"] {
        case format: return []
        case apartFormat: break
        case let other: throw ObjectFault.format(other)
        }
        let path = (group.path.isEmpty ? "" : group.path + "/") + ObjectLayout.listPath
        guard
            let dataset = file.datasets(under: group).first(where: {
                $0.path.utf8.elementsEqual(path.utf8)
            }), dataset.type == .text
        else { throw ObjectFault.missing(ObjectLayout.listPath) }
        let text = try file.bytes(of: dataset)
        guard dataset.attributes["sha256"] == sha256(text.buffer) else {
            throw ObjectFault.checksum(ObjectLayout.listPath)
        }
        return try ArrayList.entries(text)
    }
}

extension StoredObject {
    /// Writes a plain HDF5 file with the layout of a workspace object. Replaces an existing file.
    ///
    /// The file is written completely or not at all.
    public func write(to path: String) throws {
        let layout = try ObjectLayout(self)
        try FileSystem.replace(path) { temporary in
            try ObjectFile.write(layout, to: temporary, isWhole: true)
        }
    }

    /// Reads a file from `write(to:)`, or an object of a workspace's folder.
    public init(contentsOf path: String) throws {
        do {
            let file = try HDF5Reader(path)
            self = try ObjectFile.read(file, group: file.root, arrays: nil).object
        } catch let fault as ObjectFault {
            throw ObjectError.fileDamaged(file: path, fault)
        }
    }
}
