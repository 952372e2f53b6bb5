import CommandLanguage
import Foundation
import Glibc
import Rendering
import TestSupport
import Testing

@testable import Commands
@testable import Shell

@Suite struct ListingTests {
    @Test("few completions stand one a row with what they mean, cut to the window")
    func described() {
        let items = [
            CompletionItem(
                "temperature=", .key, "0 is greedy, 1 samples as the model says, more is wilder"),
            CompletionItem("top_p=", .key), CompletionItem("世界", .word, "wide"),
        ]
        #expect(
            listing(items, columns: 40, rows: 24) == """
                temperature=  0 is greedy, 1 samples a…
                top_p=
                世界          wide

                """)
    }

    @Test("many completions stand in columns, read downwards")
    func columns() {
        let items = (1...10).map { CompletionItem("name\($0)", .value) }
        #expect(
            listing(items, columns: 30, rows: 24) == """
                name1   name5   name9
                name2   name6   name10
                name3   name7
                name4   name8

                """)
    }

    @Test("never more than the window shows, and never wider, for any window")
    func bounds() {
        for count in [1, 2, 7, 30, 500] {
            let items = (0..<count).map {
                CompletionItem(
                    String(repeating: "世", count: $0 % 40) + "\($0)", .value,
                    $0 % 2 == 0 ? "x y z" : "")
            }
            for (columns, rows) in [(20, 5), (40, 10), (80, 24), (200, 60), (1, 1)] {
                let lines = listing(items, columns: columns, rows: rows)
                    .split(separator: "\n")
                #expect(lines.count <= max(4, rows - 3) + 1, "\(count) in \(columns)×\(rows)")
                for line in lines {
                    #expect(line.displayWidth < max(21, columns), "\(columns)×\(rows): \(line)")
                }
            }
        }
        let all = listing((0..<500).map { CompletionItem("n\($0)", .value) }, columns: 40, rows: 10)
        #expect(all.hasSuffix("… and 458 more\n"), "\(all)")
    }
}

@Suite struct InputTests {
    @Test(
        "a paste keeps its lines and loses what would act as a key",
        arguments: [
            ("a\rb\r", "a\nb"), ("a\r\nb\n", "a\nb"), ("a\n\nb", "a\n\nb"), ("\ta", "\ta"),
            ("a\u{1B}[31mb\u{3}\u{7F}", "a[31mb"), ("é世😀", "é世😀"), ("\r\r", ""),
        ])
    func paste(typed: String, expected: String) {
        #expect(pastedText(typed.unicodeScalars) == expected)
    }

    @Test("bytes become the scalars that String makes of them, however they are cut")
    func decoding() {
        let samples: [[UInt8]] = [
            Array("aé世😀\u{301}".utf8), [0xFF], [0xC3], [0xE4, 0xB8], [0x61, 0xF0, 0x9F, 0x98],
            [0xC3, 0x61], [0x80, 0x80, 0x61], [0xED, 0xA0, 0x80], [0xC0, 0x80], [],
        ]
        for sample in samples {
            for cut in 0...sample.count {
                var decoder = ScalarDecoder()
                var text = String.UnicodeScalarView()
                decoder.append(sample[..<cut])
                while let scalar = decoder.next() { text.append(scalar) }
                decoder.append(sample[cut...])
                while let scalar = decoder.next() { text.append(scalar) }
                while let scalar = decoder.finish() { text.append(scalar) }
                let expected = String(decoding: sample, as: UTF8.self)
                if expected.unicodeScalars.contains("\u{FFFD}") {
                    // The number of U+FFFD for a broken sequence is free; complete characters must
                    // be kept.
                    let kept = text.filter { $0 != "\u{FFFD}" }
                    #expect(kept.elementsEqual(expected.unicodeScalars.filter { $0 != "\u{FFFD}" }))
                    #expect(text.contains("\u{FFFD}"))
                } else {
                    #expect(String(text) == expected, "\(sample) cut at \(cut)")
                }
            }
        }
    }

    @Test(
        "rows and columns are counted as the terminal draws them",
        arguments: [
            ("", 6, 20, 0, 6), ("abc", 6, 20, 0, 9), ("abcdefghijklmn", 6, 20, 1, 0),
            ("a\nbc", 6, 20, 1, 2), ("世世", 6, 9, 1, 2), ("\tb", 6, 20, 0, 9),
            ("\u{1}", 0, 20, 0, 2),
            ("e\u{301}", 0, 20, 0, 1),
        ])
    func places(text: String, start: Int, columns: Int, row: Int, column: Int) {
        let place = rowAndColumn(after: text, startingAt: start, columns: columns)
        #expect(place.row == row && place.column == column, "\(place)")
    }

    @Test("a prompt's escapes take no cells")
    func promptWidth() {
        #expect(EditedReader.width(ofPrompt: EditedReader.prompt("sami>", color: true)) == 6)
        #expect(EditedReader.width(ofPrompt: EditedReader.prompt("sami>", color: false)) == 6)
    }
}

