/// Printable characters back to bytes; bytes that are no UTF-8 become U+FFFD.
struct ByteLevelDecoder: TokenDecoder {
    func apply(_ tokens: [String]) -> [String] {
        [String(decoding: tokens.flatMap { ByteAlphabet.decoded($0) }, as: UTF8.self)]
    }
}

/// Runs of `<0xE2>` back to characters. A run that is not UTF-8 as a whole becomes one U+FFFD a byte.
struct ByteFallbackDecoder: TokenDecoder {
    var namesBytes: Bool { true }

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

    /// The byte that a token such as `<0xE2>` names.
    static func byte(_ token: String) -> UInt8? {
        let text = Array(token.utf8)
        guard text.count == 6, text.starts(with: Array("<0x".utf8)), text[5] == UInt8(ascii: ">")
        else { return nil }
        return UInt8(String(decoding: text[3...4], as: UTF8.self), radix: 16)
    }
}
