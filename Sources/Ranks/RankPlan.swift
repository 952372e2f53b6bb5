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

    /// The number of tasks that a job scheduler has given; nil outside of an allocation.
    public static func allocated(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Int? {
        if let count = environment["SLURM_NTASKS"].flatMap(Int.init), counts.contains(count) {
            return count
        }
        if let file = environment["PBS_NODEFILE"],
            let lines = try? String(contentsOfFile: file, encoding: .utf8)
        {
            let count = lines.split(whereSeparator: \.isNewline).count
            return counts.contains(count) ? count : nil
        }
        return nil
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
        guard let hosts else {
            return common + settings + ["-n", "\(count + 1)", program, socket]
        }
        let list = hosts.map { "\($0.name):\($0.slots)" }.joined(separator: ",")
        return common + ["-host", "localhost:1", "-n", "1"] + settings + [program, socket, ":"]
            + ["-host", list, "-n", "\(count)"] + settings + [program, socket]
    }
}
