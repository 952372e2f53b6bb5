import Foundation

/// Changes to files of strangers.
public enum Mutations {
    /// Mutated inputs for each reader; the long form sets the variable.
    public static let count =
        ProcessInfo.processInfo.environment["SAMI_TEST_MUTATIONS"].flatMap { Int($0) } ?? 1000

    /// Flips, overwrites, cuts, repeats and inserts; sometimes numbers that matter to a parser.
    public static func apply(
        to original: Data, _ random: inout SeededGenerator
    ) -> Data {
        var bytes = [UInt8](original)
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 3:
                let value = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
                for offset in place..<min(place + 8, bytes.count) { bytes[offset] = UInt8(value) }
            case 4: bytes.removeSubrange(place...)
            case 5:
                let end = min(bytes.count, place + Int.random(in: 1...64, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...64, using: &random))
                bytes.removeSubrange(place..<end)
            }
        }
        return Data(bytes)
    }
}
