import Foundation
import JSON
import Sessions
import TestSupport
import Testing

/// Ranks as a person starts them, through MPI.
@Suite(
    .serialized,
    .enabled(if: BuiltPrograms.rank != nil, "there is no mpirun here, or no sami-rank in the build")
)
struct RanksProgramTests {
    private static let preparation = """
        load model default;
        load principles trained about=summaries;
        load queries summaries count=8;
        compose principles;
        base = model
        """
    private static let work = """
        rollout temperature=1;
        first = score
        train steps=3 accumulate=4 beta=0.3 learning_rate=2e-4 optimizer=adamw;
        second = score
        judge against=base principles=principles temperature=1;
        rollouts.response
        first
        second
        [l.loss for l in log]
        verdicts.win_rate
        """

    private static func script(_ ranks: String, _ work: String = work) -> String {
        [preparation, ranks, work].joined(separator: "\n")
    }

    /// The last five values of `work`.
    private func values(_ ranks: String, in folder: String) throws -> [JSON] {
        let result = try Program.run(
            ["--ephemeral", "--json", "-c", Self.script(ranks)], in: folder)
        #expect(result.code == 0, "\(result.errors)")
        return try result.output.split(separator: "\n").suffix(5).map { line in
            try #require(try JSON.read(String(line))["value"])
        }
    }

    private func numbers(in value: JSON) -> [Double] {
        value.double.map { [$0] } ?? value.elements?.flatMap(numbers) ?? []
    }

    @Test func `the same statements give the same responses and numbers on any number of ranks`()
        throws
    {
        let folder = try TemporaryFolder()
        let alone = try values("1", in: folder.path)
        for ranks in ["ranks 2 threads=1;", "ranks 3 threads=1;"] {
            let divided = try values(ranks, in: folder.path)
            #expect(divided[0] == alone[0], "the responses")
            for (one, other) in zip(alone.dropFirst(), divided.dropFirst()) {
                let (one, other) = (numbers(in: one), numbers(in: other))
                #expect(one.count == other.count && !one.isEmpty)
                #expect(zip(one, other).allSatisfy { abs($0 - $1) < 2e-6 }, "\(one) \(other)")
            }
        }
    }

