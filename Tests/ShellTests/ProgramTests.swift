import Foundation
import Glibc
import TestSupport
import Testing

@testable import Shell

/// The program itself, started as a user or another program starts it.
@Suite(.enabled(if: Program.path != nil, "the program `sami` was not built with the tests"))
struct ProgramTests {
    @Test(
        "statements from arguments, files and pipes give the same, and say with a code how it went")
    func ways() throws {
        let folder = try TemporaryFolder()
        try "x = 20 + 1\nx * 2\n".write(
            toFile: folder.path + "/a.sami", atomically: true, encoding: .utf8)
        for arguments in [["-c", "x = 20 + 1; x * 2"], ["run", "a.sami"], ["run", "-"], []] {
            let input = arguments.isEmpty || arguments.last == "-" ? "x = 20 + 1\nx * 2\n" : ""
            let run = try Program.run(["--ephemeral"] + arguments, input: input, in: folder.path)
            #expect(run.output.contains("42"), "\(arguments): \(run)")
            #expect(!run.output.contains("\u{1B}") && run.errors.isEmpty, "\(arguments): \(run)")
            #expect(run.code == 0, "\(arguments)")
        }
    }

    @Test("an output that cannot be written is told, and is no success")
    func fullOutput() throws {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Program.path))
        process.arguments = ["--ephemeral", "-c", "1"]
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let said = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(said == "sami: the output could not be written: No space left on device\n")
        #expect(process.terminationStatus == 1)
    }

    @Test("a script that fails names file, line and column and gives 1; keep-going goes on")
    func failing() throws {
        let folder = try TemporaryFolder()
        try "1 + 1\n\nno_such_name\n20 * 2\n".write(
            toFile: folder.path + "/a.sami", atomically: true, encoding: .utf8)
        let stopped = try Program.run(["run", "--ephemeral", "a.sami"], in: folder.path)
        #expect(stopped.code == 1)
        #expect(stopped.errors.hasPrefix("a.sami:3:1: error: "), "\(stopped)")
        #expect(!stopped.output.contains("40"))
        let went = try Program.run(
            ["run", "--ephemeral", "--keep-going", "a.sami"], in: folder.path)
        #expect(went.code == 1 && went.output.contains("40"), "\(went)")
    }

    @Test(
        "wrong usage gives 2 and a word on what is wrong",
        arguments: [
            (["--bogus"], "Unknown option '--bogus'"),
            (["run"], "Missing expected argument"),
            (["run", "nothere.sami"], "sami: nothere.sami: No such file or directory"),
            (["run", "."], "sami: .: this is a folder, not a script"),
            (["frob"], "Unexpected argument 'frob'"),
            (["a.sami"], "To run a script, write `sami run a.sami`."),
            (["--ephemeral", "--read-only"], "nothing to protect"),
            (["run", "a.sami", "-p", "x"], "is invalid for '-p <name=value>'"),
        ])
    func usage(arguments: [String], sentence: String) throws {
        let folder = try TemporaryFolder()
        try "1\n".write(toFile: folder.path + "/a.sami", atomically: true, encoding: .utf8)
        let run = try Program.run(arguments, in: folder.path)
        #expect(run.code == 2)
        #expect(run.errors.contains(sentence), "\(run)")
        #expect(run.output.isEmpty)
    }

    @Test("parameters stand in for a script's own values")
    func parameters() throws {
        let folder = try TemporaryFolder()
        try "rate = 0.5\nrate * 10\n".write(
            toFile: folder.path + "/a.sami", atomically: true, encoding: .utf8)
        let run = try Program.run(
            ["run", "--ephemeral", "a.sami", "-p", "rate=1e1"], in: folder.path)
        #expect(run.code == 0 && run.output.contains("100"), "\(run)")
    }

    @Test("with --json every line of the output is an object")
    func json() throws {
        let folder = try TemporaryFolder()
        let run = try Program.run(
            ["--ephemeral", "--json", "--keep-going", "-c", "x = 2\n1 + 1;\nno_such_name"],
            in: folder.path)
        let objects = try run.output.split(separator: "\n").map {
            try #require(
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.count == 3)
        #expect(objects.first?["statement"] as? String == "x = 2")
        #expect(objects.first?["name"] as? String == "x")
        #expect(objects.last?["error"] is [String: Any])
        #expect(run.code == 1)
    }

    @Test("a workspace that cannot be used gives 3")
    func workspace() throws {
        let folder = try TemporaryFolder()
        let run = try Program.run(
            ["-w", "/dev/null/x.samiws", "-c", "1"], in: folder.path)
        #expect(run.code == 3 && run.errors.hasPrefix("sami: "), "\(run)")
    }

    @Test("at a real terminal Ctrl-C drops the line, Ctrl-D ends, and the prompt edits")
    func terminal() throws {
        let folder = try TemporaryFolder()
        let pty = try PseudoTerminal()
        let process = try Program.start(["--ephemeral"], on: pty, in: folder.path)
        pty.answer("sami>", "garbage")
        pty.waitFor("sami> garbage")
        pty.type("\u{3}")
        pty.answer("^C\nsami>", "20 * 2\u{1}x = \r")
        pty.waitFor("sami> x = 20 * 2")
        pty.answer("sami>", "x + 1\r")
        pty.waitFor("41")
        pty.answer("sami>", "\u{4}")
        #expect(process.wait(pty) == 0)
    }

    @Test("a time limit stops what runs and ends the program, with what was done kept")
    func timeLimit() throws {
        let folder = try TemporaryFolder()
        let statements = "x = 40; train tokenizer documents=2000000 vocabulary=60000; y = 2"
        let run = try Program.run(
            ["-w", "w.samiws", "--time-limit", "1", "-c", statements], in: folder.path)
        #expect(run.code == 130, "\(run)")
        let after = try Program.run(["-w", "w.samiws", "-c", "x + 2; y"], in: folder.path)
        #expect(after.output.contains("42") && after.code == 1, "\(after)")
        let wrong = try Program.run(["--time-limit", "0", "-c", "1"], in: folder.path)
        #expect(wrong.code == 2 && wrong.errors.contains("a second or more"))
    }

    @Test("a model's file that another program cuts short ends the program with a sentence")
    func lostPages() throws {
        let folder = try TemporaryFolder()
        _ = try Program.run(
            ["--ephemeral", "-c", "load model default; export model m"], in: folder.path)
        let pty = try PseudoTerminal()
        let process = try Program.start(["-w", "w.samiws"], on: pty, in: folder.path)
        pty.answer("sami>", "load model m\r")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("context 512") }
        #expect(truncate(folder.path + "/m/model.safetensors", 4096) == 0)
        pty.type("generate \"Hello\" max_tokens=4\r")
        #expect(process.wait(pty) == 1, "\(pty.text)")
        #expect(pty.text.contains("became shorter"), "\(pty.text)")
        let after = try Program.run(["-w", "w.samiws", "-c", "verify"], in: folder.path)
        #expect(after.code == 0 && after.output.contains("sound"), "\(after)")
    }

    /// Work that takes minutes unless it is stopped.
    private static let longWork = "train tokenizer documents=2000000 vocabulary=60000"

    @Test("Ctrl-\\ ends the program at once, without a crash report, and keeps what is committed")
    func quitSignal() throws {
        let folder = try TemporaryFolder()
        let pty = try PseudoTerminal()
        let process = try Program.start(["-w", "w.samiws"], on: pty, in: folder.path)
        pty.answer("sami>", "x = 40\r")
        pty.answer("x = 40\nsami>", "\(Self.longWork)\r")
        pty.waitFor("/60,000 tokens")
        pty.type("\u{1C}")
        #expect(process.wait(pty) == 128 + SIGQUIT, "\(pty.text)")
        #expect(!pty.text.contains("rash"), "\(pty.text)")
        let after = try Program.run(["-w", "w.samiws", "-c", "x + 2"], in: folder.path)
        #expect(after.output.contains("42") && after.code == 0, "\(after)")
    }

    @Test("Ctrl-C stops work however soon after Enter it comes", arguments: [0, 1, 5, 20, 100])
    func earlyInterrupt(milliseconds: UInt32) throws {
        let folder = try TemporaryFolder()
        let pty = try PseudoTerminal()
        let process = try Program.start(["--ephemeral"], on: pty, in: folder.path)
        pty.answer("sami>", "\(Self.longWork)\r")
        usleep(1000 * milliseconds)
        pty.type("\u{3}")
        // If the shell has not read the line yet, the terminal drops it, and no work begins. In
        // both cases the next line is read soon; the work would take minutes.
        usleep(300_000)
        pty.type("20 * 2 + 2\r")
        pty.waitFor("42")
        pty.answer("sami>", "\u{4}")
        #expect(process.wait(pty) == 0, "\(pty.text)")
    }

    @Test("a replay shows its statements if they are asked for, of a workspace and of a script")
    func replayEcho() throws {
        let folder = try TemporaryFolder()
        try "# a reason\nx = 20 + 1; # hidden\nx * 2\n".write(
            toFile: folder.path + "/a.sami", atomically: true, encoding: .utf8)
        _ = try Program.run(["-w", "w.samiws", "run", "a.sami"], in: folder.path)
        // A statement that binds nothing is not part of a session's journal.
        for (path, echo) in [
            ("w.samiws", "sami> x = 20 + 1\n"), ("a.sami", "sami> x * 2\n42\n"),
        ] {
            let run = try Program.run(["replay", path, "--echo"], in: folder.path)
            #expect(run.code == 0 && run.output.contains(echo), "\(run)")
            let plain = try Program.run(["replay", path], in: folder.path)
            #expect(!plain.output.contains("sami>"), "\(plain)")
        }
    }

    @Test("of many faults in a script twenty are shown, and the rest is counted")
    func manyFaults() throws {
        let folder = try TemporaryFolder()
        try String(repeating: "x = = 1\n", count: 28).write(
            toFile: folder.path + "/a.sami", atomically: true, encoding: .utf8)
        let run = try Program.run(["run", "a.sami"], in: folder.path)
        #expect(run.errors.components(separatedBy: "a.sami:").count - 1 == 20, "\(run)")
        #expect(run.errors.contains("and 8 more"), "\(run)")
    }

    @Test("a packed workspace and a picture are no scripts, and a sentence says so")
    func noScripts() throws {
        let folder = try TemporaryFolder()
        _ = try Program.run(["-w", "w.samiws", "-c", "x = 1; pack p.h5"], in: folder.path)
        try Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D]).write(
            to: URL(fileURLWithPath: folder.path + "/x.png"))
        for arguments in [["replay", "p.h5"], ["run", "p.h5"]] {
            let run = try Program.run(arguments, in: folder.path)
            #expect(run.errors.contains("this is a packed workspace"), "\(run)")
            #expect(run.errors.components(separatedBy: "\n").count <= 3, "\(run)")
        }
        let input = try Program.runInput("p.h5", in: folder.path)
        #expect(input.code == 2 && input.errors.contains("stdin: this is a packed"), "\(input)")
        let run = try Program.run(["run", "x.png"], in: folder.path)
        #expect(run.code == 2 && run.errors.components(separatedBy: "\n").count <= 3, "\(run)")
    }

    @Test("a terminal that goes away and SIGTERM end the program in order")
    func terminated() throws {
        let folder = try TemporaryFolder()
        let pty = try PseudoTerminal()
        let process = try Program.start(["-w", "w.samiws"], on: pty, in: folder.path)
        pty.answer("sami>", "x = 1\r")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("x = 1\n") }
        kill(process.id, SIGTERM)
        #expect(process.wait(pty) == 0)
    }
}

