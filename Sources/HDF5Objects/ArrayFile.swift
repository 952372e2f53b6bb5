import Files

/// The file of one large array, named by the digest of its type, shape and bytes.
package enum ArrayFile {
    static let format = "sami array 1"
    /// The path of the array in the file.
    package static let path = "array"

    package static func name(_ digest: String) -> String { digest + ".h5" }

    /// Writes a file from where the array lies in memory. The file is complete on return but not
    /// yet on the disk.
    package static func write(
        _ array: StoredArray, _ entry: ObjectManifest.Entry, to path: String
    ) throws {
        try HDF5.locked {
            try HDF5Writer.create(path, reserving: array.byteCount) { writer in
                try writer.attribute(of: "/", "format", format)
                try writer.array(Self.path, array, sha256: entry.sha256)
            }
        }
        try StructureSeal.append(to: path)
    }

    /// The array of a file, compared with its entry. Its bytes stay in the mapped file. Throws
    /// `ObjectFault`.
    package static func read(
        _ path: String, _ entry: ObjectManifest.Entry
    ) throws -> StoredArray {
        let file = try HDF5Reader(path)
        let datasets = file.datasets(under: file.root)
        guard file.root.attributes["format"] == format, datasets.count == 1,
            datasets[0].path == Self.path
        else { throw ObjectFault.format(file.root.attributes["format"]) }
        let array = try ObjectFile.array(datasets[0], in: file)
        guard array.type == entry.type, array.shape == entry.shape,
            sha256(array.memory.buffer) == entry.sha256
        else { throw ObjectFault.checksum(entry.path) }
        return array
    }
}
