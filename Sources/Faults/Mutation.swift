import Foundation

/// Changes to bytes that often expose faults in parsers.
enum Mutation {
    /// Byte sequences that have a meaning for at least one reader.
    private static let pieces: [[UInt8]] = [
        "{", "}", "[", "]", "\"", "\\", ",", ":", "null", "true", "1e999", "-1", "0", "1e18",
        "99999999999999999999", "0.5", "NaN", "\\ud800", "\\u0000", "\n", "\r\n", "\u{0}",
        "[[[[[[[[", "((((((((", "{\"a\":", "//", "..", "../../..", "(", ")", "=", "==", "**", "@",
        ";", "'", "#", "😀", "e\u{301}", "\u{FEFF}", "<s>", " ", "\t", "9223372036854775807",
        "-9223372036854775808", "4294967296", "x", "\"\"",
    ].map { Array($0.utf8) }

    /// Values to try for lengths, offsets and counts, little-endian.
    private static let counts: [UInt64] = [
        0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
        0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
    ]

    static func apply(to original: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        // Most mutated files differ in one place, a few in many places.
        let changes = Int.random(in: 0..<8, using: &random) == 0 ? 16 : 3
        for _ in 0..<Int.random(in: 1...changes, using: &random) where !bytes.isEmpty {
            change(&bytes, &random)
        }
        return bytes
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let place = Int.random(in: bytes.indices, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1...64, using: &random))
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 3:
            let value = counts.randomElement(using: &random) ?? 0
            let width = [1, 2, 4, 8].randomElement(using: &random) ?? 8
            for offset in 0..<width where place + offset < bytes.count {
                bytes[place + offset] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(offset)))
            }
        case 4: bytes.removeSubrange(place...)
        case 5: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 6: bytes.removeSubrange(place..<end)
        case 7, 8:
            bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
        case 9:
            let piece = pieces.randomElement(using: &random) ?? []
            bytes.replaceSubrange(place..<end, with: piece)
        case 10: number(&bytes, from: place, &random)
        default:
            // The same part at another place: repeated keys, fields out of order.
            let part = Array(bytes[place..<end])
            bytes.insert(contentsOf: part, at: Int.random(in: bytes.indices, using: &random))
        }
    }

    /// Replaces the next number that is written in digits.
    private static func number(
        _ bytes: inout [UInt8], from place: Int, _ random: inout SeededGenerator
    ) {
        let isDigit = { (byte: UInt8) in byte >= 0x30 && byte <= 0x39 }
        guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        let texts = [
            "0", "-1", "1", "2147483648", "4294967295", "1000000000", "9223372036854775807",
            "18446744073709551615", "1e308", "0.1",
            "\(UInt64.random(in: 0...UInt64.max, using: &random))",
        ]
        bytes.replaceSubrange(
            start..<end, with: Array((texts.randomElement(using: &random) ?? "0").utf8))
    }
}
