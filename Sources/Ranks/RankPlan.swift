import Foundation

/// How many ranks, and where.
public struct RankPlan: Sendable, Hashable {
    /// Number of ranks.
    public var count: Int
    /// Hosts and the number of ranks on each; nil for this machine, or those of an allocation.
    public var hosts: [Host]?
    /// Threads of a rank; nil divides the processors of a host.
    public var threads: Int?
    /// Seconds without a sign of life after which a rank counts as lost.
    public var timeout = 300
    public var split = Split.queries

    /// The work or the weights that ranks divide among them.
    public enum Split: String, Sendable, Hashable, CaseIterable {
        /// Each rank has all weights, and some of the queries.
        case queries
        /// Each rank has the weights of some layers, and all queries go through all ranks.
        case layers
    }

    public struct Host: Sendable, Hashable {
        public var name: String
        public var slots: Int
    }

    public static let counts = 1...4096
    public static let timeouts = 5...86_400

    public init(
        count: Int, hosts: [Host]? = nil, threads: Int? = nil, timeout: Int = 300
    ) {
        self.count = count
        self.hosts = hosts
        self.threads = threads
        self.timeout = timeout
    }

    /// `a:2,b:2`, or lines of a host file such as `a slots=2`.
    ///
    /// - Returns: nil if a part is no name with a number.
    public static func hosts(_ text: String) -> [Host]? {
        var hosts: [Host] = []
        let lines = text.split(whereSeparator: \.isNewline).map {
            $0.prefix { $0 != "#" }
        }
        for part in lines.joined(separator: ",").split(separator: ",") {
            let words = part.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            var (name, slots) = (String(first), 1)
            if let colon = first.lastIndex(of: ":") {
                guard let number = Int(first[first.index(after: colon)...]) else { return nil }
                (name, slots) = (String(first[..<colon]), number)
            }
            for word in words.dropFirst() {
                guard word.hasPrefix("slots="), let number = Int(word.dropFirst(6)) else {
                    return nil
                }
                slots = number
            }
            let isName = name.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0))
            }
            guard isName, !name.isEmpty, !name.hasPrefix("-"), counts.contains(slots) else {
                return nil
            }
            hosts.append(Host(name: name, slots: slots))
        }
        return hosts.isEmpty ? nil : hosts
    }

    /// The tasks that a job scheduler has given; nil outside of an allocation.
    ///
    /// Slurm's hosts are left to `mpirun`, which knows them; those of PBS are named, because
    /// OpenMPI can be built without PBS, as that of Debian is.
    public static func allocated(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> RankPlan? {
        // `-N 2` without a number of tasks sets the second alone.
        let tasks =
            environment["SLURM_NTASKS"].flatMap(Int.init)
            ?? environment["SLURM_TASKS_PER_NODE"].flatMap(tasks)
        if let tasks, counts.contains(tasks) { return RankPlan(count: tasks) }
        guard let file = environment["PBS_NODEFILE"],
            let text = try? String(contentsOfFile: file, encoding: .utf8),
            let lines = hosts(text)
        else { return nil }
        // A host has a line for each task.
        var merged: [Host] = []
        for line in lines {
            if let place = merged.firstIndex(where: { $0.name == line.name }) {
                merged[place].slots += line.slots
            } else {
                merged.append(line)
            }
        }
        let count = merged.reduce(0) { $0 + $1.slots }
        return counts.contains(count) ? RankPlan(count: count, hosts: merged) : nil
    }

    /// The sum of Slurm's tasks of each node, as in `2(x3),1`; nil if it is none.
    private static func tasks(_ text: String) -> Int? {
        var sum = 0
        for part in text.split(separator: ",") {
            guard let match = part.wholeMatch(of: /([0-9]+)(\(x([0-9]+)\))?/),
                let tasks = Int(match.1), let nodes = Int(match.3 ?? "1"),
                counts.contains(tasks), counts.contains(nodes)
            else { return nil }
            sum += tasks * nodes
        }
        return sum
    }

    /// The hosts with the ranks that each will have: the first ones are filled first.
    private var filled: [Host]? {
        var left = count
        return hosts?.compactMap { host in
            let slots = min(left, host.slots)
            left -= slots
            return slots > 0 ? Host(name: host.name, slots: slots) : nil
        }
    }

    /// The arguments of `mpirun`: rank 0 of MPI is the gateway, on this machine; the others
    /// compute.
    ///
    /// - Parameters:
    ///   - program: `sami-rank`.
    ///   - socket: where the session waits for the gateway.
    ///   - isRoot: a person who is root must say so to `mpirun`.
    func arguments(program: String, socket: String, isRoot: Bool) -> [String] {
        // Ranks share the processors by their numbers of threads, and the gateway needs none.
        var common = ["--oversubscribe", "--bind-to", "none"]
        // The daemon of a host that has lost the network ends too.
        let pause = max(2, timeout / 6)
        for (name, value) in [("time", pause), ("intvl", pause), ("probes", 3)] {
            common += ["--mca", "oob_tcp_keepalive_\(name)", "\(value)"]
        }
        if isRoot { common.append("--allow-run-as-root") }
        var settings = ["-x", "SAMI_RANK_TIMEOUT=\(timeout)"]
        if let threads { settings += ["-x", "SAMI_RANK_THREADS=\(threads)"] }
        let ranks = settings + [program, socket]
        guard let filled else { return common + ["-n", "\(count + 1)"] + ranks }
        // A part for each host: with one for all, the gateway takes a place of the host that has
        // the session, and a rank that belongs there goes to another one.
        return filled.reduce(common + ["-host", "localhost:1", "-n", "1"] + ranks) {
            $0 + [":", "-host", "\($1.name):\($1.slots)", "-n", "\($1.slots)"] + ranks
        }
    }
}
