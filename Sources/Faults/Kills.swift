import Foundation
import Glibc

/// `kill -9` at random instants over a loop of statements that use all of a workspace.
///
/// After each kill the workspace is opened again. Every object must have its digest, and the names
/// must have their bindings from before or after the running statement.
public struct Kills {
    let laboratory: Laboratory
    private let workspace = "kills.samiws"

    public init(_ laboratory: Laboratory) { self.laboratory = laboratory }

    /// Each statement has a seed of its own, so that every round gives the same values. Each half
    /// makes other values than the previous one.
    static let statements = (0..<2).flatMap { half in
        [
            "load model default",
            "principles = load principles \(half == 0 ? "trained" : "others")",
            "load queries summaries split=test count=2 first=\(2 * half)",
            "compose seed=\(1 + half)",
            "rollout seed=\(3 + half)",
            "score",
            "train steps=1 accumulate=2 learning_rate=1e-4 seed=\(5 + half)",
            "undo",
            "pack packed.h5",
            "gc 4",
        ]
    }

    public func run(_ count: Int) throws -> Tally {
        var tally = Tally("kill -9")
        laboratory.remove(workspace)
        laboratory.remove("packed.h5")
        let states = try referenceStates()
        var random = SeededGenerator(laboratory.seed)
        var place = 0
        var killedAt = [Int](repeating: 0, count: Self.statements.count)
        var wasBefore = 0
        for round in 1...count {
            let child = try Child(
                laboratory.program, ["--json", "-w", workspace], in: laboratory.folder)
            child.send("verify")
            guard let found = child.line(within: 60), Laboratory.isSound(found) else {
                tally.lose("round \(round): verify said \(child.complaints)")
                break
            }
            if child.complaints.contains("damaged") {
                tally.lose("round \(round): \(child.complaints)")
            }
            let now = laboratory.bound(workspace)
            let before = states[(place + states.count - 1) % states.count]
            if now == states[place] {
                // If the states before and after are equal, running the statement again is safe.
                if now != before { place = (place + 1) % states.count }
            } else if now == before {
                wasBefore += 1
            } else {
                tally.lose("round \(round): neither before nor after `\(Self.statements[place])`")
                break
            }
            // Some statements run, and the next one is killed.
            var wait = Int.random(in: 0..<4, using: &random)
            while wait > 0 {
                child.send(Self.statements[place])
                guard let line = child.line(within: 120), !line.contains("\"error\"") else {
                    tally.lose("round \(round): `\(Self.statements[place])`: \(child.complaints)")
                    return tally
                }
                place = (place + 1) % states.count
                wait -= 1
            }
            child.send(Self.statements[place])
            usleep(delay(place, &random))
            child.signal(SIGKILL)
            if child.wait() != .signal(SIGKILL) {
                tally.lose("round \(round): it ended by itself: \(child.complaints)")
            }
            killedAt[place] += 1
            tally.tried += 1
            if round % 50 == 0 { laboratory.say("kills: \(tally.report)") }
        }
        tally.notes.append(
            zip(Self.statements, killedAt).map {
                "\($0.split(separator: " ").first { $0 != "principles" && $0 != "=" } ?? "") \($1)"
            }.joined(separator: ", "))
        tally.notes.append("\(wasBefore) times the state before")
        try checkPacked(&tally)
        return tally
    }

    /// Spread over the statement's duration on this machine, measured during the reference run.
    private func delay(_ place: Int, _ random: inout SeededGenerator) -> UInt32 {
        UInt32(Double.random(in: 0...1.1, using: &random) * Self.durations.value[place] * 1e6)
    }

    private final class Durations: @unchecked Sendable {
        // Written before the first kill, and only read afterwards.
        var value = [Double](repeating: 0.1, count: Kills.statements.count)
    }
    private static let durations = Durations()

    /// The names after each statement. The first two rounds bring the workspace to the state that
    /// every later round ends in.
    private func referenceStates() throws -> [[String: String]] {
        let child = try Child(
            laboratory.program, ["--json", "-w", workspace], in: laboratory.folder)
        var rounds: [[[String: String]]] = []
        for _ in 0..<3 {
            var states: [[String: String]] = []
            for (place, statement) in Self.statements.enumerated() {
                let start = ContinuousClock.now
                child.send(statement)
                guard let line = child.line(within: 120), !line.contains("\"error\""),
                    let state = laboratory.bound(workspace)
                else { throw FaultError("`\(statement)` failed: \(child.complaints)") }
                Self.durations.value[place] = (ContinuousClock.now - start) / .seconds(1)
                states.append(state)
            }
            rounds.append(states)
        }
        child.closeInput()
        child.wait()
        guard rounds[1] == rounds[2] else {
            throw FaultError("the statements do not give the same values every time")
        }
        return rounds[2]
    }

    /// A packed file is complete at any time.
    private func checkPacked(_ tally: inout Tally) throws {
        laboratory.remove("unpacked.samiws")
        let result = try laboratory.run([
            "--ephemeral", "-c", "unpack packed.h5 unpacked.samiws",
        ])
        if result.ending != .exit(0) { tally.lose("the packed file: \(result.errors)") }
        laboratory.remove("unpacked.samiws")
    }
}
