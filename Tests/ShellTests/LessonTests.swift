import Foundation
import Sessions
import TestSupport
import Testing

@testable import Shell

/// Scripts that wait, pages, and the progress line: what a person sees who watches.
extension TranscriptTests {
    private static let hint = "-- Return: run it; q, Return: leave; or type a statement --"

    @Test("a script shows its statements with their comments, and waits before each if asked to")
    func lesson() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/lesson.sami"
        try "# First.\nx = 6\n\n# Then.\nx * 7  # the answer\ny = 1\nz = 2;\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        let talk = try Conversation(columns: 100)
        talk.pty.answer("sami>", "source \(path) pause=true\r")
        talk.pty.answer("... x = 6\n\(Self.hint)", "\r")
        talk.pty.answer("# the answer\n\(Self.hint)", "x + 1\r")
        talk.pty.answer("\n7\n\(Self.hint)", "missing\r")
        talk.pty.answer("^~~~~~~\n\(Self.hint)", "\r")
        talk.pty.answer("42\nsami> y = 1\n\(Self.hint)", "q\r")
        talk.pty.answer("left before statement 3 of 4\nsami>", "source \(path)\r")
        talk.pty.answer("sami> z = 2;\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(
            talk.pty.text.hasPrefix(
                """
                sami> source \(path) pause=true
                sami> # First.
                  ... x = 6
                sami> # Then.
                  ... x * 7  # the answer
                \(Self.hint) x + 1
                7
                \(Self.hint) missing
                error: there is no value called `missing`
                """), "\(talk.pty.text)")
        #expect(talk.session.assigned == ["x", "y", "z"])
    }

    @Test("Ctrl-C before a statement of a lesson leaves it, and the tour is a lesson")
    func leaving() throws {
        let talk = try Conversation(columns: 100)
        talk.pty.answer("sami>", "tour\r")
        talk.pty.waitFor {
            $0.hasSuffix("... S = tensor([[-0.4, -1.2], [-1.0, -0.5]])\n\(Self.hint)")
        }
        talk.shell.interrupts.answer(.interrupt)
        talk.pty.answer(
            "left before statement 1 of 7\ntour goes on there\nsami>", "6 * 7\r")
        talk.pty.answer("42\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(talk.session.assigned.isEmpty)
    }

    @Test("help that is longer than the screen comes in pages, unless they are off")
    func pages() throws {
        let talk = try Conversation(columns: 80, rows: 12)
        let prompt = "space: next page, Return: next line, q: end"
        talk.pty.answer("sami>", "help functions\r")
        talk.pty.waitFor { $0.hasSuffix(prompt) }
        // The statement, eleven rows of the page, and the prompt.
        #expect(talk.pty.text.split(separator: "\n").count == 13, "\(talk.pty.text)")
        talk.pty.type("\r")
        talk.pty.waitFor { $0.hasSuffix(prompt) && $0.split(separator: "\n").count == 14 }
        talk.pty.type(" ")
        talk.pty.waitFor { $0.hasSuffix(prompt) && $0.split(separator: "\n").count == 25 }
        talk.pty.type("q")
        talk.pty.answer("sami>", "help functions\r")
        talk.pty.waitFor { $0.hasSuffix(prompt) }
        talk.shell.interrupts.answer(.interrupt)
        talk.pty.answer("sami>", "set pager=off\r")
        talk.pty.answer("pager=off\nsami>", "help functions; 6 * 7\r")
        talk.pty.answer("42\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(!talk.pty.text.contains(prompt), "the prompt is erased")
    }

    @Test("what is typed during long work waits for the prompt, and Ctrl-C has a line of its own")
    func typedMeanwhile() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "\(longStatement)\r")
        talk.pty.waitFor("/60,000 tokens")
        talk.pty.type("6 * ")
        let seen = talk.pty.raw.count
        talk.pty.waitFor { _ in talk.pty.raw.count > seen + 300 }
        #expect(!talk.pty.raw.dropFirst(seen).contains("*"))
        talk.shell.interrupts.answer(.interrupt)
        talk.pty.answer("sami> 6 *", "7\r")
        talk.pty.answer("42\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(talk.pty.text.contains("\n^C\nerror: "), "\(talk.pty.text)")
    }
}
