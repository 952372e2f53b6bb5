import DataFiles
import Foundation
import Testing

/// Files that Python's `gzip` wrote: `gzip.compress(b"..." , mtime=0)`.
@Suite struct GzipTests {
    /// "one line\nanother line\n", made with `gzip.compress(text, mtime=0)`.
    static let small =
        Data(
            base64Encoded: "H4sIAAAAAAACA8vPS1XIycxL5UrMyy/JSC2CcADoEjt6FgAAAA==") ?? Data()
    /// 4 MiB of zeros, compressed twice: 79 bytes.
    static let bomb =
        Data(
            base64Encoded: "H4sIAAAAAAACA5Pv5mAAASbmtwcZGYGMJoX/6/M8HBgZRsEoGAWjYBSMglEw"
                + "CkbBKBgFo2AUjIJRMNRBjXSWg7sgA4MDAwBZZBRbAhAAAA==") ?? Data()

    @Test func `a member, and several one after the other`() throws {
        #expect(Gzip.isCompressed(Self.small) && !Gzip.isCompressed(Data("{}".utf8)))
        let text = "one line\nanother line\n"
        #expect(
            String(decoding: try Gzip.decompressed(Self.small, limit: 100), as: UTF8.self) == text)
        #expect(
            String(
                decoding: try Gzip.decompressed(Self.small + Self.small, limit: 100), as: UTF8.self)
                == text + text)
        // As on a tape.
        let padded = Self.small + Data(count: 512)
        #expect(try Gzip.decompressed(padded, limit: 100) == Data(text.utf8))
    }

    @Test func `a file that is cut anywhere, or damaged, is no file`() {
        for length in 2..<Self.small.count {
            #expect(throws: Gzip.Fault.cut, "\(length) bytes") {
                try Gzip.decompressed(Self.small.prefix(length), limit: 100)
            }
        }
        for place in Self.small.indices.dropFirst(10) {
            var damaged = Self.small
            damaged[place] ^= 0x10
            #expect(throws: Gzip.Fault.self, "byte \(place)") {
                try Gzip.decompressed(damaged, limit: 100)
            }
        }
        #expect(throws: Gzip.Fault.damaged) {
            try Gzip.decompressed(Self.small + Data("more".utf8), limit: 100)
        }
        #expect(throws: Gzip.Fault.damaged) {
            try Gzip.decompressed(Data("{\"a\": 1}".utf8), limit: 100)
        }
    }

    @Test func `more bytes than the limit are not made`() throws {
        let inner = try Gzip.decompressed(Self.bomb, limit: 1 << 20)
        #expect(throws: Gzip.Fault.tooLarge(limit: 1 << 20)) {
            try Gzip.decompressed(inner, limit: 1 << 20)
        }
        #expect(try Gzip.decompressed(inner, limit: 1 << 22) == Data(count: 1 << 22))
        #expect(throws: Gzip.Fault.tooLarge(limit: 21)) {
            try Gzip.decompressed(Self.small, limit: 21)
        }
        #expect(try Gzip.decompressed(Self.small, limit: 22).count == 22)
    }
}
