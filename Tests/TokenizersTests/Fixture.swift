import Foundation
import Testing

@testable import Tokenizers

/// Where the tests' own files lie, beside this one.
func fixturePath(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/\(name)").path
}

/// What the `tokenizers` package gives; the provenance is in the file.
struct OracleFixture: Decodable {
    struct Case: Decodable {
        var text: String
        var ids: [Int32]
        var bare: [Int32]
        var decoded: String
        var whole: String
    }
    struct Decoding: Decodable {
        var ids: [Int32]
        var decoded: String
    }
    var size: Int
    var texts: [String]
    var cases: [Case]
    var decodings: [Decoding]

    static func load(_ name: String) throws -> OracleFixture {
        let data = try Data(contentsOf: URL(fileURLWithPath: fixturePath(name)))
        return try JSONDecoder().decode(OracleFixture.self, from: data)
    }
}

/// Swift compares strings by canonical equivalence; these tests mean the bytes.
func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
}
