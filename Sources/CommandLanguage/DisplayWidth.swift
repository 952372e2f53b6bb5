/// The number of cells that text takes in a terminal (after Unicode Standard Annex 11).
extension Unicode.Scalar {
    /// 0 for combining marks, controls and joiners, 2 for wide characters and emoji, else 1.
    public var displayWidth: Int {
        if value < 0x300 { return value >= 0x20 && !(0x7F..<0xA0).contains(value) ? 1 : 0 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if properties.isEmojiPresentation { return 2 }
        return Unicode.Scalar.wideRanges.contains { $0.contains(value) } ? 2 : 1
    }

    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF,
        0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]
}

extension Character {
    /// A cluster takes the width of its widest scalar; with the emoji selector, 2.
    public var displayWidth: Int {
        var width = 0
        for scalar in unicodeScalars {
            width = max(width, scalar == "\u{FE0F}" ? 2 : scalar.displayWidth)
        }
        return width
    }
}

extension StringProtocol {
    /// Cells in a terminal, for text without escapes and line breaks.
    public var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

    /// The longest beginning that fits in a number of cells.
    public func prefix(cells: Int) -> String {
        var used = 0
        return String(
            prefix { character in
                used += character.displayWidth
                return used <= cells
            })
    }

    /// The longest end that fits in a number of cells.
    public func suffix(cells: Int) -> String {
        var used = 0
        var kept: [Character] = []
        for character in reversed() {
            used += character.displayWidth
            if used > cells { break }
            kept.append(character)
        }
        return String(kept.reversed())
    }

    /// Lines of at most a number of cells, broken at blanks; a longer word is broken inside.
    public func wrapped(cells: Int) -> [String] {
        let cells = Swift.max(1, cells)
        var lines: [String] = []
        for paragraph in split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            var used = 0
            for part in paragraph.split(separator: " ", omittingEmptySubsequences: false) {
                var word = String(part)
                var width = word.displayWidth
                if !line.isEmpty, used + 1 + width > cells {
                    lines.append(line)
                    (line, used) = ("", 0)
                }
                while width > cells {
                    let head = word.prefix(cells: cells)
                    guard !head.isEmpty else { break }
                    lines.append(head)
                    word.removeFirst(head.count)
                    width = word.displayWidth
                }
                used += width + (line.isEmpty ? 0 : 1)
                line += line.isEmpty ? word : " " + word
            }
            lines.append(line)
        }
        return lines
    }

    /// The text with U+FFFD in place of every control character and a blank in place of a tab. The
    /// content of a file or a paste must not control the terminal.
    public var printable: String {
        guard unicodeScalars.contains(where: { $0.isControl }) else { return String(self) }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            result.append(scalar.isControl ? (scalar == "\t" ? " " : "\u{FFFD}") : scalar)
        }
        return String(result)
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { value < 0x20 || (0x7F..<0xA0).contains(value) }
}
