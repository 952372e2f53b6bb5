/// GPT-2's representation of bytes as printable characters. Printable Latin-1 characters stand for
/// their own byte; the other 68 bytes use the characters from U+0100 on, so a space is `Ġ`.
enum ByteAlphabet {
    /// The characters by byte.
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0...255).map { (byte: UInt32) in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                return Unicode.Scalar(UInt8(byte))
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? " "
            }
        }
    }()

    /// Their UTF-8 encodings by byte.
    static let encodings: [[UInt8]] = scalars.map { Array(String($0).utf8) }

    /// The bytes by character, for the characters below U+0144; nil if a character stands for no
    /// byte.
    private static let bytes: [UInt8?] = {
        var bytes = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() where Int(scalar.value) < bytes.count {
            bytes[Int(scalar.value)] = UInt8(byte)
        }
        return bytes
    }()

    static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        Int(scalar.value) < bytes.count ? bytes[Int(scalar.value)] : nil
    }

    /// The bytes of a token; the UTF-8 bytes of its spelling if it contains any other character.
    static func decoded(_ token: String) -> [UInt8] {
        var decoded: [UInt8] = []
        for scalar in token.unicodeScalars {
            guard let byte = byte(scalar) else { return Array(token.utf8) }
            decoded.append(byte)
        }
        return decoded
    }
}
