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
        // A session of its own: POSIX_SPAWN_SETSID, which Glibc's module does not export. Ctrl-C at
        // the terminal is for the person's session, which tells the ranks to stop their work, not
        // to end. And a program such as ssh, which would ask there for a password, has no terminal.
        posix_spawnattr_setflags(&attributes, 0x80)
        var words = ([launcher] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let variables = RankProcess.variables(ProcessInfo.processInfo.environment)
        var environment = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for variable in environment { free(variable) } }
        var id = pid_t()
        let code = posix_spawn(&id, launcher, &actions, &attributes, &words, &environment)
        guard code == 0 else { throw RankError.notStarted(String(cString: strerror(code))) }
        self.id = id
    }

    deinit { end() }

    /// The environment of `mpirun`: that of the session, and settings that it does not have.
    static func variables(_ own: [String: String]) -> [String: String] {
        var added: [String: String] = [:]
        // A step of Slurm (`srun --pty`) has all processors; the step in which mpirun starts its
        // daemons would wait for them for ever.
        if own["SLURM_JOB_ID"] != nil { added["SLURM_OVERLAP"] = "1" }
        // ssh asks nothing, and says itself which host it does not reach, before the limit of the
        // start. Another program than ssh may not know these words.
        if !isRemoteShellChosen(own) {
            added["OMPI_MCA_plm_rsh_args"] = "-o BatchMode=yes -o ConnectTimeout=30"
        }
        return added.merging(own) { $1 }
    }

    /// Whether the person has told `mpirun` how it reaches other hosts.
    private static func isRemoteShellChosen(_ variables: [String: String]) -> Bool {
        let names = ["plm_rsh_agent", "pls_rsh_agent", "orte_rsh_agent", "plm_rsh_args"]
        let files = [
            (variables["HOME"] ?? "/") + "/.openmpi/mca-params.conf",
            "/etc/openmpi/openmpi-mca-params.conf",
        ]
        return names.contains { variables["OMPI_MCA_\($0)"] != nil }
            || files.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
                .flatMap { $0.split(whereSeparator: \.isNewline) }
                .contains { line in names.contains { line.hasPrefix($0) } }
    }

    private static var launcher: String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { $0 + "/mpirun" }.first { access($0, X_OK) == 0 }
    }

    var hasEnded: Bool {
        if status == nil {
            var info = siginfo_t()
            let code = waitid(P_PID, id_t(id), &info, WEXITED | WNOHANG | WNOWAIT)
            guard code == 0 ? info._sifields._sigchld.si_pid == id : errno == ECHILD else {
                return false
            }
            // An ssh to a host that does not answer would stay. As long as mpirun is not waited
            // for, no other process has its number.
            for other in RankProcess.running
            where code == 0 && other.session == id && other.id != id {
                kill(other.id, SIGKILL)
            }
            var found: Int32 = 0
            _ = waitpid(id, &found, 0)
            status = found
        }
        return status != nil
    }

    /// The processes of this machine with their sessions.
    private static var running: [(id: pid_t, session: pid_t)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(pid_t.init).compactMap { id in
            let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
            // The name, in parentheses, may have any character.
            let words = text?.split(separator: ")").last?.split(separator: " ") ?? []
            guard words.count > 3, let session = pid_t(words[3]) else { return nil }
            return (id, session)
        }
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
        // Remote shells may say anything.
        let bytes = FileManager.default.contents(atPath: log) ?? Data()
        let text = String(decoding: bytes, as: UTF8.self)
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
