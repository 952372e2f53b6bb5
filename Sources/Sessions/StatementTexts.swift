import CommandLanguage

/// The texts of a program's statements, as a reader of the source sees them.
struct StatementTexts {
    private let bytes: [UInt8]
    /// The end of the text that was returned last.
    private var end = 0

    init(_ program: Program) { bytes = Array(program.source.utf8) }

    /// The text of the next statement, with the comments before it.
    ///
    /// - Parameter explains: whether lines with `#>` are the explanation of the output before them,
    ///   and no comments.
    mutating func next(
        _ statement: Statement, explains: Bool
    ) -> (explanation: String, text: String) {
        let start = min(end, statement.span.lower)
        end = min(max(statement.span.upper, end), bytes.count)
        var next = skipBlanks(end)
        if next < bytes.count, bytes[next] == UInt8(ascii: ";") {
            end = next + 1
            next = skipBlanks(end)
        }
        if next < bytes.count, bytes[next] == UInt8(ascii: "#") {
            end = bytes[next...].firstIndex(of: 0x0A) ?? bytes.count
        }
        var text = Substring(String(decoding: bytes[start..<end], as: UTF8.self))
        while text.first?.isWhitespace == true { text.removeFirst() }
        return explains ? StatementTexts.divided(text) : ("", String(text))
    }

    /// The explanation after the last statement.
    var rest: String {
        StatementTexts.divided(Substring(String(decoding: bytes[end...], as: UTF8.self)))
            .explanation
    }

    /// Takes the lines with `#>` at the beginning out of a text.
    private static func divided(_ text: Substring) -> (explanation: String, text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        var explanation: [Substring] = []
        while let line = lines.first, line.allSatisfy(\.isWhitespace) || line.hasPrefix("#>") {
            if line.hasPrefix("#>") { explanation.append(line.dropFirst(2).drop { $0 == " " }) }
            lines.removeFirst()
        }
        return (explanation.joined(separator: " "), lines.joined(separator: "\n"))
    }

    private func skipBlanks(_ place: Int) -> Int {
        var place = place
        while place < bytes.count, bytes[place] == 0x20 || bytes[place] == 0x09 { place += 1 }
        return place
    }
}
