import Foundation
import HDF5Objects
import Values

/// The files of a directory, kept byte for byte beside the values that were read from them.
extension StoredValue {
    init(files: [String: Data]) throws {
        let fields = try files.sorted { $0.key < $1.key }.map { name, data in
            let array = try StoredArray(type: .uint8, shape: [data.count], bytes: data)
            return (name, StoredValue.array(array))
        }
        self = .record(StoredRecord(fields))
    }

    /// Throws if a name leads out of a folder: an export writes files with these names, and the
    /// workspace may come from a stranger.
    func files(kind: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for field in recordValue?.fields ?? [] {
            guard !field.key.hasPrefix("/"), !field.key.split(separator: "/").contains("..") else {
                throw StorageError(
                    kind: kind, problem: "its file \(field.key) leads out of a folder")
            }
            files[field.key] = field.value.arrayValue?.bytes
        }
        return files
    }
}
