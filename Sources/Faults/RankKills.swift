import Foundation
import Glibc

/// `kill -9` at random instants of a rank, of the gateway, of mpirun or of the session that started
/// them; or a rank that is stopped, as one that hangs.
///
/// The session must say who ended, keep its values, and go on with other ranks. Whoever is killed,
/// no process may be left.
public struct RankKills {
    let laboratory: Laboratory
    private let workspace = "ranks.samiws"

    public init(_ laboratory: Laboratory) { self.laboratory = laboratory }

    private enum Victim: String, CaseIterable { case rank, hangingRank, gateway, mpirun, session }

    private static let preparation = [
        "load model default", "load principles trained", "load queries summaries count=8",
        "compose",
        "rollout", "base = model",
    ]
    private static let work = "train model=base steps=12 accumulate=4 learning_rate=1e-4"

    public func run(_ count: Int) throws -> Tally {
        var tally = Tally("kill -9 of ranks")
        laboratory.remove(workspace)
        var random = SeededGenerator(laboratory.seed)
        var killed: [String: Int] = [:]
        var divided: [String: Int] = [:]
        var resumed = 0
        var child = try session()
        for statement in Self.preparation { try answer(child, statement) }
        for round in 1...count {
            let ranks = 1 + Int.random(in: 1...2, using: &random)
            let split = Bool.random(using: &random) ? "queries" : "layers"
            try answer(child, "ranks \(ranks) threads=1 timeout=10 split=\(split)")
            let family = Self.descendants(of: child.id)
            guard family.count == ranks + 2 else {
                tally.lose("round \(round): \(family.count) processes for \(ranks) ranks")
                break
            }
            let victim = Victim.allCases.randomElement(using: &random) ?? .rank
            child.send(Self.work)
            usleep(UInt32.random(in: 0...1_000_000, using: &random))
            kill(
                Self.process(victim, of: child.id, family),
                victim == .hangingRank ? SIGSTOP : SIGKILL)
            killed[victim.rawValue, default: 0] += 1
            divided[split, default: 0] += 1
            if victim == .session {
                child.wait()
                child = try session()
            } else {
                guard let line = child.line(within: 30) else {
                    tally.lose("round \(round): nothing is said after the end of \(victim)")
                    break
                }
                // A kill after the last step changes nothing.
                let words = victim == .hangingRank ? "no sign of life" : "ended"
                if line.contains("\"error\""), !line.contains(words) {
                    tally.lose("round \(round): \(victim): \(line.prefix(200))")
                }
                if victim == .hangingRank, !line.contains("\"error\"") {
                    try answer(child, "ranks 1")
                }
            }
            let left = Self.left(of: family, within: 8)
            if !left.isEmpty { tally.lose("round \(round): \(left) left after \(victim)") }
            try answer(child, "verify")
            // Every other time with other ranks, else alone.
            if Bool.random(using: &random) { try answer(child, "ranks 4 threads=1 timeout=10") }
            let outcome = child.asks("resume", answeredWithin: 60) ?? "no answer"
            // A kill after the last step leaves nothing to go on with.
            if !outcome.contains("\"error\"") {
                resumed += 1
            } else if !outcome.contains("no unfinished statement") {
                tally.lose("round \(round): resume: \(outcome.prefix(200))")
            }
            try answer(child, "ranks 1")
            try answer(child, "resume drop=true", mayFail: true)
            tally.tried += 1
            if round % 20 == 0 { laboratory.say("ranks: \(tally.report)") }
        }
        tally.notes = killed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        tally.notes += divided.sorted { $0.key < $1.key }.map { "split=\($0.key) \($0.value)" }
        tally.notes.append("\(resumed) resumed")
        child.closeInput()
        child.wait()
        return tally
    }

    private func session() throws -> Child {
        try Child(
            laboratory.program, ["--json", "--keep-going", "-w", workspace], in: laboratory.folder)
    }

    @discardableResult
    private func answer(_ child: Child, _ statement: String, mayFail: Bool = false) throws -> String
    {
        guard let line = child.asks(statement, answeredWithin: 120),
            mayFail || !line.contains("\"error\"")
        else { throw FaultError("`\(statement)` failed: \(child.complaints)") }
        return line
    }

    // MARK: Processes

    private static func process(_ victim: Victim, of session: pid_t, _ family: [pid_t]) -> pid_t {
        let ranks = family.filter { rank(of: $0) != nil }
        return switch victim {
        case .session: session
        case .mpirun: family.first { rank(of: $0) == nil } ?? session
        case .gateway: ranks.first { rank(of: $0) == 0 } ?? session
        case .rank, .hangingRank: ranks.last ?? session
        }
    }

    /// The number that MPI has given a process; nil for one that is none of MPI's.
    private static func rank(of process: pid_t) -> Int? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/environ") else {
            return nil
        }
        let variables = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return variables.first { $0.hasPrefix("OMPI_COMM_WORLD_RANK=") }
            .flatMap { $0.split(separator: "=").last }.flatMap { Int($0) }
    }

    private static func descendants(of process: pid_t) -> [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var children: [pid_t: [pid_t]] = [:]
        for id in all.compactMap({ pid_t($0) }) {
            guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
                // The name before may have blanks.
                let end = text.lastIndex(of: ")")
            else { continue }
            let fields = text[end...].split(separator: " ")
            if fields.count > 2, let parent = pid_t(fields[2]), fields[1] != "Z" {
                children[parent, default: []].append(id)
            }
        }
        var found: [pid_t] = []
        var next = children[process] ?? []
        while let id = next.popLast() {
            found.append(id)
            next += children[id] ?? []
        }
        return found.sorted()
    }

    /// The processes that still run after some seconds.
    private static func left(of family: [pid_t], within seconds: Double) -> [pid_t] {
        let deadline = ContinuousClock.now + .seconds(seconds)
        func running() -> [pid_t] {
            family.filter { id in
                let text = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
                let state = text.lastIndex(of: ")").map { text[$0...].dropFirst(2).first }
                return state.map { $0 != "Z" } ?? false
            }
        }
        while !running().isEmpty, ContinuousClock.now < deadline { usleep(20_000) }
        return running()
    }
}

extension Child {
    /// The line of JSON that answers a statement.
    fileprivate func asks(_ statement: String, answeredWithin seconds: Double) -> String? {
        send(statement)
        return line(within: seconds)
    }
}
