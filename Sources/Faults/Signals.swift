import Foundation
import Glibc

/// Ctrl-C once and twice, SIGTERM, SIGHUP and a closed pipe, at random instants of statements of
/// every kind.
public struct Signals {
    let laboratory: Laboratory
    private let prepared = "signals.samiws"
    private let workspace = "signalled.samiws"
    /// The longest time that stopping may take, in seconds.
    static let patience = 20.0

    public init(_ laboratory: Laboratory) { self.laboratory = laboratory }

    static let statements = [
        "rollout seed=2", "score", "train steps=3 accumulate=2 learning_rate=1e-4 seed=3",
        "judge queries[0:8] seed=4", "iterate 1 queries=8 steps=2 accumulate=2",
        "pretrain steps=3 batch=512", "verify", "pack packed.h5",
        "x = zeros([300, 300]) @ ones([300, 300])",
        "load model default", "gc 3", "backward", "propose count=2", "history",
    ]

    private func prepare() throws {
        laboratory.remove(prepared)
        let result = try laboratory.run([
            "-w", prepared, "-c",
            """
            load model default; principles = load principles trained
            load queries summaries split=test count=16; compose seed=1; rollout seed=2
            """,
        ])
        guard result.ending == .exit(0) else { throw FaultError(result.errors) }
    }

    /// At a terminal: the prompt must return, the terminal must have its previous settings, and the
    /// program must end with 0 on request.
    public func terminal(presses: Int, _ count: Int) throws -> Tally {
        var tally = Tally("Ctrl-C \(presses == 1 ? "once" : "twice in a row") at a terminal")
        try prepare()
        var random = SeededGenerator(laboratory.seed &+ UInt64(presses))
        var slowest = 0.0
        for round in 0..<count {
            try laboratory.copy(prepared, to: workspace)
            let pty = try Terminal()
            let child = try Child(
                laboratory.program, ["-w", workspace], in: laboratory.folder, terminal: pty.path)
            let statement = Self.statements[round % Self.statements.count]
            let what = "round \(round), `\(statement)`"
            guard pty.waitFor("sami>", within: Self.patience) else {
                tally.lose("\(what): no prompt")
                continue
            }
            pty.type(statement + "\r")
            usleep(UInt32.random(in: 0..<900_000, using: &random))
            let start = ContinuousClock.now
            for press in 0..<presses {
                if press > 0 { usleep(UInt32.random(in: 0..<100_000, using: &random)) }
                pty.type("\u{3}")
            }
            // This answer occurs in no typed line and in no other output.
            var isBack = false
            for _ in 0..<3 where !isBack {
                pty.type("\u{15}\"back\" + \"-again\"\r")
                // Only the line editor receives Ctrl-D. Before the editor starts, the system keeps
                // the key.
                isBack = pty.waitFor("back-again", then: "sami>", within: Self.patience / 2)
            }
            slowest = max(slowest, (ContinuousClock.now - start) / .seconds(1))
            if !isBack { tally.lose("\(what): no answer after it: \(pty.text.suffix(200))") }
            pty.type("\u{4}")
            let ending = pty.wait(for: child, within: Self.patience)
            if ending != .exit(0) { tally.lose("\(what): \(ending)") }
            if !pty.isSane { tally.lose("\(what): the terminal is not as it was") }
            try check(what, &tally)
            tally.tried += 1
        }
        tally.notes.append(String(format: "back after %.1f s at most", slowest))
        return tally
    }

    /// Signals that end the process, at a terminal or in a script.
    public func ending(_ signal: Int32, name: String, _ count: Int) throws -> Tally {
        var tally = Tally(name)
        try prepare()
        var random = SeededGenerator(laboratory.seed &+ UInt64(signal))
        var slowest = 0.0
        for round in 0..<count {
            try laboratory.copy(prepared, to: workspace)
            let statement = Self.statements[round % Self.statements.count]
            let isTyped = round % 2 == 0 && signal != SIGINT
            let what = "round \(round), `\(statement)`, \(isTyped ? "typed" : "in a script")"
            let pty = isTyped ? try Terminal() : nil
            let child = try Child(
                laboratory.program,
                ["-w", workspace] + (isTyped ? [] : ["--echo", "-c", statement]),
                in: laboratory.folder, terminal: pty?.path)
            if let pty {
                guard pty.waitFor("sami>", within: Self.patience) else {
                    tally.lose("\(what): no prompt")
                    continue
                }
                pty.type(statement + "\r")
            } else {
                child.closeInput()
                // Until the program installs its handlers, signals end it like any other program.
                // The echo of the statement comes right before the statement runs.
                guard child.line(within: Self.patience) != nil else {
                    tally.lose("\(what): it does not start")
                    continue
                }
            }
            usleep(UInt32.random(in: 0..<900_000, using: &random))
            let start = ContinuousClock.now
            child.signal(signal)
            let ending =
                pty?.wait(for: child, within: Self.patience) ?? child.wait(within: Self.patience)
            slowest = max(slowest, (ContinuousClock.now - start) / .seconds(1))
            // 130, or 0 if the work was finished before the signal came.
            let allowed: [Ending] = [.exit(0), .exit(130)]
            if !allowed.contains(ending) {
                tally.lose("\(what): \(ending): \(child.complaints)")
            }
            if let pty, !pty.isSane { tally.lose("\(what): the terminal is not as it was") }
            try check(what, &tally)
            tally.tried += 1
        }
        tally.notes.append(String(format: "ended after %.1f s at most", slowest))
        return tally
    }

