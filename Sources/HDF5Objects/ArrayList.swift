import JSON
import NumberTypes

/// The list, in an object's file, of the arrays that lie in files of their own: JSON text, one
/// record an array with `path`, `type`, `shape`, `sha256` and `file`.
enum ArrayList {
    static func text(_ entries: [ObjectManifest.Entry]) -> [UInt8] {
        let list = entries.map { entry in
            JSON.object([
                .init("path", .string(entry.path)),
                .init("type", .string(entry.type?.rawValue ?? "")),
                .init("shape", .array(entry.shape.map { .integer($0) })),
                .init("sha256", .string(entry.sha256)),
                .init("file", .string(ArrayFile.name(entry.arrayDigest))),
            ])
        }
        return Array(JSON.array(list).compact.utf8)
    }

    /// Throws `ObjectFault` for anything but what `text` wrote.
    static func entries(_ text: StoredBytes) throws -> [ObjectManifest.Entry] {
        let json: JSON
        do throws(JSON.Problem) {
            json = try JSON.read(text.buffer, limits: .init(depth: 4))
        } catch {
            throw ObjectFault.json(error)
        }
        return try (json.elements ?? []).map { item in
            guard let path = item["path"]?.string,
                let type = item["type"]?.string.flatMap(DType.init(rawValue:)),
                let sides = item["shape"]?.elements, let sum = item["sha256"]?.string,
                sides.count <= StoredArray.maximumRank, isDigest(sum)
            else { throw ObjectFault.unexpected(ObjectLayout.listPath) }
            let shape = sides.compactMap(\.integer)
            let entry = ObjectManifest.Entry(path: path, type: type, shape: shape, sha256: sum)
            guard shape.count == sides.count, type.byteCount(of: shape) != nil, entry.isApart,
                item["file"]?.string == ArrayFile.name(entry.arrayDigest)
            else { throw ObjectFault.unexpected(ObjectLayout.listPath) }
            return entry
        }
    }
}
