import Foundation
import Glibc

/// Many statements in one process: memory, open files and start-up time must stay constant.
public struct Soak {
    let laboratory: Laboratory
    private let workspace = "soak.samiws"

    public init(_ laboratory: Laboratory) { self.laboratory = laboratory }

    private static let statements = [
        "x = zeros([64, 64]) + 1", "y = x @ x", "z = y[0:4, 0:4]", "note = \"some text\"",
        "rollout queries[0:2] seed=2", "score", "contrast", "undo",
        "train steps=1 accumulate=2 learning_rate=1e-4 seed=3", "history 3", "ls", "undo",
    ]

    /// - Parameter seconds: the shortest time over which to spread the statements.
    public func run(_ count: Int, over seconds: Double) throws -> Tally {
        var tally = Tally("soak")
        laboratory.remove(workspace)
        let child = try Child(
            laboratory.program, ["--json", "-w", workspace], in: laboratory.folder)
        child.send(
            "load model default; principles = load principles trained; "
                + "load queries summaries split=test count=4; compose seed=1; "
                + "rollout seed=2; set undo_depth=8")
        for _ in 0..<6 where child.line(within: 60) == nil { throw FaultError(child.complaints) }
        var samples: [Sample] = []
        let start = ContinuousClock.now
        for number in 0..<count {
            if number % max(1, count / 20) == 0 {
                samples.append(try sample(number, child.id))
                laboratory.say(samples.last?.row ?? "")
            }
            child.send(Self.statements[number % Self.statements.count])
            guard let line = child.line(within: 120), !line.contains("\"error\"") else {
                tally.lose("statement \(number): \(child.complaints)")
                return tally
            }
            tally.tried += 1
            let due = seconds * Double(number + 1) / Double(count)
            let rest = due - (ContinuousClock.now - start) / .seconds(1)
            if rest > 0 { usleep(UInt32(rest * 1e6)) }
        }
        samples.append(try sample(count, child.id))
        child.closeInput()
        child.wait()
        tally.notes = [Sample.title] + samples.map(\.row)
        // The first samples fill caches.
        if let early = samples.dropFirst(samples.count / 4).first, let last = samples.last {
            if last.megabytes > early.megabytes * 1.2 + 10 {
                tally.lose("memory grew from \(early.megabytes) to \(last.megabytes) MB")
            }
            if last.files > early.files { tally.lose("open files grew to \(last.files)") }
        }
        return tally
    }

    private struct Sample {
        var statement: Int
        var megabytes: Double
        var files: Int
        var start: Double
        var journal: Int

        static let title = "statements  resident MB  open files  start-up s  journal KB"
        var row: String {
            String(
                format: "%10d  %11.1f  %10d  %10.3f  %10d", statement, megabytes, files, start,
                journal / 1000)
        }
    }

    private func sample(_ statement: Int, _ id: pid_t) throws -> Sample {
        let text = (try? String(contentsOfFile: "/proc/\(id)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        let files =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count) ?? 0
        // Measures the start-up time of a second process on the workspace in its present size.
        let start = ContinuousClock.now
        _ = try laboratory.run(["-w", workspace, "-c", "1"])
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let journal = try FileManager.default.attributesOfItem(
            atPath: laboratory.path(workspace) + "/journal.jsonl")
        return Sample(
            statement: statement, megabytes: pages * Double(getpagesize()) / 1e6, files: files,
            start: seconds, journal: (journal[.size] as? NSNumber)?.intValue ?? 0)
    }

    /// How long it takes to open a workspace with a long history.
    public func opening(_ statements: Int) throws -> Tally {
        var tally = Tally("opening a workspace of \(statements) statements")
        laboratory.remove("long.samiws")
        let script = (1...statements).map { "x\($0 % 50) = [\($0), \($0) / 7]" }
            .joined(separator: "\n")
        try Data(script.utf8).write(to: URL(fileURLWithPath: laboratory.path("long.sami")))
        let made = try laboratory.run(
            ["-w", "long.samiws", "run", "long.sami"], within: 3600)
        guard made.ending == .exit(0) else { throw FaultError(made.errors) }
        var times: [Double] = []
        for _ in 0..<7 {
            let start = ContinuousClock.now
            let result = try laboratory.run(["-w", "long.samiws", "-c", "x1"])
            times.append((ContinuousClock.now - start) / .seconds(1))
            if result.ending != .exit(0) { tally.lose(result.errors) }
            tally.tried += 1
        }
        times.sort()
        let median = times[times.count / 2]
        tally.notes.append(String(format: "median %.3f s, whole process", median))
        if median > 1 { tally.lose("it takes \(median) s") }
        return tally
    }
}