/// The built program and ways to run it.
enum Program {
    static let path = BuiltPrograms.path("sami")

    struct Result {
        var output: String
        var errors: String
        var code: Int32
    }

    /// The program with a file as its standard input.
    static func runInput(_ file: String, in folder: String) throws -> Result {
        try run(["--ephemeral"], standardInput: folder + "/" + file, in: folder)
    }

    static func run(
        _ arguments: [String], input: String = "", variables: [String: String] = [:],
        in folder: String
    ) throws -> Result {
        try input.write(toFile: folder + "/.input", atomically: true, encoding: .utf8)
        return try run(
            arguments, standardInput: folder + "/.input", variables: variables, in: folder)
    }

    private static func run(
        _ arguments: [String], standardInput: String, variables: [String: String] = [:],
        in folder: String
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = environment(folder).merging(variables) { $1 }
        process.standardInput = FileHandle(forReadingAtPath: standardInput)
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        let errorData = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(
            output: String(decoding: outputData, as: UTF8.self),
            errors: String(decoding: errorData, as: UTF8.self), code: process.terminationStatus)
    }

    private static func environment(_ folder: String) -> [String: String] {
        [
            "HOME": folder, "XDG_STATE_HOME": folder + "/state", "LC_ALL": "C.UTF-8",
            "TERM": "xterm", "NO_COLOR": "1", "PATH": "/usr/bin:/bin",
            "OPENBLAS_NUM_THREADS": "1",
        ]
    }

    struct Running {
        var id: pid_t

        /// The exit code; nil if a signal ended the process or it does not end.
        func wait(_ pty: PseudoTerminal) -> Int32? {
            var status: Int32 = 0
            var hasEnded = false
            pty.drain { [id] in
                hasEnded = hasEnded || waitpid(id, &status, WNOHANG) == id
                return hasEnded
            }
            if !hasEnded {
                kill(id, SIGKILL)
                waitpid(id, &status, 0)
                return nil
            }
            return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
        }
    }

    /// Starts the program as the leader of a session of its own, with the pseudo-terminal as its
    /// controlling terminal, so that Ctrl-C becomes a signal.
    static func start(
        _ arguments: [String], on pty: PseudoTerminal, in folder: String
    ) throws -> Running {
        let program = try #require(path)
        let terminal = pty.path
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, which Glibc's module does not export.
        posix_spawnattr_setflags(&attributes, 0x80)
        var id: pid_t = 0
        let launcher = "/usr/bin/env"
        var words = ([launcher, "-C", folder, program] + arguments).map { strdup($0) } + [nil]
        var variables = environment(folder).map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        try #require(posix_spawn(&id, launcher, &actions, &attributes, &words, &variables) == 0)
        return Running(id: id)
    }
}
