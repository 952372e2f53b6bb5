import Foundation

/// Reference files that lie beside the repository, where they are there.
enum SharedReference {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "shared/reference")

    static func path(_ name: String) -> String { folder.appending(path: name).path }

    static func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: path(name))
    }

    /// The objects of a .jsonl file.
    static func lines<Item: Decodable>(_ name: String, as type: Item.Type) throws -> [Item] {
        let data = try Data(contentsOf: folder.appending(path: name))
        return try data.split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(type, from: $0)
        }
    }
}
