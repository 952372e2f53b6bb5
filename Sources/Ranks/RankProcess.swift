import Foundation
import Glibc

/// `mpirun`, which starts the ranks and stops them.
final class RankProcess: @unchecked Sendable {
    // Only the thread that runs statements uses it.

    private let id: pid_t
    /// How it ended; nil while it runs.
    private var status: Int32?
    private let folder: String

    /// The file with what `mpirun` and the ranks have said.
    private var log: String { folder + "/log" }

    /// - Parameter folder: an empty folder of its own, which is removed at the end.
    init(_ arguments: [String], folder: String) throws {
        self.folder = folder
        guard let launcher = RankProcess.launcher else { throw RankError.noLauncher("mpirun") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, 1, folder + "/log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A process group of its own: Ctrl-C at the terminal is for the session, which tells the
        // ranks to stop their work, not to end.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var words = ([launcher] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var id = pid_t()
        let code = posix_spawn(&id, launcher, &actions, &attributes, &words, environ)
        guard code == 0 else { throw RankError.notStarted(String(cString: strerror(code))) }
        self.id = id
    }

    deinit { end() }

    private static var launcher: String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { $0 + "/mpirun" }.first { access($0, X_OK) == 0 }
    }

    var hasEnded: Bool {
        if status == nil {
            var found: Int32 = 0
            let code = waitpid(id, &found, WNOHANG)
            if code == id || (code < 0 && errno == ECHILD) { status = found }
        }
        return status != nil
    }

    /// The signal that ended it, in words; nil if it runs or has ended by itself.
    var signal: String? {
        guard hasEnded, let status, status & 0x7F != 0 else { return nil }
        return "mpirun was ended by signal \(status & 0x7F)"
    }

    /// Ends all ranks: asks, and kills after two seconds. Their words are gone then.
    func end() {
        for signal in [SIGTERM, SIGKILL] where !hasEnded {
            kill(signal == SIGKILL ? -id : id, signal)
            waitForEnd(seconds: 2)
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func waitForEnd(seconds: Double) {
        let limit = ContinuousClock.now + .seconds(seconds)
        while !hasEnded, ContinuousClock.now < limit { usleep(5000) }
    }

    /// What `mpirun` and the ranks have said, without its frames.
    var words: String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { line in !line.isEmpty && !line.allSatisfy { "-*=".contains($0) } }
        return lines.joined(separator: " ")
    }

    /// The rank of MPI that ended first, and how, as `mpirun` says it: "process rank 2 with PID 71
    /// on node b exited on signal 9 (Killed)".
    var firstEnd: (rank: Int, host: String, cause: String)? {
        let words = words.split(separator: " ").map(String.init)
        for (place, word) in words.enumerated() where word == "rank" && place + 1 < words.count {
            guard let rank = Int(words[place + 1]),
                let node = words[place...].firstIndex(of: "node"), node + 1 < words.count,
                let exited = words[node...].firstIndex(of: "exited"), exited + 3 < words.count
            else { continue }
            let number = words[exited + 3].filter(\.isNumber)
            let cause =
                words[exited + 2] == "signal"
                ? "it was killed by signal \(number)"
                    + (number == "9" ? ", as the system does when memory runs out" : "")
                : "it exited with code \(number)"
            return (rank, words[node + 1], cause)
        }
        return nil
    }
}
