import Foundation
import HDF5Objects

/// A name and its value.
public struct BindingInfo: Sendable, Equatable {
    public var name: String
    public var kind: String
    /// 64 hexadecimal digits; nil for a value that is not stored and was never hashed.
    public var digest: String?
    /// Approximate number of bytes of the value.
    public var bytes: Int
    /// The statement that made the value.
    public var sequence: Int
    /// Whether the value is on disk, or only in the memory of the process that made it.
    public var isStored: Bool

    public init(
        name: String, kind: String, digest: String?, bytes: Int, sequence: Int, isStored: Bool
    ) {
        self.name = name
        self.kind = kind
        self.digest = digest
        self.bytes = bytes
        self.sequence = sequence
        self.isStored = isStored
    }
}

/// The value that a statement binds to a name.
public enum BoundValue: Sendable {
    /// A value to write. Equal values share one file.
    case stored(StoredObject)
    /// Another name for an object that is already stored.
    case existing(digest: String)
    /// A value too large to be written at every statement. The journal records it; the caller keeps
    /// it in memory.
    case transient(kind: String, digest: String?, bytes: Int)
}

/// A file outside the workspace that a statement read.
public struct InputFile: Sendable, Equatable {
    public var path: String
    public var bytes: Int
    /// SHA-256 of the file's bytes, if the caller computed it.
    public var digest: String?

    public init(path: String, bytes: Int, digest: String? = nil) {
        self.path = path
        self.bytes = bytes
        self.digest = digest
    }

    /// A file whose content the caller has in memory.
    public init(path: String, content: Data) {
        self.init(path: path, bytes: content.count, digest: sha256(content))
    }
}

extension BindingInfo {
    var stored: StoredValue {
        var record: StoredRecord = ["name": .text(name), "kind": .text(kind)]
        record["digest"] = digest.map(StoredValue.text)
        record["bytes"] = .number(Double(bytes))
        record["sequence"] = .number(Double(sequence))
        record["stored"] = .bool(isStored)
        return .record(record)
    }

    init?(_ value: StoredValue) {
        guard let name = value["name"]?.textValue, let kind = value["kind"]?.textValue,
            let bytes = byteCount(value["bytes"]), let sequence = value["sequence"]?.intValue,
            let isStored = value["stored"]?.boolValue, !name.isEmpty
        else { return nil }
        let digest = value["digest"]?.textValue
        guard digest.map(isDigest) ?? !isStored else { return nil }
        self.init(
            name: name, kind: kind, digest: digest, bytes: bytes, sequence: sequence,
            isStored: isStored)
    }
}

extension InputFile {
    var stored: StoredValue {
        var record: StoredRecord = ["path": .text(path), "bytes": .number(Double(bytes))]
        record["digest"] = digest.map(StoredValue.text)
        return .record(record)
    }

    init?(_ value: StoredValue) {
        guard let path = value["path"]?.textValue, let bytes = byteCount(value["bytes"])
        else { return nil }
        self.init(path: path, bytes: bytes, digest: value["digest"]?.textValue)
    }
}

/// A size from a journal: below 256 TiB, so that no sum of sizes overflows.
func byteCount(_ value: StoredValue?) -> Int? {
    guard let bytes = value?.intValue, bytes >= 0, bytes < 1 << 48 else { return nil }
    return bytes
}