    private func isRunning(_ process: Int) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return text.contains(")") && !text.contains(") Z")
    }

    /// Whether all end soon.
    private func haveEnded(_ processes: [Int]) -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while processes.contains(where: isRunning) {
            guard ContinuousClock.now < deadline else { return false }
            usleep(20_000)
        }
        return true
    }

    @Test func `the end of a rank is told by name, nothing is lost, and resume goes on`() throws {
        let folder = try TemporaryFolder()
        let session = try JSONConversation(["-w", "w.samiws"], in: folder.path)
        for statement in (Self.preparation + "\nrollout").split(separator: "\n") {
            #expect(try session.answer(String(statement))["error"] == nil)
        }
        let ranks = try #require(try session.answer("ranks 2 threads=1")["value"]?.elements)
        let processes = ranks.compactMap { $0["process"]?.integer }
        #expect(processes.count == 2 && processes.allSatisfy(isRunning))
        session.send("train model=base steps=80 accumulate=4 learning_rate=1e-5")
        usleep(1_500_000)
        kill(pid_t(processes[1]), SIGKILL)
        let message = try #require(try session.line()["error"]?["message"]?.string)
        #expect(message.hasPrefix("rank 2 on "), "\(message)")
        #expect(message.contains("killed by signal 9"), "\(message)")
        #expect(haveEnded(processes))
        #expect(try session.answer("ranks")["value"] == .array([]))
        #expect(try session.answer("verify")["error"] == nil)
        // Alone, from the step at which the rank ended.
        let resumed = try session.answer("resume")
        #expect(resumed["error"] == nil)
        #expect(try session.answer("log[-1].step")["value"]?.integer == 80)
    }

    @Test func `Ctrl-C stops the work of all ranks, and they go on with the next`() throws {
        let folder = try TemporaryFolder()
        let pty = try PseudoTerminal(columns: 100, rows: 60)
        let process = try Program.start(["--ephemeral"], on: pty, in: folder.path)
        let preparation = Self.preparation.replacingOccurrences(of: "\n", with: " ")
        pty.answer("sami>", preparation + "\r")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("principles") }
        pty.type("ranks 2 threads=1\r")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("GFLOP/s") }
        for (number, delay) in [UInt32(300_000), 1_500_000].enumerated() {
            // A minute's work.
            pty.type("rollout samples=99 temperature=1 seed=\(number)\r")
            usleep(delay)
            pty.type("\u{3}")
            pty.waitFor { text in
                text.hasSuffix("sami>")
                    && text.components(separatedBy: "stopped before a query").count == number + 2
            }
        }
        pty.type("rollout seed=3; 20 * 2 + 2\r")
        pty.waitFor { $0.hasSuffix("42\nsami>") }
        pty.type("ranks 1\r")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("this process computes alone") }
        pty.type("\u{4}")
        #expect(process.wait(pty) == 0, "\(pty.text)")
    }

    @Test func `the ranks end with the session, however it ends`() throws {
        let folder = try TemporaryFolder()
        for isKilled in [true, false] {
            let session = try JSONConversation(["--ephemeral", "--ranks", "2"], in: folder.path)
            let ranks = try #require(try session.answer("ranks")["value"]?.elements)
            let processes = ranks.compactMap { $0["process"]?.integer }
            #expect(processes.count == 2 && processes.allSatisfy(isRunning))
            if isKilled {
                kill(session.process.processIdentifier, SIGKILL)
            } else {
                session.send("quit")
                session.process.waitUntilExit()
            }
            #expect(haveEnded(processes))
        }
    }

    @Test func `errors of ranks are sentences with a caret`() throws {
        let folder = try TemporaryFolder()
        for (statement, words) in [
            ("ranks 0", "`count` must be at least 1"),
            ("ranks hosts=\"a;b\"", "`hosts` lists names and numbers of ranks"),
            ("ranks 5 hosts=\"a:2\"", "at most 2"),
            ("ranks threads=2", "`threads` needs a number of ranks"),
            ("ranks hosts=\"a\" hostfile=h", "not both"),
            ("ranks hosts=\"no.such.host.invalid:1\"", "the ranks did not start"),
        ] {
            let result = try Program.run(["--ephemeral", "-c", statement], in: folder.path)
            #expect(result.code == 1 && result.errors.contains(words), "\(result.errors)")
            #expect(result.errors.contains("\n  ^") || result.errors.contains(" ^"))
        }
        let none = try Program.run(
            ["--ephemeral", "-c", "ranks 2"], variables: ["SAMI_RANK": "/nowhere/sami-rank"],
            in: folder.path)
        #expect(none.errors.contains("this build has no MPI"), "\(none.errors)")
    }

    /// A terminal with a session whose `mpirun` reaches other hosts by a script.
    private func session(
        reachingHostsBy script: String, in folder: String
    ) throws -> (PseudoTerminal, Program.Running) {
        let shell = folder + "/shell"
        try FileManager.default.createDirectory(
            atPath: folder + "/.openmpi", withIntermediateDirectories: true)
        try "plm_rsh_agent = \(shell)\n".write(
            toFile: folder + "/.openmpi/mca-params.conf", atomically: true, encoding: .utf8)
        try "#!/bin/sh\n\(script)\n".write(toFile: shell, atomically: true, encoding: .utf8)
        try #require(chmod(shell, 0o700) == 0)
        let pty = try PseudoTerminal()
        return (pty, try Program.start(["--ephemeral"], on: pty, in: folder))
    }

    /// As ssh does for a password or the key of an unknown host.
    @Test func `a program that reaches a host cannot ask at the terminal`() throws {
        let folder = try TemporaryFolder()
        let script = "read -r answer </dev/tty || echo 'noterminal' >&2; exit 255"
        let (pty, process) = try session(reachingHostsBy: script, in: folder.path)
        pty.answer("sami>", "ranks hosts=\"a:1\"\r")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("the ranks did not start") }
        #expect(pty.text.contains("noterminal"), "\(pty.text)")
        pty.answer("sami>", "20 + 22\r")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("\n42") }
        pty.type("\u{4}")
        #expect(process.wait(pty) == 0, "\(pty.text)")
    }

    @Test func `nothing stays of a start that was stopped while a host did not answer`() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/id"
        let (pty, process) = try session(
            reachingHostsBy: "echo $$ >\(file).new; mv \(file).new \(file); exec sleep 600",
            in: folder.path)
        pty.answer("sami>", "ranks hosts=\"a:1\"\r")
        let limit = ContinuousClock.now + .seconds(30)
        while access(file, R_OK) != 0, ContinuousClock.now < limit { usleep(20_000) }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let waiting = try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(isRunning(waiting))
        pty.type("\u{3}")
        pty.waitFor { $0.hasSuffix("sami>") && $0.contains("there are no ranks") }
        #expect(!isRunning(waiting))
        pty.type("\u{4}")
        #expect(process.wait(pty) == 0, "\(pty.text)")
    }

    /// Hosts of a page are nowhere, so its statements are read and not run.
    @Test(arguments: ["RANKS", "LAYERS"])
    func `the statements of the pages are read`(page: String) throws {
        let text = try String(contentsOfFile: Repository.path("docs/\(page).md"), encoding: .utf8)
        let blocks = text.components(separatedBy: "```\n").enumerated().filter { place, block in
            place % 2 == 1 && !block.hasPrefix("session ---")
        }
        #expect(!blocks.isEmpty)
        for (_, block) in blocks {
            let program = Session.parse(block)
            #expect(program.diagnostics.isEmpty && !program.statements.isEmpty, "\(block)")
        }
    }
}
