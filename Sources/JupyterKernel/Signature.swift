import CCrypto

/// The signature of a message: HMAC-SHA256 over its four dictionaries, as lowercase hexadecimal
/// digits.
struct Signer: Sendable {
    private let key: [UInt8]

    /// - Parameter key: an empty key signs nothing.
    init(key: String) { self.key = Array(key.utf8) }

    var signs: Bool { !key.isEmpty }

    func signature(of parts: some Sequence<[UInt8]>) -> [UInt8] {
        guard signs else { return [] }
        let message = Array(parts.joined())
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var count: UInt32 = 0
        // Fails only for a hash that this library was built without.
        let result = HMAC(
            EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &count)
        precondition(result != nil && count == digest.count)
        let digits = Array("0123456789abcdef".utf8)
        return digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// Compares in a time that does not depend on the place of the first difference.
    func accepts(_ signature: [UInt8], of parts: some Sequence<[UInt8]>) -> Bool {
        guard signs else { return true }
        let wanted = self.signature(of: parts)
        return signature.count == wanted.count
            && CRYPTO_memcmp(signature, wanted, wanted.count) == 0
    }
}
