import Testing

@testable import DataFiles

@Suite struct CSVTests {
    private func rows(_ text: String) throws -> [CSV.Row] { try rows(Array(text.utf8)) }

    private func rows(_ bytes: [UInt8]) throws -> [CSV.Row] {
        var reader = CSV.Reader(bytes)
        var rows: [CSV.Row] = []
        while let row = try reader.next() { rows.append(row) }
        return rows
    }

    @Test func `quotes, doubled quotes and line ends inside cells, as RFC 4180 has them`() throws {
        let text = "a,\"b \"\"c\"\", d\"\r\n\"two\nlines\",\r\n\r\nlast,\"\""
        #expect(
            try rows(text) == [
                .init(line: 1, cells: [.bare("a"), .quoted("b \"c\", d")]),
                .init(line: 2, cells: [.quoted("two\nlines"), .empty]),
                .init(line: 5, cells: [.bare("last"), .quoted("")]),
            ])
    }

    @Test func `a mark of the byte order is no part of the first cell`() throws {
        let cells = try rows([0xEF, 0xBB, 0xBF] + Array("id\n1\n".utf8)).map(\.cells)
        #expect(cells == [[.bare("id")], [.bare("1")]])
    }

    @Test func `a fault names its line`() {
        #expect(throws: CSV.Fault(line: 2, problem: .unclosedQuote)) { try rows("a\n\"b\nc") }
        #expect(throws: CSV.Fault(line: 1, problem: .textAfterQuote)) { try rows("\"a\"b") }
        #expect(throws: CSV.Fault(line: 2, problem: .notUTF8)) {
            try rows(Array("a\n".utf8) + [0xFF, 0xFE])
        }
    }

    @Test(
        arguments: [
            ("1", .number(1)), ("-2.5e-3", .number(-0.0025)), (" 12 ", .number(12)),
            (".5", .number(0.5)), ("9007199254740992", .number(9_007_199_254_740_992)),
            ("9007199254740993", .longNumber("9007199254740993")),
            ("-9007199254740993", .longNumber("-9007199254740993")),
            ("123456789012345678901", .longNumber("123456789012345678901")),
            ("-9007199254740992", .number(-9_007_199_254_740_992)), ("007", .text("007")),
            ("0x10", .text("0x10")), ("1_000", .text("1_000")), ("1e", .text("1e")),
            ("-", .text("-")),
            ("true", .bool(true)), ("False", .bool(false)), ("null", .null),
            ("inf", .number(.infinity)),
            ("naN", .text("naN")), ("é", .text("é")),
        ] as [(String, CSV.Cell.Meaning)])
    func `numbers are numbers, and text is text`(text: String, meaning: CSV.Cell.Meaning) {
        #expect(CSV.Cell.bare(text).meaning == meaning)
        #expect(CSV.Cell.quoted(text).meaning == .text(text))
    }

    @Test func `every text comes back as it was written`() throws {
        let texts = [
            "", " ", "a", "1", "-0.5", "true", "null", "nan", "a,b", "a\"b", "\"", "a\r\nb", "\r",
            " a", "a ", "9007199254740993", "007", "é😀", "\u{0}", "\u{FEFF}x", "=1+1",
        ]
        for text in texts {
            let line = CSV.line([CSV.Cell(text: "id"), CSV.Cell(text: text)])
            let cell = try #require(try rows(line).first?.cells.last)
            #expect(cell.meaning == .text(text), "\(text.debugDescription) became \(cell)")
        }
        #expect(try rows(CSV.line([.empty])).map(\.cells) == [[.bare("null")]])
    }
}
