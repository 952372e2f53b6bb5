import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// The place of the files of `Tests/TokenizersTests/Fixtures`.
func fixturePath(_ name: String) -> String {
    Repository.path("Tests/TokenizersTests/Fixtures/" + name)
}

/// The results of the `tokenizers` package; the provenance is in the file.
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
