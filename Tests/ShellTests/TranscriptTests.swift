import Foundation
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
        let host = FakeHost()
        host.notices = ["workspace session.samiws"]
        let talk = try Conversation(host: host, options: options)
        talk.pty.answer("sami>", "rollout queries\r")
        talk.pty.answer("ran \"rollout queries\"\nsami>", "x = [1,\r")
        talk.pty.answer("  ...", "2]\r")
        talk.pty.answer("2]\"\nsami>", "rollout temprature=1\r")
        talk.pty.answer("temperature=1\nsami>", "  \r")
        talk.pty.answer("sami>\nsami>", "größe = '世界😀'\r")
        talk.pty.answer("😀'\"\nsami>", "missing\r")
        talk.pty.answer("`missing`\nsami>", "quit\r")
        #expect(talk.finish() == .fine)
        #expect(
            talk.pty.text == """
                sami: `help` lists the commands
                workspace session.samiws
                sami> rollout queries
                ran "rollout queries"
                sami> x = [1,
                  ... 2]
                ran "x = [1,\\n2]"
                sami> rollout temprature=1
                error: `rollout` has no key `temprature`
                  rollout temprature=1
                          ^~~~~~~~~~
                  did you mean `temperature`?
                  try: rollout temperature=1
                sami>
                sami> größe = '世界😀'
                ran "größe = '世界😀'"
                sami> missing
                error: there is no value `missing`
                sami> quit
                """)
        #expect(
            talk.host.evaluated == [
                "rollout queries", "x = [1,\n2]", "größe = '世界😀'", "missing", "quit",
            ])
    }

    @Test("TAB completes what is certain, and lists what it offers with what it means")
    func completion() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "rol\t")
        talk.pty.answer("sami> rollout", "que\t")
        talk.pty.answer("sami> rollout quer", "\t")
        talk.pty.answer("a value\nsami> rollout quer", "i\t")
        talk.pty.answer("sami> rollout queries", "te\t")
        talk.pty.answer("sami> rollout queries temperature=", "0.5\r")
        talk.pty.answer("0.5\"\nsami>", "load ")
        talk.pty.answer("sami> load", "\t")
        talk.pty.answer("sami> load", "m\t./x\r")
        talk.pty.answer("./x\"\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(
            talk.pty.text == """
                sami> rollout quer
                queries    a value
                query_ids  a value
                sami> rollout queries temperature=0.5
                ran "rollout queries temperature=0.5"
                sami> load
                model    reads a model
                queries  reads queries
                sami> load model ./x
                ran "load model ./x"
                sami> ^D
                """)
    }

    @Test("a list of completions leaves a line of several rows as it was")
    func completionBelowWrappedLine() throws {
        let talk = try Conversation(columns: 30)
        let long = String(repeating: "x + ", count: 12)
        talk.pty.answer("sami>", "y = \(long)que\u{1}\u{5}\t")
        talk.pty.answer("er", "\t")
        talk.pty.waitFor {
            $0.contains("query_ids  a value\nsami> y = x + x") && $0.hasSuffix("er")
        }
        talk.pty.type("i\t\r")
        talk.pty.waitFor("ran \"y")
        talk.pty.answer("sami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(talk.host.evaluated == ["y = \(long)queries"])
    }

    @Test("a pasted block is inserted whole, runs as one block, and is recalled as one")
    func paste() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "\u{1B}[200~a = [1,\r  2]\rrollout\rb = 'é世'\r\u{1B}[201~")
        talk.pty.answer("b = 'é世'", "\r")
        talk.pty.answer("ran \"b = 'é世'\"\nsami>", "\u{1B}[A")
        talk.pty.answer("b = 'é世'", "\r")
        talk.pty.waitFor { $0.components(separatedBy: "ran \"rollout\"").count == 3 }
        talk.pty.answer("sami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(
            talk.host.blocks.map(\.source)
                == Array(repeating: "a = [1,\n  2]\nrollout\nb = 'é世'", count: 2))
        #expect(talk.pty.text.hasPrefix("sami> a = [1,\n  2]\nrollout\nb = 'é世'\nran \"a = [1"))
        #expect(talk.pty.raw.contains("\u{1B}[?2004h") && talk.pty.raw.contains("\u{1B}[?2004l"))
    }

    @Test("Ctrl-C at the prompt drops the line and the block, Ctrl-D ends only an empty line")
    func dropping() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "rollout quer")
        talk.pty.waitFor("sami> rollout quer")
        talk.shell.attention.answer(.interrupt)
        talk.pty.answer("^C\nsami>", "x = [1,\r")
        talk.pty.answer("  ...", "2")
        talk.pty.waitFor("... 2")
        talk.shell.attention.answer(.interrupt)
        talk.pty.answer("2^C\nsami>", "y = [\r")
        talk.pty.answer("  ...", "\u{4}")
        talk.pty.answer("\nsami>", "z\u{4}")
        talk.pty.answer("sami> z", "\r")
        talk.pty.answer("ran \"z\"\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(talk.host.evaluated == ["z"])
    }

    @Test("Ctrl-C in a command stops it at its next step, twice as well, and the prompt comes back")
    func interruption() throws {
        let talk = try Conversation()
        talk.pty.answer("sami>", "work; rollout\r")
        talk.pty.waitFor("work 1")
        talk.shell.attention.answer(.interrupt)
        talk.shell.attention.answer(.interrupt)
        talk.pty.waitFor("stopped early; what is done is kept")
        talk.pty.answer("sami>", "rollout\r")
        talk.pty.answer("ran \"rollout\"\nsami>", "\u{4}")
        #expect(talk.finish() == .fine)
        #expect(!talk.pty.text.contains("/500"), "the progress line is erased:\n\(talk.pty.text)")
    }

    @Test(
        "Ctrl-D typed while a command runs waits like any other key, and the terminal is as it was")
    func typedAhead() throws {
        let talk = try Conversation()
        let before = talk.pty.endKey
        talk.pty.answer("sami>", "work\r")
        talk.pty.waitFor("work 1")
        talk.pty.type("\u{4}")
        talk.shell.attention.answer(.interrupt)
        #expect(talk.finish() == .fine)
        #expect(talk.pty.text.hasSuffix("sami> ^D"), "\(talk.pty.text)")
        #expect(before == 4 && talk.pty.endKey == before)
    }

    @Test("history is kept in the file, read back by the next shell, and searched with Ctrl-R")
    func history() throws {
        let folder = try TemporaryFolder()
        var options = Console.Options()
        options.historyPath = folder.path + "/deep/history"
        let first = try Conversation(options: options)
        first.pty.answer("sami>", "a = [1,\r")
        first.pty.answer("...", "2]\r")
        first.pty.answer("2]\"\nsami>", "rollout\r")
        first.pty.answer("\"rollout\"\nsami>", "rollout\r")
        first.pty.waitFor { $0.components(separatedBy: "ran \"rollout\"").count == 3 }
        first.pty.answer("sami>", "\u{4}")
        #expect(first.finish() == .fine)
        #expect(
            HistoryFile(path: folder.path + "/deep/history").load() == ["a = [1,\n2]", "rollout"])

        options.savesHistory = false
        let second = try Conversation(options: options)
        second.pty.answer("sami>", "\u{12}a = ")
        second.pty.answer("bck:a =", "\r")
        second.pty.waitFor("ran \"a = [1,\\n2]\"")
        second.pty.answer("sami>", "only = 1\r")
        second.pty.answer("1\"\nsami>", "\u{4}")
        #expect(second.finish() == .fine)
        #expect(
            HistoryFile(path: folder.path + "/deep/history").load() == ["a = [1,\n2]", "rollout"])
    }

    @Test("a window that changes its size is drawn anew")
    func resize() throws {
        let talk = try Conversation(columns: 60)
        talk.pty.answer("sami>", "rollout quer")
        talk.pty.waitFor("sami> rollout quer")
        talk.pty.resize(columns: 30)
        talk.shell.attention.answer(.resize)
        talk.pty.type("ies + queries + queries")
        talk.pty.waitFor("sami> rollout queries + querie\ns + queries")
        talk.pty.type("\r")
        talk.pty.waitFor("ran \"rollout")
        #expect(talk.host.appearance.width == 30)
        talk.pty.answer("sami>", "\u{4}")
        #expect(talk.finish() == .fine)
    }

    @Test("what the user's .editrc says wins, and vi's keys keep completion")
    func editrc() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/editrc"
        try "bind -v\nbind ^T sami-complete\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        let talk = try Conversation(environment: ["EDITRC": path])
        talk.pty.answer("sami>", "rol\t")
        // ESC ends inserting, 0x deletes the first character.
        talk.pty.answer("sami> rollout", "\u{1B}")
        talk.pty.type("0x")
        talk.pty.answer("sami> ollout", "ir\r")
        talk.pty.answer("ran \"rollout\"\nsami>", "qui\t\r")
        #expect(talk.finish() == .fine)
    }

    @Test("a terminal without cursor movement is read plainly, with a prompt and without escapes")
    func plainTerminal() throws {
        for term in ["dumb", ""] {
            let talk = try Conversation(environment: ["TERM": term])
            talk.pty.answer("sami>", "rollout\n")
            talk.pty.answer("ran \"rollout\"\nsami>", "x = [\n")
            talk.pty.answer("...", "1]\n")
            talk.pty.answer("1]\"\nsami>", "quit\n")
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
        #expect(talk.host.evaluated.isEmpty)
    }
}
