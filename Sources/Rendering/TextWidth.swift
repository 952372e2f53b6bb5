import CommandLanguage

/// Fitting text into columns of a terminal.
package enum TextWidth {
    package static func of(_ text: some StringProtocol) -> Int {
        // Most drawn text is printable ASCII and needs no Unicode tables.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
        return text.displayWidth
    }

    /// The longest prefix that fits `columns`, with `…` in place of the rest.
    package static func cut(_ text: String, to columns: Int) -> String {
        guard of(text) > columns else { return text }
        return text.prefix(cells: max(0, columns - 1)) + (columns > 0 ? "…" : "")
    }

    /// The same, but cut in the middle: "model.l…q_proj".
    package static func cutInside(_ text: String, to columns: Int) -> String {
        guard of(text) > columns, columns > 2 else { return cut(text, to: columns) }
        let end = String(String(text.reversed()).prefix(cells: (columns - 1) * 2 / 3).reversed())
        return text.prefix(cells: columns - 1 - of(end)) + "…" + end
    }

    package static func padded(_ text: String, to columns: Int, onLeft: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, columns - of(text)))
        return onLeft ? space + text : text + space
    }

    /// Lines of at most `columns`, broken at blanks if there are any.
    package static func wrapped(_ text: String, to columns: Int) -> [String] {
        text.wrapped(cells: columns)
    }

    /// One line that shows a text: control characters and line ends as escapes.
    package static func oneLine(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) }) else { return String(text) }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar): result += "\\x" + hex(scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Text for a terminal: characters that would move the cursor or change its state become
    /// escapes; line ends and tabs stay.
    package static func printable(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { line in
                line.split(separator: "\t", omittingEmptySubsequences: false)
                    .map { oneLine($0) }.joined(separator: "\t")
            }.joined(separator: "\n")
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
    }

    private static func hex(_ value: UInt32) -> String {
        (value < 16 ? "0" : "") + String(value, radix: 16)
    }
}
