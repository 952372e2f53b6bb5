import CPCRE2

/// Why a search ended without an answer.
package enum PatternStop: Error {
    /// A match took too many steps, as `(a+)+b` does on a long row of a's.
    case gaveUp
    case interrupted
}

extension PatternCode {
    /// Steps of a search from all places of a text together, about a second. PCRE2 counts the steps
    /// from each place anew, so a long text leaves each place fewer of them, but always a few for
    /// each byte: a plain `.*` takes as many.
    private static let allSteps = 1_000_000_000
    private static let mostSteps = 10_000_000
    /// Steps between two questions whether to stop.
    private static let stepsOfPart = 20_000_000

    /// Whether the pattern matches anywhere in the text. The places where a match may begin are
    /// tried part by part.
    package func occurs(
        in text: String, isInterrupted: () -> Bool = { false }
    ) throws(PatternStop) -> Bool {
        guard let match = pcre2_match_data_create_8(1, nil) else { throw .gaveUp }
        defer { pcre2_match_data_free_8(match) }
        guard let context = pcre2_match_context_create_8(nil) else { throw .gaveUp }
        defer { pcre2_match_context_free_8(context) }
        var text = text
        let count = text.utf8.count
        let steps = min(Self.mostSteps, max(Self.allSteps / max(1, count), 4 * count))
        pcre2_set_match_limit_8(context, UInt32(steps))
        let part =
            dependsOnStart ? count + 1 : max(1, Self.stepsOfPart / max(1, steps), count / 4096)
        let result = text.withUTF8 { bytes -> Result<Bool, PatternStop> in
            // An empty text may have no address.
            let empty: [UInt8] = [0]
            return empty.withUnsafeBufferPointer { empty in
                let subject = bytes.baseAddress ?? empty.baseAddress
                var start = 0
                while start <= count {
                    if isInterrupted() { return .failure(.interrupted) }
                    var end = min(start + part, count + 1)
                    // A part begins at a character.
                    while end < count, bytes[end] & 0xC0 == 0x80 { end += 1 }
                    pcre2_set_offset_limit_8(context, end - 1)
                    let found = self.match(subject, count, from: start, match, context)
                    if found > 0 { return .success(true) }
                    guard found == PCRE2_ERROR_NOMATCH else { return .failure(.gaveUp) }
                    start = end
                }
                return .success(false)
            }
        }
        return try result.get()
    }
}
