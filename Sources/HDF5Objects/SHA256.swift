import CCrypto
import Foundation

/// An incremental SHA-256 (FIPS 180-4), computed by libcrypto.
///
/// HDF5 loads libcrypto already, so this adds no library to the program, and nothing to compile.
/// Cost: about 2 GB/s on a processor with SHA instructions.
package struct SHA256 {
    package static let byteCount = Int(SHA256_DIGEST_LENGTH)

    private var state = SHA256_CTX()

    package init() {
        SHA256_Init(&state)
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        SHA256_Update(&state, start, bytes.count)
    }

    package mutating func update(_ data: some DataProtocol) {
        for region in data.regions {
            region.withUnsafeBytes { update($0) }
        }
    }

    /// The digest of all bytes so far. The hash can be continued afterwards.
    package var digest: [UInt8] {
        var end = state
        return [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            SHA256_Final(buffer.baseAddress, &end)
            count = Self.byteCount
        }
    }

    package static func hash(_ data: some DataProtocol) -> [UInt8] {
        var hash = SHA256()
        hash.update(data)
        return hash.digest
    }
}
