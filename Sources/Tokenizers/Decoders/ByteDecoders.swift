/// Converts printable characters back to bytes. Invalid UTF-8 becomes U+FFFD.
struct ByteLevelDecoder: TokenDecoder {
    func spelledBytes(_ token: String) -> [UInt8]? { ByteAlphabet.decoded(token) }

    func apply(_ tokens: [String]) -> [String] {
        [String(decoding: tokens.flatMap { ByteAlphabet.decoded($0) }, as: UTF8.self)]
    }
}

/// Converts runs of `<0xE2>` back to characters. In a run that is not valid UTF-8 as a whole, each
/// byte becomes one U+FFFD.
struct ByteFallbackDecoder: TokenDecoder {
    var namesBytes: Bool { true }

    func spelledBytes(_ token: String) -> [UInt8]? { Self.byte(token).map { [$0] } }

    func apply(_ tokens: [String]) -> [String] {
        var decoded: [String] = []
        var run: [UInt8] = []
        func endRun() {
            if let text = String(validating: run, as: UTF8.self) {
                if !run.isEmpty { decoded.append(text) }
            } else {
                decoded += run.map { _ in "\u{FFFD}" }
            }
            run.removeAll()
        }
        for token in tokens {
            if let byte = Self.byte(token) {
                run.append(byte)
            } else {
                endRun()
                decoded.append(token)
            }
        }
        endRun()
        return decoded
    }

    /// The byte of a token such as `<0xE2>`.
    static func byte(_ token: String) -> UInt8? {
        let text = Array(token.utf8)
        guard text.count == 6, text.starts(with: Array("<0x".utf8)), text[5] == UInt8(ascii: ">")
        else { return nil }
        return UInt8(String(decoding: text[3...4], as: UTF8.self), radix: 16)
    }
}
