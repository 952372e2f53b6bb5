import Testing

@testable import CommandLanguage

/// Blocks of rendered diagnostics, one blank line between them.
struct Sentences {
    let components: [String]

    init(_ text: String) {
        var blocks: [[Substring]] = [[]]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty { blocks.append([]) } else { blocks[blocks.count - 1].append(line) }
        }
        components = blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
    }
}

func render(_ source: String) -> String {
    grammar.checkingCalls(of: grammar.parse(source)) { _ in false }.diagnostics.map {
        $0.rendered(in: source)
    }.joined(separator: "\n")
}

/// The source line of a rendered diagnostic.
func typed(_ rendered: String) -> String {
    String(rendered.split(separator: "\n", omittingEmptySubsequences: false)[1].dropFirst(2))
}

@Suite struct DiagnosticTests {
    @Test("what a diagnostic suggests is itself right", arguments: 0..<2)
    func corrections(table: Int) {
        let sentences =
            table == 0 ? CommandDiagnosticTests.sentences : ExpressionDiagnosticTests.sentences
        var corrected = 0
        for block in sentences.components {
            for diagnostic in grammar.parse(typed(block)).diagnostics {
                guard let correction = diagnostic.corrected else { continue }
                corrected += 1
                #expect(grammar.parse(correction).diagnostics.isEmpty, "\(correction)")
            }
        }
        #expect(corrected > 10)
    }

    @Test("a file's diagnostic opens with file, line and column, the column in characters")
    func position() {
        let source = "x = 1\ny = \"größe 世界\" )\n"
        let rendered = grammar.parse(source).diagnostics.map {
            $0.rendered(in: source, origin: SourceOrigin(file: "a/b.sami"))
        }
        #expect(
            rendered == [
                """
                a/b.sami:2:16: error: nothing was opened that `)` could close
                  y = "größe 世界" )
                                   ^
                  try: y = "größe 世界"
                """
            ])
    }

    @Test("a long line is cut around the place, and the caret still stands under it")
    func longLine() {
        let long = String(repeating: "wide 世界 ", count: 50)
        let source = "x = \"\(long)\" + ) + \"\(long)\""
        let lines = grammar.parse(source).diagnostics[0].rendered(in: source, width: 60)
            .split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines { #expect(line.displayWidth <= 62, "\(line)") }
        let caret = lines[2].displayWidth
        let before = lines[1].prefix(cells: caret)
        #expect(before.hasSuffix(")"), "\(before)")
    }

    @Test("what was typed cannot steer the terminal")
    func controls() {
        let source = "x = \u{1B}[2J\u{7}\u{0}"
        let rendered = render(source)
        #expect(!rendered.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" }, "\(rendered)")
        #expect(rendered.contains("the character U+001B has no meaning here"))
    }

    @Test("color is in the emphasis only: without it the text is the same")
    func color() {
        let source = "load modle default"
        let diagnostic = grammar.parse(source).diagnostics[0]
        let colored = diagnostic.rendered(in: source, color: true)
        #expect(colored.hasPrefix("\u{1B}[1;31merror:\u{1B}[0m "))
        let plain = colored.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        #expect(plain == diagnostic.rendered(in: source))
    }

    @Test("a statement over several lines is corrected as a whole")
    func severalLines() {
        let source = "a = 1\nx = rollout [1,\n 2] temprature=1\nls"
        let diagnostics = grammar.parse(source).diagnostics
        #expect(diagnostics.map(\.corrected) == ["x = rollout [1,\n 2] temperature=1"])
    }

    @Test("evaluation can ask for the statement with a name replaced")
    func correctionFromOutside() {
        let source = "a = 1; show lgprobs[0]; ls"
        let statement = grammar.parse(source).statements[1]
        let span = SourceSpan(lower: 12, upper: 19)
        #expect(span.text(in: source) == "lgprobs")
        #expect(
            grammar.correction(of: statement, in: source, replacing: span, with: "logprobs")
                == "show logprobs[0]")
        #expect(
            grammar.correction(of: statement, in: source, replacing: span, with: ")") == nil)
        #expect(
            grammar.correction(
                of: statement, in: source, replacing: SourceSpan(lower: 900, upper: 901), with: "x")
                == nil)
    }

    @Test(
        "the nearest name is near, or there is none",
        arguments: [
            ("temprature", "temperature"), ("tempreature", "temperature"), ("temp", "temperature"),
            ("Temperature", "temperature"), ("topp", "top_p"), ("max", "max_tokens"),
            ("xyz", nil), ("t", nil), ("", nil), ("tokens", nil),
            (String(repeating: "t", count: 10000), nil),
        ] as [(String, String?)])
    func nearestName(name: String, expected: String?) {
        #expect(nearest(name, in: ["temperature", "top_p", "top_k", "max_tokens"]) == expected)
    }
}
