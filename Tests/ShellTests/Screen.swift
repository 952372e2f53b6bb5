import CommandLanguage

/// The screen of a terminal, for tests: enough of ECMA-48 to follow libedit and the shell.
struct Screen {
    private(set) var columns: Int
    private var rows: [[Character]] = [[]]
    private var row = 0
    private var column = 0
    private var pending = ""

    init(columns: Int) { self.columns = columns }

    /// All rows that were ever written, without blanks at their ends and empty rows below.
    var text: String {
        var lines = rows.map { row -> String in
            // The second cell of a wide character holds nothing.
            var line = String(row.filter { $0 != "\u{0}" })
            while line.last == " " { line.removeLast() }
            return line
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    mutating func resize(columns: Int) { self.columns = columns }

    mutating func write(_ text: String) {
        var scalars = Array((pending + text).unicodeScalars)[...]
        pending = ""
        while let scalar = scalars.popFirst() {
            guard scalar == "\u{1B}" else {
                put(scalar)
                continue
            }
            guard let length = escapeLength(scalars) else {
                pending = "\u{1B}" + String(String.UnicodeScalarView(scalars))
                return
            }
            obey(String(String.UnicodeScalarView(scalars.prefix(length))))
            scalars = scalars.dropFirst(length)
        }
    }

    /// Number of scalars in the sequence after ESC; nil if its end has not arrived.
    private func escapeLength(_ scalars: ArraySlice<Unicode.Scalar>) -> Int? {
        guard let first = scalars.first else { return nil }
        guard first == "[" else { return first == "(" || first == ")" ? 2 : 1 }
        for (index, scalar) in scalars.enumerated().dropFirst()
        where (0x40...0x7E).contains(scalar.value) {
            return index + 1
        }
        return nil
    }

    private mutating func obey(_ sequence: String) {
        guard sequence.hasPrefix("["), let command = sequence.last else { return }
        let body = sequence.dropFirst().dropLast()
        let count = max(1, Int(body) ?? 1)
        switch command {
        case "A": row = max(0, row - count)
        case "B": moveTo(row + count)
        case "C": column = min(columns - 1, column + count)
        case "D": column = max(0, column - count)
        case "G": column = min(columns, count) - 1
        case "H": (row, column) = (0, 0)
        case "J":
            if body == "2" { rows = [[]] }
            clearToEndOfLine()
            rows.removeSubrange((row + 1)...)
        case "K": clearToEndOfLine()
        case "P":
            rows[row].removeSubrange(
                min(column, rows[row].count)..<min(column + count, rows[row].count))
        case "@":
            pad()
            rows[row].insert(contentsOf: Array(repeating: " ", count: count), at: column)
        default: break
        }
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\r": column = 0
        case "\n": moveTo(row + 1)
        case "\u{8}": column = max(0, column - 1)
        case "\t": column = min(columns - 1, column + 8 - column % 8)
        default:
            guard scalar.value >= 0x20 else { return }
            let width = scalar.displayWidth
            if width == 0 {
                if column > 0, column <= rows[row].count, rows[row][column - 1] != "\u{0}" {
                    rows[row][column - 1] = Character(
                        String(rows[row][column - 1]) + String(scalar))
                }
                return
            }
            if column + width > columns {
                moveTo(row + 1)
                column = 0
            }
            pad()
            for cell in 0..<width {
                let character = cell == 0 ? Character(scalar) : "\u{0}"
                if column < rows[row].count {
                    rows[row][column] = character
                } else {
                    rows[row].append(character)
                }
                column += 1
            }
        }
    }

    private mutating func moveTo(_ target: Int) {
        row = target
        while rows.count <= row { rows.append([]) }
    }

    private mutating func clearToEndOfLine() {
        if column < rows[row].count { rows[row].removeSubrange(column...) }
    }

    private mutating func pad() {
        while rows[row].count < column { rows[row].append(" ") }
    }
}
