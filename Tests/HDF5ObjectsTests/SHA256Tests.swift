import Foundation
import Testing

@testable import HDF5Objects

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4 examples, published by NIST.
    @Test(
        "gives the published digests",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func published(text: String, digest: String) {
        #expect(sha256(Array(text.utf8)) == digest)
    }

    @Test("does not depend on how the bytes are divided, and continues after a digest was read")
    func pieces() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for size in [1, 7, 63, 64, 65, 999] {
            var hash = SHA256()
            for start in stride(from: 0, to: bytes.count, by: size) {
                hash.update(bytes[start..<min(start + size, bytes.count)])
                _ = hash.digest
            }
            #expect(hash.digest == SHA256.hash(bytes), "pieces of \(size) bytes")
        }
    }
}
