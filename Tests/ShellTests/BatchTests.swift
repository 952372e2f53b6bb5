import CommandLanguage
import Foundation
import Glibc
import Rendering
import Sessions
import Testing

@testable import Shell

/// Runs a shell whose input and outputs are pipes.
private struct Pipes {
    let output: String
    let errors: String
    let code: RunStatus
    let session: Session

    init(
        input: [UInt8] = [], options: Console.Options = Console.Options(),
        session: Session? = nil, _ use: (Console) -> RunStatus
    ) throws {
        self.session = try session ?? testSession()
        let (from, to, failed) = (Pipe(), Pipe(), Pipe())
        from.fileHandleForWriting.write(Data(input))
        from.fileHandleForWriting.closeFile()
        let terminal = Terminal(
            input: from.fileHandleForReading.fileDescriptor,
            output: to.fileHandleForWriting.fileDescriptor,
            errors: failed.fileHandleForWriting.fileDescriptor,
            environment: ["TERM": "xterm-256color", "LC_ALL": "C.UTF-8"])
        code = use(Console(session: self.session, terminal: terminal, options: options))
        to.fileHandleForWriting.closeFile()
        failed.fileHandleForWriting.closeFile()
        output = String(decoding: to.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        errors = String(decoding: failed.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}

@Suite struct BatchTests {
    @Test("a stream runs block by block, without prompt and color, and stops at the first failure")
    func stream() throws {
        let run = try Pipes(input: Array("1 + 1\nx = [1,\n2]\n\n\ny )\n3".utf8)) {
            $0.runStream(file: "stdin")
        }
        #expect(run.output == "2\n")
        #expect(run.errors.hasPrefix("stdin:6:3: error: nothing was opened that `)` could close\n"))
        #expect(run.code == .failed)
        #expect(run.session.assigned == ["x"])
        #expect(run.session.appearance.color == .none)
    }

    @Test("an error of evaluation in a stream has the line of the stream")
    func streamLine() throws {
        let run = try Pipes(input: Array("x = 1\n\ny = [1,\n x[0]]\n".utf8)) {
            $0.runStream(file: "stdin")
        }
        #expect(run.errors.hasPrefix("stdin:4:4: error: a number cannot be indexed\n"))
    }

    @Test("with keep-going a stream goes on, and still says that something failed")
    func keepGoing() throws {
        var options = Console.Options()
        options.keepsGoing = true
        let run = try Pipes(input: Array("missing\n1 + 1\nx = [".utf8), options: options) {
            $0.runStream(file: "stdin")
        }
        #expect(run.output == "2\n")
        #expect(run.errors.contains("stdin:3:5: error: the `[` opened here is never closed"))
        #expect(run.code == .failed)
    }

    @Test("bytes that are not UTF-8 give a sentence, not an end")
    func invalidBytes() throws {
        let run = try Pipes(input: [0x78, 0x20, 0xFF, 0xFE, 0x0A]) { $0.runStream(file: "stdin") }
        #expect(run.errors.contains("a byte that is not UTF-8 text has no meaning here"))
        #expect(run.code == .failed)
    }

    @Test("a script's echo looks as if it had been typed")
    func echo() throws {
        var options = Console.Options()
        options.echoes = true
        let script = Session.parse("1 + 1\nx = [1,\n 2]", origin: SourceOrigin(file: "a.sami"))
        let run = try Pipes(options: options) { $0.run(script) }
        #expect(
            run.output == """
                sami> 1 + 1
                2
                sami> x = [1,
                  ...  2]

                """)
        #expect(run.code == .fine)
    }

    @Test("with JSON standard output holds one object a statement and nothing else")
    func json() throws {
        var options = Console.Options()
        options.isJSON = true
        options.echoes = true
        let run = try Pipes(options: options) { $0.run(Session.parse("1 + 1\nmissing")) }
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines[0].hasPrefix("{\"statement\":\"1 + 1\",\"name\":null,\"value\":2,\"seconds\":"))
        #expect(lines[1].hasPrefix("{\"statement\":\"missing\",\"error\":{\"kind\":\"name\","))
        #expect(run.errors.hasPrefix("error: there is no value called `missing`\n"))
        #expect(run.code == .failed)
    }

    @Test("an interrupted statement gives 130, and nothing runs after it")
    func interrupted() throws {
        let session = try testSession()
        let run = try Pipes(session: session) { shell in
            let first = shell.runInterruptibly { show in
                session.evaluate(
                    Session.parse("\(longStatement); x = 1"), forgetsInterruption: false
                ) { event in
                    // The first progress report of the running statement triggers Ctrl-C.
                    if case .progress = event { shell.interrupts.answer(.interrupt) }
                    show(event)
                }
            }
            // This one comes while nothing runs, and a script that starts now must not lose it.
            shell.interrupts.answer(.interrupt)
            #expect(shell.run(Session.parse("y = 1")) == .interrupted)
            return first
        }
        #expect(run.code == .interrupted)
        #expect(run.errors.contains("the training of the tokenizer was stopped"), "\(run.errors)")
        #expect(session.assigned == [])
    }

    @Test("an interrupt between the start of a block and its first statement is not lost")
    func earlyInterrupt() throws {
        let session = try testSession()
        let run = try Pipes(session: session) { shell in
            shell.runInterruptibly { show in
                shell.interrupts.answer(.interrupt)
                return session.evaluate(
                    Session.parse("x = 1; y = 2"), forgetsInterruption: false, events: show)
            }
        }
        #expect(run.code == .interrupted)
        #expect(session.assigned == ["x"])
    }

    @Test("quit ends a stream in the middle")
    func quit() throws {
        let run = try Pipes(input: Array("1 + 1\nquit\ny = 1\n".utf8)) {
            $0.runStream(file: "stdin")
        }
        #expect(run.output == "2\n")
        #expect(run.code == .fine)
        #expect(run.session.assigned == [])
    }

    @Test("a reader that goes away stops the work without a word")
    func brokenPipe() throws {
        signal(SIGPIPE, SIG_IGN)
        let (from, to) = (Pipe(), Pipe())
        from.fileHandleForWriting.closeFile()
        to.fileHandleForReading.closeFile()
        let terminal = Terminal(
            input: from.fileHandleForReading.fileDescriptor,
            output: to.fileHandleForWriting.fileDescriptor,
            errors: to.fileHandleForWriting.fileDescriptor, environment: [:])
        let session = try testSession()
        let shell = Console(session: session, terminal: terminal)
        #expect(shell.run(Session.parse("1; x = 2; y = 3")) == .interrupted)
        #expect(session.assigned == ["x"])
    }
}
