import Foundation
import Sessions
import TestSupport
import Testing

@testable import Shell

/// Whole conversations on a pseudo-terminal: the typed text, and the screen after it. They run one
/// at a time, because the library of terminal descriptions below libedit is not thread-safe.
@Suite(.serialized) struct TranscriptTests {
    @Test("a conversation: blocks, errors, and the end")
    func conversation() throws {
        var options = Console.Options()
        options.greeting = "sami: `help` lists the commands"
        let talk = try Conversation(options: options)
        talk.pty.answer("sami>", "20 * 2\r")
        talk.pty.answer("40\nsami>", "x = [1,\r")
        talk.pty.answer("  ...", "2]\r")
        talk.pty.answer("2]\nsami>", "rollout temprature=1\r")
        talk.pty.answer("temperature=1\nsami>", "  \r")
        talk.pty.answer("sami>\nsami>", "größe = '世界😀'\r")
        talk.pty.answer("😀'\nsami>", "größe\r")
        talk.pty.answer("世界😀\nsami>", "y = [x,\r")
        talk.pty.answer("  ...", "missing]\r")
        talk.pty.answer("^~~~~~~\nsami>", "quit\r")
        #expect(talk.finish() == .fine)
        #expect(
            talk.pty.text == """
                sami: `help` lists the commands
                sami> 20 * 2
                40
                sami> x = [1,
                  ... 2]
                sami> rollout temprature=1
                error: `rollout` has no key `temprature`
                  rollout temprature=1
                          ^~~~~~~~~~
                  did you mean `temperature`?
                  try: rollout temperature=1
                sami>
                sami> größe = '世界😀'
                sami> größe
                世界😀
                sami> y = [x,
                  ... missing]
                error: there is no value called `missing`
                  missing]
                  ^~~~~~~
                sami> quit
                """)
        #expect(talk.session.assigned == ["größe", "x"])
    }

    @Test("what a workspace has to say comes before the first prompt")
    func notices() throws {
        let folder = try TemporaryFolder()
        var configuration = Session.Configuration()
        configuration.workspace = folder.path + "/w.samiws"
        let writer = try Session(configuration)
        let talk = try Conversation(session: try Session(configuration))
        talk.pty.answer("sami>", "\u{4}")
        #expect(talk.finish() == .fine)
        let notice = try #require(talk.session.notices.first)
        let start = try #require(talk.pty.raw.range(of: notice), "\(talk.pty.raw)")
        let prompt = try #require(talk.pty.raw.range(of: "sami>"))
        #expect(start.upperBound < prompt.lowerBound)
        writer.close()
    }

    @Test("TAB completes what is certain, and lists the rest with what it means")
    func completion() throws {
        let session = try testSession()
        session.outcomes(of: "queries = 1; query_ids = [2]")
        let talk = try Conversation(session: session)
        talk.pty.answer("sami>", "rol\t")
        talk.pty.answer("sami> rollout", "que\t")
        talk.pty.answer("sami> rollout quer", "\t")
        talk.pty.answer("list\nsami> rollout quer", "i\t")
        talk.pty.answer("sami> rollout queries", "tem\t")
        talk.pty.answer("sami> rollout queries temperature=", "0.5\r")
        talk.pty.waitFor { $0.contains("error: ") && $0.hasSuffix("sami>") }
        talk.pty.type("train tok")
        talk.pty.waitFor("sami> train tok")
        talk.pty.type("\t")
        talk.pty.answer("sami> train tokenizer", "vocabulary=nothing\r")
        talk.pty.waitFor { $0.contains("`nothing`") && $0.hasSuffix("sami>") }
        talk.pty.type("\u{4}")
        #expect(talk.finish() == .fine)
        #expect(
            talk.pty.text.hasPrefix(
                """
                sami> rollout quer
                queries    number
                query_ids  list
                sami> rollout queries temperature=0.5
                error: 
                """), "\(talk.pty.text)")
        #expect(talk.pty.text.contains("sami> train tokenizer vocabulary=nothing\n"))
    }

    @Test("a list of completions leaves a line of several rows as it was")
    func completionBelowWrappedLine() throws {
        let session = try testSession()
        session.outcomes(of: "x = 1; queries = 2; query_ids = [2]")
        let talk = try Conversation(columns: 30, session: session)
        let long = String(repeating: "x + ", count: 12)
        talk.pty.answer("sami>", "y = \(long)que\u{1}\u{5}\t")
        talk.pty.answer("er", "\t")
        talk.pty.waitFor {
            $0.contains("query_ids  list\nsami> y = x + x") && $0.hasSuffix("er")
        }
        talk.pty.type("i\t\r")
        talk.pty.answer("eries\nsami>", "y\r")
        talk.pty.answer("14\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
    }

    @Test("a pasted block is inserted whole, runs as one block, and is recalled as one")
    func paste() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "\u{1B}[200~a = [1,\r  2]\r7 * 6\rb = 'é世'\r\u{1B}[201~")
        talk.pty.answer("b = 'é世'", "\r")
        talk.pty.answer("42\nsami>", "\u{1B}[A")
        talk.pty.answer("b = 'é世'", "\r")
        talk.pty.waitFor { $0.components(separatedBy: "\n42\nsami>").count == 3 }
        talk.pty.answer("sami>", "\u{4}")
        #expect(talk.finish() == .fine)
        let block = "sami> a = [1,\n  2]\n7 * 6\nb = 'é世'\n42\n"
        #expect(talk.pty.text.hasPrefix(block + block), "\(talk.pty.text)")
        #expect(talk.session.assigned == ["a", "b"])
        #expect(talk.pty.raw.contains("\u{1B}[?2004h") && talk.pty.raw.contains("\u{1B}[?2004l"))
    }

    @Test("Ctrl-C at the prompt drops the line and the block, Ctrl-D ends only an empty line")
    func dropping() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "a = 1 + 1")
        talk.pty.waitFor("sami> a = 1 + 1")
        talk.shell.interrupts.answer(.interrupt)
        talk.pty.answer("^C\nsami>", "x = [1,\r")
        talk.pty.answer("  ...", "2")
        talk.pty.waitFor("... 2")
        talk.shell.interrupts.answer(.interrupt)
        talk.pty.answer("2^C\nsami>", "y = [\r")
        talk.pty.answer("  ...", "\u{4}")
        talk.pty.answer("\nsami>", "z = 3\u{4}")
        talk.pty.answer("sami> z = 3", "\r")
        talk.pty.answer("3\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(talk.session.assigned == ["z"])
    }

    @Test("Ctrl-C in a command stops it at its next step, twice as well, and the prompt comes back")
    func interruption() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "\(longStatement); x = 1\r")
        talk.pty.waitFor("/60,000 tokens")
        talk.shell.interrupts.answer(.interrupt)
        talk.shell.interrupts.answer(.interrupt)
        talk.pty.waitFor("the training of the tokenizer was stopped")
        talk.pty.answer("sami>", "y = 1\r")
        talk.pty.answer("1\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(!talk.pty.text.contains("/60,000 tokens"), "the progress line is erased")
        #expect(talk.session.assigned == ["y"])
    }

    @Test(
        "Ctrl-D typed while a command runs waits like any other key, and the terminal is as it was")
    func typedAhead() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "\(longStatement)\r")
        talk.pty.waitFor("/60,000 tokens")
        talk.pty.type("\u{4}")
        talk.shell.interrupts.answer(.interrupt)
        #expect(talk.finish() == .fine)
        #expect(talk.pty.text.hasSuffix("sami> ^D"), "\(talk.pty.text)")
        #expect(talk.endKeyBefore == 4 && talk.pty.endKey == 4)
    }

    @Test("history is kept in the file, read back by the next shell, and searched with Ctrl-R")
    func history() throws {
        let folder = try TemporaryFolder()
        var options = Console.Options()
        options.historyPath = folder.path + "/deep/history"
        let first = try Conversation(options: options)
        first.pty.answer("sami>", "a = [1,\r")
        first.pty.answer("...", "2]\r")
        first.pty.answer("2]\nsami>", "6 * 7\r")
        first.pty.answer("42\nsami>", "6 * 7\r")
        first.pty.waitFor { $0.components(separatedBy: "\n42\n").count == 3 }
        first.pty.answer("sami>", "\u{4}")
        #expect(first.finish() == .fine)
        #expect(
            HistoryFile(path: folder.path + "/deep/history").load() == ["a = [1,\n2]", "6 * 7"])

        options.savesHistory = false
        let second = try Conversation(options: options)
        second.pty.answer("sami>", "\u{12}a = ")
        second.pty.answer("bck:a =", "\r")
        second.pty.answer("2]\nsami>", "only = 1\r")
        second.pty.answer("1\nsami>", "\u{4}")
        #expect(second.finish() == .fine)
        #expect(second.session.assigned == ["a", "only"])
        #expect(
            HistoryFile(path: folder.path + "/deep/history").load() == ["a = [1,\n2]", "6 * 7"])
    }

    @Test("a window that changes its size is drawn anew")
    func resize() throws {
        let talk = try Conversation(columns: 60)
        talk.pty.answer("sami>", "x = 1 + 1000")
        talk.pty.waitFor("sami> x = 1 + 1000")
        talk.pty.resize(columns: 30)
        talk.shell.interrupts.answer(.resize)
        talk.pty.type(" + 20000 + 3000")
        talk.pty.waitFor("sami> x = 1 + 1000 + 20000 + 3\n000")
        talk.pty.type("\r")
        talk.pty.answer("000\nsami>", "x\r")
        talk.pty.answer("24001\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(talk.session.appearance.width == 30)
    }

    @Test("what the user's .editrc says wins, and vi's keys keep completion")
    func editrc() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/editrc"
        try "bind -v\nbind ^T sami-complete\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        let talk = try Conversation(environment: ["EDITRC": path])
        talk.pty.answer("sami>", "histor\t")
        // ESC ends inserting, 0x deletes the first character.
        talk.pty.answer("sami> history", "\u{1B}")
        talk.pty.type("0x")
        talk.pty.answer("sami> istory", "ih\r")
        talk.pty.answer("there is no statement yet\nsami>", "qui\t\r")
        #expect(talk.finish() == .fine)
    }

    @Test("a terminal without cursor movement is read plainly, with a prompt and without escapes")
    func plainTerminal() throws {
        for term in ["dumb", ""] {
            let talk = try Conversation(environment: ["TERM": term])
            talk.pty.answer("sami>", "6 * 7\n")
            talk.pty.answer("42\nsami>", "x = [\n")
            talk.pty.answer("...", "1]\n")
            talk.pty.answer("1]\nsami>", "quit\n")
            #expect(talk.finish() == .fine)
            #expect(!talk.pty.raw.contains("\u{1B}"), "\(talk.pty.raw)")
        }
    }

    @Test("a colored prompt has its color off before its end")
    func color() throws {
        let talk = try Conversation(environment: ["NO_COLOR": ""])
        talk.pty.answer("sami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(talk.pty.raw.contains("\u{1B}[1;36msami>\u{1B}[0m "))
        #expect(talk.session.assigned.isEmpty)
    }
}
