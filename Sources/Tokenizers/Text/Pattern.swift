import Patterns
import Synchronization

/// A literal text or a regular expression from a tokenizer file.
final class Pattern: Sendable {
    let source: String
    private let matcher: Matcher

    private enum Matcher: Sendable {
        case literal([UInt8])
        case code(PatternCode)
        case recent(PatternCode, RecentCode)
    }

    /// Compiles a pattern in Oniguruma's dialect.
    init(_ source: String, field: String) throws {
        self.source = source
        let pattern = try PatternTranslation.translate(source, field: field)
        let code = try Pattern.code(pattern, source: source, field: field)
        matcher =
            PatternTranslation.readsProperties(source)
            ? .recent(code, RecentCode(source: source, field: field)) : .code(code)
    }

    /// A pattern that matches a literal text.
    init(literal: String, field: String) throws {
        source = literal
        let bytes = Array(literal.utf8)
        matcher =
            bytes.isEmpty
            ? .code(try Pattern.code(bytes, isLiteral: true, source: literal, field: field))
            : .literal(bytes)
    }

    /// Throws if PCRE2 refuses the pattern; `source` is the file's form of it.
    private static func code(
        _ pattern: [UInt8], isLiteral: Bool = false, source: String, field: String
    ) throws -> PatternCode {
        do throws(PatternProblem) {
            return try PatternCode(pattern, isLiteral: isLiteral)
        } catch {
            throw TokenizerError.badPattern(
                field: field, pattern: source, problem: error.description)
        }
    }

    /// The length of the literal text; nil for a regular expression.
    var literalLength: Int? {
        if case .literal(let text) = matcher { return text.count }
        return nil
    }

    /// Calls `body` with every match in a range of the bytes, from left to right. The pattern sees
    /// only this range.
    func forEachMatch(_ bytes: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        switch matcher {
        case .literal(let text): Self.find(text, bytes, range, body)
        case .code(let code): code.forEachMatch(bytes, range, body)
        case .recent(let code, let recent):
            let wider =
                RecentCharacters.ofThisLibrary.occur(in: bytes, range) ? recent.code : nil
            (wider ?? code).forEachMatch(bytes, range, body)
        }
    }

    private static func find(
        _ text: [UInt8], _ bytes: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void
    ) {
        var place = range.lowerBound
        while place + text.count <= range.upperBound {
            if bytes[place] == text[0], bytes[place..<place + text.count].elementsEqual(text) {
                body(place..<place + text.count)
                place += text.count
            } else {
                place += 1
            }
        }
    }
}

/// The code of a pattern for texts with characters that are too new for PCRE2; compiled for the
/// first such text.
private final class RecentCode: Sendable {
    private let source: String
    private let field: String
    private let compiled = Mutex<PatternCode??>(nil)

    init(source: String, field: String) {
        (self.source, self.field) = (source, field)
    }

    /// Nil if PCRE2 refuses the longer pattern.
    var code: PatternCode? {
        compiled.withLock { compiled in
            if let known = compiled { return known }
            let pattern = try? PatternTranslation.translate(
                source, field: field, recent: RecentCharacters.ofThisLibrary)
            let code = pattern.flatMap { try? PatternCode($0) }
            compiled = .some(code)
            return code
        }
    }
}
