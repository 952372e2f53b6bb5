import Foundation
import Glibc
import Testing

@testable import Shell

/// Runs a shell whose input and outputs are pipes.
private struct Pipes {
    var output = ""
    var errors = ""
    var code: RunStatus?
    var host = FakeHost()

    init(
        input: [UInt8] = [], options: Console.Options = Console.Options(),
        host: FakeHost = FakeHost(),
        _ use: (Console) -> RunStatus
    ) {
        self.host = host
        let (from, to, failed) = (Pipe(), Pipe(), Pipe())
        from.fileHandleForWriting.write(Data(input))
        from.fileHandleForWriting.closeFile()
        let terminal = Terminal(
            input: from.fileHandleForReading.fileDescriptor,
            output: to.fileHandleForWriting.fileDescriptor,
            errors: failed.fileHandleForWriting.fileDescriptor,
            environment: ["TERM": "xterm-256color", "LC_ALL": "C.UTF-8"])
        code = use(Console(host: host, terminal: terminal, options: options))
        to.fileHandleForWriting.closeFile()
        failed.fileHandleForWriting.closeFile()
        output = String(decoding: to.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        errors = String(decoding: failed.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}

@Suite struct BatchTests {
    @Test("a stream runs block by block, without prompt and color, and stops at the first failure")
    func stream() {
        let run = Pipes(input: Array("rollout\nx = [1,\n2]\n\n\nscore )\nrollout".utf8)) {
            $0.runStream(file: "stdin")
        }
        #expect(run.output == "ran \"rollout\"\nran \"x = [1,\\n2]\"\n")
        #expect(run.errors.hasPrefix("stdin:6:7: error: nothing was opened that `)` could close\n"))
        #expect(run.code == .failed)
        #expect(run.host.evaluated == ["rollout", "x = [1,\n2]"])
        #expect(run.host.appearance.color == .none)
    }

    @Test("with keep-going a stream goes on, and still says that something failed")
    func keepGoing() {
        var options = Console.Options()
        options.keepsGoing = true
        let run = Pipes(input: Array("missing\nrollout\nx = [".utf8), options: options) {
            $0.runStream(file: "stdin")
        }
        #expect(run.output == "ran \"rollout\"\n")
        #expect(run.errors.contains("stdin:3:5: error: the `[` opened here is never closed"))
        #expect(run.code == .failed)
    }

    @Test("bytes that are not UTF-8 give a sentence, not an end")
    func invalidBytes() {
        let run = Pipes(input: [0x78, 0x20, 0xFF, 0xFE, 0x0A]) { $0.runStream(file: "stdin") }
        #expect(run.errors.contains("a byte that is not UTF-8 text has no meaning here"))
        #expect(run.code == .failed)
    }

    @Test("a script's echo looks as if it had been typed")
    func echo() {
        var options = Console.Options()
        options.echoes = true
        let run = Pipes(options: options) {
            $0.run(SourceBlock("rollout\nx = [1,\n 2]", file: "a.sami"))
        }
        #expect(
            run.output == """
                sami> rollout
                ran "rollout"
                sami> x = [1,
                  ...  2]
                ran "x = [1,\\n 2]"

                """)
        #expect(run.code == .fine)
    }

    @Test("with JSON standard output holds one object a statement and nothing else")
    func json() {
        var options = Console.Options()
        options.isJSON = true
        options.echoes = true
        let run = Pipes(options: options) { $0.run(SourceBlock("rollout\nmissing")) }
        #expect(run.output == "{\"statement\": \"rollout\"}\n{\"statement\": \"missing\"}\n")
        #expect(run.errors == "error: there is no value `missing`\n")
        #expect(run.code == .failed)
    }

    @Test("an interrupted statement gives 130, and nothing runs after it")
    func interrupted() {
        let host = FakeHost()
        var shell: Console?
        host.progress = nil
        let run = Pipes(host: host) {
            shell = $0
            // The second progress report of the running statement triggers Ctrl-C.
            let attention = $0.attention
            host.progress = { _ in attention.answer(.interrupt) }
            let first = $0.run(SourceBlock("work"))
            attention.answer(.interrupt)
            #expect($0.run(SourceBlock("rollout")) == .interrupted)
            return first
        }
        #expect(run.code == .interrupted)
        #expect(run.output == "stopped early; what is done is kept\n")
        #expect(host.evaluated == ["work"])
        _ = shell
    }

    @Test("quit ends a stream in the middle")
    func quit() {
        let run = Pipes(input: Array("rollout\nquit\nrollout\n".utf8)) {
            $0.runStream(file: "stdin")
        }
        #expect(run.output == "ran \"rollout\"\n")
        #expect(run.code == .fine)
    }

    @Test("a reader that goes away stops the work without a word")
    func brokenPipe() {
        signal(SIGPIPE, SIG_IGN)
        let (from, to) = (Pipe(), Pipe())
        from.fileHandleForWriting.closeFile()
        to.fileHandleForReading.closeFile()
        let terminal = Terminal(
            input: from.fileHandleForReading.fileDescriptor,
            output: to.fileHandleForWriting.fileDescriptor,
            errors: to.fileHandleForWriting.fileDescriptor, environment: [:])
        let host = FakeHost()
        let shell = Console(host: host, terminal: terminal)
        #expect(shell.run(SourceBlock("rollout; work")) == .interrupted)
        #expect(host.evaluated == ["rollout", "work"])
    }
}
