import Foundation

/// The words of `mpirun`, ssh and srun when ranks do not start, and what to do about those that are
/// known.
struct LauncherWords {
    private let words: String
    private let hosts: [String]
    private let environment: [String: String]

    init(
        _ words: String, _ plan: RankPlan,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.words = words
        hosts = (plan.hosts ?? []).map(\.name)
        self.environment = environment
    }

    /// A part of a sentence, without the full stop at its end.
    var advice: String {
        // The first words name the cause; pages of general advice follow.
        let ends = ["ORTE ", "Primary job "].compactMap { words.range(of: $0)?.lowerBound }
        let own = ends.min().map { words[..<$0] } ?? words[...]
        // Slurm wakes all processes of a job, and then tells them to end.
        let told = (own.isEmpty ? words[...] : own)
            .replacing(/mpirun: Forwarding signal [0-9]+ to job\.?/, with: "")
            .trimmingCharacters(in: .whitespaces)
        let short = told.count > 400 ? told.prefix(400) + " …" : told[...]
        guard let last = short.lastIndex(where: { $0 != "." }) else {
            let isJob = ["SLURM_JOB_ID", "PBS_JOBID"].contains { environment[$0] != nil }
            return "mpirun ended without a word"
                + (isJob ? ", as when the scheduler ends the job" : "")
        }
        return short[...last] + (remedy.map { "; \($0)" } ?? "")
    }

    /// The host whose daemon `mpirun` does not hear any more: "lost communication with a remote
    /// daemon. … Remote daemon: [[3285,0],2] on node b".
    var lostHost: String? {
        guard words.contains("lost communication with a remote daemon"),
            let daemon = words.range(of: "Remote daemon:"),
            let node = words[daemon.upperBound...].range(of: " on node ")
        else { return nil }
        return words[node.upperBound...].split(separator: " ").first.map(String.init)
    }

    private var remedy: String? {
        if words.contains("not enough slots") {
            return "ask for fewer ranks, or name hosts with more slots: hosts=\"a:4\""
        }
        if words.contains("nodes which are allocated for this job are already filled") {
            return "inside of an allocation \(nodes) the ranks and the session must be on its nodes"
        }
        if words.contains("the session is not on ") {
            return "start the session on the first node of the allocation \(nodes)"
        }
        if words.contains("Host key verification failed") {
            return "ssh must know the key of each host: connect once by hand, \(commands("ssh"))"
        }
        if words.contains("Permission denied (") {
            return "ssh must need no password; this gives a host your key: "
                + commands("ssh-copy-id")
        }
        let missing = ["command not found", "not found", "No such file or directory"]
        if missing.contains(where: { words.contains("orted: \($0)") }) {
            return "OpenMPI must be installed on each host, at the same path as here"
        }
        if words.contains("ssh: connect to host ") {
            return "each host must be reachable by ssh without a password"
        }
        if words.contains("could not access or execute") {
            return "the same build must lie at the same path on each host"
        }
        return nil
    }

    /// The nodes of an allocation, as in `(n[1-2])`.
    private var nodes: String {
        (environment["SLURM_JOB_NODELIST"] ?? environment["SLURM_NODELIST"]).map { "(\($0))" } ?? ""
    }

    private func commands(_ program: String) -> String {
        RankError.list((hosts.isEmpty ? ["HOST"] : hosts).map { "`\(program) \($0)`" })
    }
}
