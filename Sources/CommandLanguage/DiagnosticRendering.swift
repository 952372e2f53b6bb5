/// A place in a source, in the numbers of an editor.
public struct SourcePosition: Hashable, Sendable {
    /// From 1.
    public var line: Int
    /// In characters (extended grapheme clusters), from 1.
    public var column: Int

    /// The position of a UTF-8 offset; the end of the source if the offset lies beyond it. Cost:
    /// one pass over the bytes before the offset.
    ///
    /// - Parameter firstLine: the number of the source's first line.
    public init(of offset: Int, in source: String, firstLine: Int = 1) {
        let before = SourceSpan(lower: 0, upper: offset).text(in: source)
        let bytes = before.utf8
        line = firstLine + bytes.count { $0 == UInt8(ascii: "\n") }
        let start = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes.index(after: $0) }
        column = 1 + before[(start ?? before.startIndex)...].count
    }
}

extension Diagnostic {
    /// The diagnostic in the form that users see: the sentence, the line with a caret under the
    /// place, and a suggestion.
    ///
    /// ```
    /// error: `rollout` has no key `temprature`
    ///   rollout queries temprature=0.7
    ///                   ^~~~~~~~~~
    ///   did you mean `temperature`?
    ///   try: rollout queries temperature=0.7
    /// ```
    ///
    /// - Parameters:
    ///   - source: the parsed text.
    ///   - origin: if it is a file, the first line begins with `file:line:column:`.
    ///   - width: number of cells in a line of the terminal. Of a longer source line, the part
    ///     around the place is shown.
    ///   - color: whether to use terminal escapes for emphasis.
    ///   - wraps: whether longer sentences are broken at blanks. A terminal would break them inside
    ///     words; a program that reads a log wants them whole.
    public func rendered(
        in source: String, origin: SourceOrigin = .prompt, width: Int = 80, color: Bool = false,
        wraps: Bool = false
    ) -> String {
        func paint(_ code: String, _ text: String) -> String {
            color ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
        }
        func wrapped(_ sentence: String, indent: String = "") -> [String] {
            guard wraps else { return [indent + sentence] }
            return sentence.wrapped(cells: max(20, width - indent.count)).map { indent + $0 }
        }
        var place = ""
        if let file = origin.file {
            let position = SourcePosition(
                of: span.lower, in: source, firstLine: origin.firstLine)
            place =
                origin.cell.map { "\(file): cell \($0), line \(position.line): " }
                ?? "\(file):\(position.line):\(position.column): "
        }
        let label = "error:"
        var lines = wrapped(place + label + " " + message.printable)
        if lines[0].hasPrefix(place + label) {
            lines[0] = place + paint("1;31", label) + lines[0].dropFirst((place + label).count)
        }
        let excerpt = Excerpt(source, span, width: max(20, width - 2))
        lines.append("  " + excerpt.text)
        lines.append("  " + excerpt.indent + paint("1;32", excerpt.marker))
        if let suggestion { lines += wrapped(suggestion.printable, indent: "  ") }
        if let corrected {
            let shown = corrected.split(separator: "\n", omittingEmptySubsequences: false)
                .map { String($0).printable }.joined(separator: "\n       ")
            lines.append("  try: " + shown)
        }
        return lines.joined(separator: "\n")
    }
}

/// The line that contains a place, cut to a width around it, with the caret under the place.
private struct Excerpt {
    var text = ""
    var indent = ""
    var marker = "^"

    init(_ source: String, _ span: SourceSpan, width: Int) {
        let bytes = Array(source.utf8)
        var lower = min(max(span.lower, 0), bytes.count)
        // A place at the very end belongs to the last line that is not empty.
        while lower == bytes.count, lower > 0, bytes[lower - 1] == UInt8(ascii: "\n") { lower -= 1 }
        let newline = UInt8(ascii: "\n")
        let start = bytes[..<lower].lastIndex(of: newline).map { $0 + 1 } ?? 0
        let end = bytes[lower...].firstIndex(of: newline) ?? bytes.count
        let upper = min(max(span.upper, lower), end)

        func cut(_ range: Range<Int>) -> String {
            String(decoding: bytes[range], as: UTF8.self).printable
        }
        // In a long line, only this many bytes on both sides can be visible.
        let reach = 8 * width
        var before = cut(max(start, lower - reach)..<lower)
        var under = cut(lower..<min(upper, lower + reach))
        var after = cut(upper..<min(end, upper + reach))
        if before.displayWidth + under.displayWidth + after.displayWidth > width {
            let kept = before.suffix(cells: width / 2)
            if kept.count < before.count || lower - start > reach { before = "…" + kept }
            let room = max(1, width - before.displayWidth - 1)
            let shown = under.prefix(cells: room)
            if shown.count < under.count {
                under = shown
                after = "…"
            } else {
                let rest = after.prefix(cells: max(0, room - under.displayWidth))
                after = rest + (rest.count < after.count || end - upper > reach ? "…" : "")
            }
        }
        text = before + under + after
        indent = String(repeating: " ", count: before.displayWidth)
        marker = "^" + String(repeating: "~", count: max(0, under.displayWidth - 1))
    }
}