    /// The reader of the output exits.
    public func closedPipe(_ count: Int) throws -> Tally {
        var tally = Tally("a closed pipe")
        try prepare()
        var random = SeededGenerator(laboratory.seed &+ 77)
        for round in 0..<count {
            try laboratory.copy(prepared, to: workspace)
            let statement = Self.statements[round % Self.statements.count]
            let bytes = Int.random(in: 0..<400, using: &random)
            let command =
                "ls; describe model; \(statement); show rollouts; history; ls; x = 1"
            let child = try Child(
                "/bin/sh",
                [
                    "-c",
                    "{ \"$0\" -w \(workspace) -c \"$1\"; echo $? > status; } | head -c \(bytes)",
                    laboratory.program, command,
                ], in: laboratory.folder)
            child.closeInput()
            let ending = child.wait(within: 60)
            let status = (try? String(contentsOfFile: laboratory.path("status"), encoding: .utf8))
                .flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            let what = "round \(round), `\(statement)`, \(bytes) bytes read"
            if ending == .stuck || status.map({ ![0, 130].contains($0) }) ?? true {
                tally.lose("\(what): \(ending), status \(status ?? -1): \(child.complaints)")
            }
            try check(what, &tally)
            tally.tried += 1
        }
        return tally
    }

    /// The workspace must be undamaged and accept statements.
    private func check(_ what: String, _ tally: inout Tally) throws {
        guard let found = try laboratory.verify(workspace), found.isSound else {
            tally.lose("\(what): the workspace is not sound")
            return
        }
        let after = try laboratory.run(["-w", workspace, "-c", "z = 3; z + 4"])
        if after.ending != .exit(0) { tally.lose("\(what): afterwards \(after.errors)") }
    }
}

/// A terminal without a window.
final class Terminal {
    private let master: Int32
    private let slave: Int32
    let path: String
    private(set) var text = ""
    private var before = termios()

    init() throws {
        // The work of posix_openpt, unlockpt and ptsname, which Glibc's module does not export.
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var number: Int32 = 0
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        guard master >= 0, ioctl(master, unlock, &number) == 0,
            ioctl(master, getNumber, &number) == 0
        else { throw FaultError("no terminal: \(String(cString: strerror(errno)))") }
        path = "/dev/pts/\(number)"
        slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard slave >= 0, tcgetattr(slave, &before) == 0 else {
            throw FaultError("no terminal: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(master)
        close(slave)
    }

    func type(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
    }

    /// Looks only at output that arrives from now on.
    func waitFor(_ wanted: String, then next: String = "", within seconds: Double) -> Bool {
        let start = text.endIndex
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let found = text[start...].range(of: wanted),
                next.isEmpty || text[found.upperBound...].contains(next)
            {
                return true
            }
            guard ContinuousClock.now < deadline else { return false }
            take()
        }
    }

    func wait(for child: Child, within seconds: Double) -> Ending {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var status = siginfo_t()
        while ContinuousClock.now < deadline {
            take()
            status = siginfo_t()
            if waitid(P_PID, id_t(child.id), &status, WEXITED | WNOHANG | WNOWAIT) == 0,
                status.si_signo == SIGCHLD
            {
                break
            }
        }
        return child.wait(within: 1)
    }

    private func take() {
        var waiting = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 20) > 0 else { return }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &chunk, chunk.count)
        if count > 0 { text += String(decoding: chunk[..<count], as: UTF8.self) }
    }

    /// Whether the terminal has the settings from before the program: echo, line mode, signals.
    var isSane: Bool {
        var now = termios()
        guard tcgetattr(slave, &now) == 0 else { return false }
        return now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag
            && now.c_cflag == before.c_cflag && now.c_lflag == before.c_lflag
    }
}
