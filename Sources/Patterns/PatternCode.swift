import CPCRE2

/// Why PCRE2 refuses a pattern, in its words.
package struct PatternProblem: Error, Hashable {
    package let description: String
}

/// A pattern compiled by PCRE2 with its JIT and Unicode properties.
///
/// The code never changes and PCRE2 lets threads share it; therefore unchecked.
package final class PatternCode: @unchecked Sendable {
    private let code: OpaquePointer
    /// Whether a match depends on the place where a search began, so that a text is searched as a
    /// whole: `\G`, and verbs such as `(*COMMIT)`.
    let dependsOnStart: Bool

    /// - Parameter isSearch: for `occurs`: `^` and `$` match at the ends of the text. Otherwise
    ///   they match at every line.
    package init(
        _ pattern: [UInt8], isLiteral: Bool = false, isSearch: Bool = false
    ) throws(PatternProblem) {
        let text = String(decoding: pattern, as: UTF8.self)
        dependsOnStart = text.contains("\\G") || text.contains("(*")
        let options =
            isLiteral
            ? UInt32(PCRE2_LITERAL)
            : UInt32(PCRE2_UCP) | UInt32(PCRE2_NEVER_BACKSLASH_C)
                | UInt32(isSearch ? PCRE2_USE_OFFSET_LIMIT : PCRE2_MULTILINE)
        // A line ends at a line feed, whatever the build options of PCRE2.
        let whole = isLiteral ? pattern : Array("(*LF)(*BSR_UNICODE)".utf8) + pattern
        var number: Int32 = 0
        var offset = 0
        let code = whole.withUnsafeBufferPointer {
            pcre2_compile_8(
                $0.baseAddress, $0.count, UInt32(PCRE2_UTF) | options, &number, &offset, nil)
        }
        guard let code else {
            throw PatternProblem(description: Self.message(number))
        }
        self.code = code
        // Without a JIT for this processor PCRE2 interprets the pattern: slower, with the same
        // matches.
        pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
    }

    deinit { pcre2_code_free_8(code) }

    /// Calls `body` with every match in a range of the bytes, from left to right. The pattern sees
    /// only this range. If the pattern gives up (PCRE2's limit on backtracking, which only a
    /// malicious pattern reaches), the rest has no match.
    package func forEachMatch(_ bytes: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        guard !range.isEmpty, let match = pcre2_match_data_create_8(1, nil) else { return }
        defer { pcre2_match_data_free_8(match) }
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, range.upperBound <= buffer.count else { return }
            let subject = base + range.lowerBound
            var start = 0
            var lastEnd = -1
            while start <= range.count {
                let result = self.match(subject, range.count, from: start, match)
                guard result > 0, let offsets = pcre2_get_ovector_pointer_8(match) else { return }
                let (lower, upper) = (offsets[0], offsets[1])
                guard lower <= upper, upper <= range.count, lower >= start || upper > start else {
                    return
                }
                if lower == upper {
                    start =
                        upper < range.count
                        ? upper + Self.characterLength(subject[upper]) : upper + 1
                    // An empty match right after another match does not count.
                    if lower == lastEnd { continue }
                } else {
                    start = upper
                }
                lastEnd = upper
                body(range.lowerBound + lower..<range.lowerBound + upper)
            }
        }
    }

    func match(
        _ subject: UnsafePointer<UInt8>?, _ count: Int, from start: Int, _ match: OpaquePointer,
        _ context: OpaquePointer? = nil
    ) -> Int32 {
        let result = pcre2_match_8(
            code, subject, count, start, UInt32(PCRE2_NO_UTF_CHECK), match, context)
        guard result == PCRE2_ERROR_JIT_STACKLIMIT else { return result }
        return pcre2_match_8(
            code, subject, count, start, UInt32(PCRE2_NO_UTF_CHECK) | UInt32(PCRE2_NO_JIT), match,
            context)
    }

    private static func characterLength(_ lead: UInt8) -> Int {
        lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }

    private static func message(_ number: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(number, &text, text.count)
        return length > 0
            ? String(decoding: text.prefix(Int(length)), as: UTF8.self) : "error \(number)"
    }
}