@Suite struct HistoryFileTests {
    @Test("blocks are appended whole, repeats and blanks are not, and broken lines are passed over")
    func appending() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state/history"
        let history = HistoryFile(path: path)
        #expect(history.load().isEmpty)
        for block in ["a = \"é\\n\"", "b", "b", " \n", "c = [1,\n2]"] { history.append(block) }
        let file = try #require(FileHandle(forWritingAtPath: path))
        file.seekToEndOfFile()
        file.write(
            Data("not json\n{\"text\": 3}\n\n{\"time\": 1, \"text\": \"by hand\"}\n{\"cut".utf8))
        file.closeFile()
        #expect(
            HistoryFile(path: path).load() == ["a = \"é\\n\"", "b", "c = [1,\n2]", "by hand"])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(history.trouble == nil)
    }

    @Test("where it cannot be written it says so, once asked")
    func unwritable() {
        let history = HistoryFile(path: "/dev/null/history")
        history.append("a")
        #expect(history.trouble == "the history is not kept: /dev/null/history: Not a directory")
    }

    @Test("its place follows the XDG rules")
    func place() {
        #expect(
            HistoryFile.defaultPath(environment: ["HOME": "/h"]) == "/h/.local/state/sami/history")
        #expect(
            HistoryFile.defaultPath(environment: ["HOME": "/h", "XDG_STATE_HOME": "/s"])
                == "/s/sami/history")
        #expect(
            HistoryFile.defaultPath(environment: ["HOME": "/h", "XDG_STATE_HOME": "s"])
                == "/h/.local/state/sami/history")
        #expect(HistoryFile.defaultPath(environment: [:]) == nil)
    }
}

@Suite struct ProgressTests {
    private func progress(_ elapsed: Double, isFinished: Bool = false) -> Commands.Progress {
        Commands.Progress(
            task: "work", completed: elapsed * 10, unit: "steps", rateUnit: "tokens/s",
            elapsed: elapsed, isFinished: isFinished)
    }

    private func shown(isTerminal: Bool, _ use: (ProgressLine) -> Void) -> String {
        let pipe = Pipe()
        use(ProgressLine(pipe.fileHandleForWriting.fileDescriptor, isTerminal: isTerminal) { 21 })
        pipe.fileHandleForWriting.closeFile()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    @Test("on a terminal one line is drawn again in place, fits, and is erased at the end")
    func terminal() {
        let text = shown(isTerminal: true) { line in
            line.show(progress(0.1))
            line.show(progress(0.5))
            line.show(progress(1))
            line.show(progress(2, isFinished: true))
            line.erase()
        }
        #expect(
            text == "\r\u{1B}[Jwork  5 steps\r\r\u{1B}[Jwork  10 steps\r\r\u{1B}[J")
    }

    @Test("a timer draws the first report if the next one is late, unless the work is over")
    func timer() {
        let pipe = Pipe()
        let line = ProgressLine(pipe.fileHandleForWriting.fileDescriptor, isTerminal: true) { 21 }
        line.show(progress(0))
        // However late the timer is on a busy machine, it draws.
        let drawn = pipe.fileHandleForReading.availableData
        #expect(String(decoding: drawn, as: UTF8.self) == "\r\u{1B}[Jwork  0 steps\r")
        line.reset()
        line.show(progress(0))
        line.reset()
        usleep(600_000)
        pipe.fileHandleForWriting.closeFile()
        let rest = pipe.fileHandleForReading.readDataToEndOfFile()
        #expect(String(decoding: rest, as: UTF8.self) == "\r\u{1B}[J")
    }

    @Test("in a log a line comes now and then, and short work leaves none")
    func log() {
        let text = shown(isTerminal: false) { line in
            for second in 0...25 { line.show(progress(Double(second))) }
            line.reset()
            line.show(progress(3))
        }
        #expect(
            text == """
                work  100 steps
                work  200 steps

                """)
    }
}

@Suite struct TerminalTests {
    @Test(
        "color is what the environment allows",
        arguments: [
            (["TERM": "xterm"], .basic), (["TERM": "xterm-256color"], .palette),
            (["TERM": "xterm", "COLORTERM": "truecolor"], .full),
            (["TERM": "xterm-256color", "NO_COLOR": "1"], .none),
            (["TERM": "xterm", "NO_COLOR": ""], .basic), (["TERM": "dumb"], .none), ([:], .none),
        ] as [([String: String], Color)])
    func color(environment: [String: String], expected: Color) {
        #expect(Terminal(environment: environment).colorIfShown == expected)
    }

    @Test("pipes are not edited, get no color, and count as 80 cells wide")
    func pipes() {
        let pipe = Pipe()
        let (input, output) = (
            pipe.fileHandleForReading.fileDescriptor, pipe.fileHandleForWriting.fileDescriptor
        )
        let terminal = Terminal(
            input: input, output: output, errors: output,
            environment: ["TERM": "xterm", "LC_ALL": "C.UTF-8"])
        #expect(!terminal.isEditable && !terminal.outputIsTerminal)
        #expect(terminal.appearance == Appearance(width: 80, color: .none, isUnicode: true))
    }
}
