import Foundation
import JSON
import LongWork
import NumberTypes

/// The layout of an object in a file: one dataset for each array, under a path of the record keys
/// and list positions that lead to the array, and one dataset `json` with the rest.
///
/// Large arrays are in files of their own (`ArrayStore`), so that objects with equal arrays share
/// them. The object's file then lists these arrays in a dataset.
package struct ObjectLayout {
    static let jsonPath = "json"
    /// The list of arrays in other files. A key that starts with `%` is escaped, so no value is
    /// written here.
    package static let listPath = "%arrays"
    /// Arrays of this size and larger lie in files of their own.
    package static let leastApart = 1 << 18
    /// numpy keeps the size of a text element in 31 bits.
    static let maximumJSON = Int(Int32.max) - 1

    package let kind: String
    let json: [UInt8]
    /// Sorted by the bytes of the path.
    let arrays: [(path: String, array: StoredArray)]
    package let manifest: ObjectManifest
    /// The path of the array or text that a link to the object leads to; empty for its root.
    let mainPath: String

    /// - Parameter watch: asked before every array, whose digest takes time.
    /// - Throws: `ObjectError`; `Canceled`.
    package init(_ object: StoredObject, watch: Watch = { _ in .more }) throws {
        guard !object.kind.isEmpty, object.kind.utf8.count <= 255, !object.kind.utf8.contains(0)
        else { throw ObjectError.kindNotUsable(object.kind) }
        var arrays: [(path: String, array: StoredArray)] = []
        var writer = JSON.Writer()
        do {
            try object.value.write(to: &writer) { array, path in
                let name = Self.path(of: path)
                arrays.append((name, array))
                return name
            }
        } catch let error as StoredValueFault {
            throw ObjectError.valueNotStorable(kind: object.kind, error)
        }
        guard writer.bytes.count <= Self.maximumJSON else {
            throw ObjectError.textTooLarge(kind: object.kind, bytes: writer.bytes.count)
        }
        arrays.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        kind = object.kind
        json = writer.bytes
        self.arrays = arrays
        var entries = [
            ObjectManifest.Entry(
                path: Self.jsonPath, type: nil, shape: [json.count], sha256: sha256(json))
        ]
        let bytes = arrays.reduce(0) { $0 + $1.array.byteCount }
        var finished = 0
        for (path, array) in arrays {
            try Canceled.check(watch, Double(finished) / Double(max(1, bytes)))
            finished += array.byteCount
            entries.append(
                .init(
                    path: path, type: array.type, shape: array.shape,
                    sha256: sha256(array.memory.buffer)))
        }
        manifest = ObjectManifest(kind: kind, entries: entries)
        mainPath = Self.mainPath(object, hasArrays: !arrays.isEmpty)
    }

    private static func mainPath(_ object: StoredObject, hasArrays: Bool) -> String {
        if case .array = object.value { return path(of: []) }
        if let main = object.main, object.value[main]?.arrayValue != nil {
            return path(of: [.key(main)])
        }
        return hasArrays ? "" : jsonPath
    }

    /// The bytes of all values.
    package var byteCount: Int { arrays.reduce(json.count) { $0 + $1.array.byteCount } }

    /// The arrays that lie in files of their own, and their entries.
    package var apart: [(entry: ObjectManifest.Entry, array: StoredArray)] {
        zip(manifest.entries.dropFirst(), arrays).filter { $0.0.isApart }.map { ($0.0, $0.1.array) }
    }

    /// The HDF5 path for the steps to an array. Different steps give different paths: characters
    /// with a meaning in HDF5 are escaped with `%`, and only the root's own `json` needs a special
    /// case.
    static func path(of steps: [PathStep]) -> String {
        guard !steps.isEmpty else { return "array" }
        var components = steps.map { step in
            switch step {
            case .key(let key): linkName(key)
            case .index(let index): String(index)
            }
        }
        if components[0] == jsonPath { components[0] = "%" + jsonPath }
        return components.joined(separator: "/")
    }

    /// A name that HDF5 reads as one link. Different names give different links; very long names
    /// end in a digest.
    package static func linkName(_ name: String) -> String {
        let utf8 = Array(name.utf8)
        if utf8.isEmpty { return "%_" }
        if utf8 == [0x2E] { return "%2E" }
        var escaped: [UInt8] = []
        for byte in utf8 {
            if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "%") || byte == 0 {
                escaped.append(UInt8(ascii: "%"))
                escaped.append(contentsOf: hexadecimal([byte]).utf8)
            } else {
                escaped.append(byte)
            }
        }
        guard escaped.count > 512 else { return String(decoding: escaped, as: UTF8.self) }
        // Cut between characters, so that the name stays valid text.
        let head = String(name.prefix(64)).utf8.filter { $0 != 0x2F && $0 != 0x25 && $0 != 0 }
        let start = String(decoding: head.prefix(256), as: UTF8.self)
        return start + "%~" + sha256(utf8).prefix(32)
    }
}

/// The description of an object without the bytes. Its text has one form, and the SHA-256 of this
/// text is the object's digest. Two files hold the same object exactly if their digests are equal,
/// whatever HDF5 did with the space between the datasets.
package struct ObjectManifest: Equatable {
    package struct Entry: Equatable {
        package var path: String
        /// Nil for the JSON text.
        package var type: DType?
        package var shape: [Int]
        package var sha256: String

        package var isApart: Bool { type != nil && byteCount >= ObjectLayout.leastApart }

        /// The name of an array's own file: the digest of its type, shape and bytes.
        package var arrayDigest: String {
            let sides = shape.map { " \($0)" }.joined()
            return HDF5Objects.sha256(
                Array(
                    "\(ArrayFile.format)\n\"\(type?.rawValue ?? "json")\"\(sides) \"\(sha256)\""
                        .utf8))
        }

        package var byteCount: Int {
            type.map { $0.byteCount(of: shape) ?? 0 } ?? shape.reduce(1, *)
        }
    }

    package let kind: String
    /// `json` first, then the arrays in the order of their paths.
    package let entries: [Entry]
    package let digest: String

    init(kind: String, entries: [Entry]) {
        self.kind = kind
        self.entries = entries
        var text = "sami object 1\n" + JSON.quoted(kind)
        for entry in entries {
            text += "\n\(JSON.quoted(entry.path)) \"\(entry.type?.rawValue ?? "json")\" "
            for side in entry.shape { text += "\(side) " }
            text += "\"\(entry.sha256)\""
        }
        digest = HDF5Objects.sha256(Array(text.utf8))
    }

    package var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }
}

extension StoredObject {
    /// Approximate size of the object on disk: array bytes are exact, the rest is estimated.
    public var bytes: Int { value.bytes }

    /// SHA-256 of the object's content; equal objects have equal digests.
    ///
    /// Cost: one pass over the bytes, about 1 GB/s a core with SHA instructions.
    public func digest() throws -> String { try ObjectLayout(self).manifest.digest }
}

extension StoredValue {
    fileprivate var bytes: Int {
        switch self {
        case .null, .bool: 5
        case .number: 8
        case .text(let text): text.utf8.count + 2
        case .array(let array): array.byteCount
        case .list(let items): items.reduce(2) { $0 + $1.bytes + 1 }
        case .record(let record):
            record.fields.reduce(2) { $0 + $1.key.utf8.count + $1.value.bytes + 4 }
        }
    }
}
