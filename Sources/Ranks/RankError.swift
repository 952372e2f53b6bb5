/// Faults of the processes that compute for a session.
public enum RankError: Error, Equatable, Sendable {
    /// The build has no program for ranks.
    case noMPI(program: String)
    case noLauncher(String)
    /// Ranks did not start: the launcher's words.
    case notStarted(String)
    case slowStart(seconds: Int, started: Int, of: Int)
    case otherBuild(rank: Int, host: String)
    /// A rank has ended: how, as the launcher says.
    case ended(ranks: String, cause: String)
    case silent(rank: Int, host: String, seconds: Int)
    /// A rank could not do its task, but is still there.
    case failed(rank: Int, host: String, problem: String)
    case badMessage(String)
    /// A rank's processor cannot compute as the session asks.
    case noBFloat16
    /// A reference cannot be divided as the model is.
    case otherDivision(layers: Int, stages: Int)
    /// Nothing that is sent is received.
    case stalled
    case gone
}

extension RankError {
    /// `a`, `a and b`, or `a, b, c and 5 more`.
    static func list(_ names: [String]) -> String {
        guard names.count > 4 else {
            return names.count < 2
                ? names.joined()
                : names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
        }
        return names.prefix(3).joined(separator: ", ") + " and \(names.count - 3) more"
    }
}

extension RankError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noMPI(let program):
            "This build has no MPI: there is no \(program). Install libopenmpi-dev and "
                + "openmpi-bin, then `swift package purge-cache`, and build again."
        case .noLauncher(let name):
            "There is no `\(name)` on this machine's PATH. Install openmpi-bin."
        case .notStarted(let words): "The ranks did not start: \(words)."
        case .slowStart(let seconds, let started, let count):
            (started == 0 ? "No rank" : "Only \(started) of \(count) ranks")
                + " answered within \(seconds) seconds. Check that each host can be reached "
                + "without a password, and that its firewall lets it connect to this machine."
        case .otherBuild(let rank, let host):
            "Rank \(rank) on \(host) runs another build of this program. Install the same on all "
                + "hosts."
        case .ended(let ranks, let cause):
            "\(ranks) ended: \(cause). All ranks were stopped; `ranks` starts them again."
        case .silent(let rank, let host, let seconds):
            "Rank \(rank) on \(host) gave no sign of life for \(seconds) seconds. All ranks were "
                + "stopped; `ranks` starts them again, and `timeout=` gives more time."
        case .failed(let rank, let host, let problem):
            "Rank \(rank) on \(host): \(problem.hasSuffix(".") ? problem : problem + ".")"
        case .badMessage(let found):
            "The ranks sent \(found). All ranks were stopped; `ranks` starts them again."
        case .otherDivision(let layers, let stages):
            "The model is divided into \(stages) stages, and the base, of \(layers) "
                + "\(layers == 1 ? "layer" : "layers"), cannot be; start `ranks \(max(1, layers)) "
                + "split=layers`."
        case .noBFloat16:
            "Its processor has no instruction for bfloat16. Compute with `set precision=float32`."
        case .stalled:
            "Nothing goes to the ranks or comes from them: one of them or the network hangs. All "
                + "ranks were stopped; `ranks` starts them again."
        case .gone: "The ranks have ended. `ranks` starts them again."
        }
    }
}
