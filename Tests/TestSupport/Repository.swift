import Foundation
import Testing

/// The repository that these tests were built from.
public enum Repository {
    public static let root: String = {
        var path = #filePath
        for _ in 0..<3 { path = (path as NSString).deletingLastPathComponent }
        return path
    }()

    /// The path of a file of the repository.
    public static func path(_ name: String) -> String { root + "/" + name }
}

/// Files of `Tests/Fixtures`; its README gives their origin.
public enum Fixture {
    public static func path(_ name: String) -> String {
        Repository.path("Tests/Fixtures/" + name)
    }

    public static func data(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path(name)))
    }

    public static func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: data(name))
    }

    /// The objects of a file with one in each line.
    public static func lines<Item: Decodable>(_ name: String, as type: Item.Type) throws -> [Item] {
        try JSONLines.read(path(name), as: type)
    }
}

/// Optional files beside the repository: a larger second source of reference values, which a lone
/// clone does not have. Its README gives their origin.
public enum SharedReference {
    public static let folder = (Repository.root + "/../shared" as NSString).standardizingPath

    /// The path of a file in `../shared`.
    public static func path(_ name: String) -> String { folder + "/" + name }

    public static func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: path(name))
    }

    public static func lines<Item: Decodable>(_ name: String, as type: Item.Type) throws -> [Item] {
        try JSONLines.read(path(name), as: type)
    }
}

enum JSONLines {
    static func read<Item: Decodable>(_ path: String, as type: Item.Type) throws -> [Item] {
        try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(type, from: $0)
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test or suite, with a message, if one of these files is not in `../shared`.
    public static func needsShared(_ names: String...) -> Self {
        let missing = names.filter { !SharedReference.has($0) }.map { "../shared/" + $0 }
        return .enabled(
            if: missing.isEmpty,
            "\(missing.joined(separator: " and ")) does not lie beside the repository")
    }
}
