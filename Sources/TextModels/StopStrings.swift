/// Texts that end a completion. They are compared byte by byte: `\r\n\n` contains `\n\n`, which a
/// comparison of characters would not find.
package struct StopStrings: Sendable {
    let stops: [[UInt8]]
    /// The length of the longest stop string in bytes; 0 without any.
    let longest: Int

    package init(_ stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
        longest = self.stops.map(\.count).max() ?? 0
    }

    /// The text before the first stop string, and whether there was one.
    package func cut(_ text: String) -> (text: String, isCut: Bool) {
        let bytes = Array(text.utf8)
        guard let end = stops.compactMap({ first($0, in: bytes) }).min() else {
            return (text, false)
        }
        return (String(decoding: bytes[..<end], as: UTF8.self), true)
    }

    func occur(in text: String) -> Bool {
        let bytes = Array(text.utf8)
        return stops.contains { first($0, in: bytes) != nil }
    }

    private func first(_ stop: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= stop.count else { return nil }
        return (0...bytes.count - stop.count).first { start in
            bytes[start] == stop[0] && bytes[start..<start + stop.count].elementsEqual(stop)
        }
    }
}
