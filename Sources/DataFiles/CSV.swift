/// Comma-separated values as RFC 4180 describes them: cells in quotes may contain commas, quotes
/// (doubled) and line ends.
///
/// The file may come from a stranger: nothing is allocated but the cells of one row at a time.
///
/// ```swift
/// var reader = CSV.Reader(bytes)
/// while let row = try reader.next() { print(row.line, row.cells) }
/// ```
public enum CSV {
    /// One cell. Quotes say that `"1"` is a text and `""` an empty one, where `1` is a number and
    /// nothing at all is no value.
    public enum Cell: Equatable, Sendable {
        case empty
        case bare(String)
        case quoted(String)

        public var text: String {
            switch self {
            case .empty: ""
            case .bare(let text), .quoted(let text): text
            }
        }
    }

    public struct Row: Equatable, Sendable {
        /// The number of its first line, from 1.
        public var line: Int
        public var cells: [Cell]
    }

    /// The reason why a line cannot be read.
    public struct Fault: Error, Equatable, Sendable {
        public enum Problem: Equatable, Sendable {
            case unclosedQuote, textAfterQuote, notUTF8
        }
        public var line: Int
        public var problem: Problem
    }

    /// Reads row by row. Lines without any character are skipped; a mark of the byte order at the
    /// start is no part of the first cell.
    public struct Reader {
        private let bytes: [UInt8]
        private var place: Int
        private var line = 1

        public init(_ bytes: [UInt8]) {
            self.bytes = bytes
            place = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        }

        /// The next row; nil at the end.
        public mutating func next() throws(Fault) -> Row? {
            while place < bytes.count, skipLineEnd() { line += 1 }
            guard place < bytes.count else { return nil }
            var row = Row(line: line, cells: [])
            while true {
                row.cells.append(try cell())
                if place < bytes.count, bytes[place] == UInt8(ascii: ",") {
                    place += 1
                    continue
                }
                if skipLineEnd() { line += 1 }
                return row
            }
        }

        /// Skips one line end: LF, CRLF or CR.
        private mutating func skipLineEnd() -> Bool {
            guard place < bytes.count, isLineEnd(bytes[place]) else { return false }
            let isPair =
                bytes[place] == UInt8(ascii: "\r") && place + 1 < bytes.count
                && bytes[place + 1] == UInt8(ascii: "\n")
            place += isPair ? 2 : 1
            return true
        }

        private func isLineEnd(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        }

        private mutating func cell() throws(Fault) -> Cell {
            guard place < bytes.count else { return .empty }
            if bytes[place] == UInt8(ascii: "\"") { return .quoted(try quotedText()) }
            let start = place
            while place < bytes.count, bytes[place] != UInt8(ascii: ","), !isLineEnd(bytes[place]) {
                place += 1
            }
            return start == place ? .empty : .bare(try text(bytes[start..<place], line))
        }

        private mutating func quotedText() throws(Fault) -> String {
            let first = line
            var content: [UInt8] = []
            place += 1
            while place < bytes.count {
                let byte = bytes[place]
                place += 1
                if byte == UInt8(ascii: "\"") {
                    let isDoubled = place < bytes.count && bytes[place] == UInt8(ascii: "\"")
                    guard isDoubled else {
                        if place < bytes.count, bytes[place] != UInt8(ascii: ","),
                            !isLineEnd(bytes[place])
                        {
                            throw Fault(line: line, problem: .textAfterQuote)
                        }
                        return try text(content[...], first)
                    }
                    place += 1
                }
                if byte == UInt8(ascii: "\n") { line += 1 }
                content.append(byte)
            }
            throw Fault(line: first, problem: .unclosedQuote)
        }

        private func text(_ bytes: ArraySlice<UInt8>, _ line: Int) throws(Fault) -> String {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Fault(line: line, problem: .notUTF8)
            }
            return text
        }
    }
}

extension CSV.Fault: CustomStringConvertible {
    public var description: String {
        switch problem {
        case .unclosedQuote: "a cell's opening quote has no closing one"
        case .textAfterQuote: "a closing quote must be followed by a comma or the end of the line"
        case .notUTF8: "it has bytes that are not UTF-8"
        }
    }
}
