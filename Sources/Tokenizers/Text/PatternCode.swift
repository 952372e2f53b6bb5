import CPCRE2

/// A pattern compiled by PCRE2 with its JIT and Unicode properties.
///
/// The code is never changed and PCRE2 lets threads share it, hence unchecked.
final class PatternCode: @unchecked Sendable {
    private let code: OpaquePointer

    /// Throws for a pattern that PCRE2 does not take; `source` is how the file writes it.
    init(_ pattern: [UInt8], isLiteral: Bool = false, source: String, field: String) throws {
        let options =
            isLiteral
            ? UInt32(PCRE2_LITERAL)
            : UInt32(PCRE2_UCP) | UInt32(PCRE2_MULTILINE) | UInt32(PCRE2_NEVER_BACKSLASH_C)
        // A line ends at a line feed, however PCRE2 was built.
        let whole = isLiteral ? pattern : Array("(*LF)(*BSR_UNICODE)".utf8) + pattern
        var number: Int32 = 0
        var offset = 0
        let code = whole.withUnsafeBufferPointer {
            pcre2_compile_8(
                $0.baseAddress, $0.count, UInt32(PCRE2_UTF) | options, &number, &offset, nil)
        }
        guard let code else {
            throw TokenizerError.badPattern(
                field: field, pattern: source, problem: Self.message(number))
        }
        self.code = code
        // Without a JIT on this processor PCRE2 interprets the pattern: slower, the same matches.
        pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
    }

    deinit { pcre2_code_free_8(code) }

    /// Calls back with every match in a range of the bytes, from left to right. The range is all the
    /// pattern sees. Where the pattern gives up (PCRE2's limit on backtracking, which only a hostile
    /// pattern reaches), the rest holds no match.
    func forEachMatch(_ bytes: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        guard !range.isEmpty, let match = pcre2_match_data_create_8(1, nil) else { return }
        defer { pcre2_match_data_free_8(match) }
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, range.upperBound <= buffer.count else { return }
            let subject = base + range.lowerBound
            var start = 0
            var lastEnd = -1
            while start <= range.count {
                var result = pcre2_match_8(
                    code, subject, range.count, start, UInt32(PCRE2_NO_UTF_CHECK), match, nil)
                if result == PCRE2_ERROR_JIT_STACKLIMIT {
                    result = pcre2_match_8(
                        code, subject, range.count, start,
                        UInt32(PCRE2_NO_UTF_CHECK) | UInt32(PCRE2_NO_JIT), match, nil)
                }
                guard result > 0, let offsets = pcre2_get_ovector_pointer_8(match) else { return }
                let (lower, upper) = (offsets[0], offsets[1])
                guard lower <= upper, upper <= range.count, lower >= start || upper > start else {
                    return
                }
                if lower == upper {
                    start =
                        upper < range.count ? upper + characterLength(subject[upper]) : upper + 1
                    // An empty match right behind another match is not one.
                    if lower == lastEnd { continue }
                } else {
                    start = upper
                }
                lastEnd = upper
                body(range.lowerBound + lower..<range.lowerBound + upper)
            }
        }
    }

    private static func message(_ number: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let length = pcre2_get_error_message_8(number, &text, text.count)
        return length > 0
            ? String(decoding: text.prefix(Int(length)), as: UTF8.self) : "error \(number)"
    }
}
