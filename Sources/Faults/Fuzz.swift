import Foundation
import Glibc

/// Mutated inputs for a reader, each tried in a monitored process: no crash, no hang beyond five
/// seconds, no memory beyond a limit that fits inputs of a few kilobytes.
public struct Fuzz {
    let laboratory: Laboratory
    /// The path of this program, for starting workers, and the package's folder.
    let tool: String
    let root: String

    public init(_ laboratory: Laboratory, tool: String, root: String) {
        self.laboratory = laboratory
        self.tool = tool
        self.root = root
    }

    public static var readers: [String] { FuzzReader.all.map(\.name) }

    /// Bytes that a worker may allocate after it has started to read its first input.
    static let memory = 512 << 20
    private static let hang: UInt32 = 5

    public func run(_ reader: String, _ count: Int) throws -> Tally {
        var tally = Tally("fuzz \(reader)")
        var next = 0
        let place = laboratory.path("fuzz-\(reader.replacing(" ", with: "-"))")
        while next < count, tally.lost.count < 20 {
            try? FileManager.default.removeItem(atPath: place)
            // A worker restarts now and then, so that state left by one input does not hide a fault
            // of the next.
            let end = min(count, next + 20_000)
            let child = try Child(
                tool,
                [
                    "fuzz-worker", "--reader", reader, "--seed", "\(laboratory.seed)", "--from",
                    "\(next)", "--to", "\(end)", "--folder", place, "--root", root,
                ], in: laboratory.folder)
            child.closeInput()
            let ending = child.wait(within: 3600)
            for line in child.rest.split(separator: "\n") where line.hasPrefix("wrong ") {
                tally.lose(String(line.dropFirst(6)))
            }
            if let note = child.rest.split(separator: "\n").last(where: { $0.hasPrefix("note ") }) {
                tally.notes = [String(note.dropFirst(5))]
            }
            let reached =
                (try? String(contentsOfFile: place + "/place", encoding: .utf8))
                .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            if ending == .exit(0) {
                tally.tried += end - next
                next = end
            } else {
                guard let reached, reached >= next else {
                    throw FaultError("the worker does not work: \(ending): \(child.complaints)")
                }
                let what = ending == .signal(SIGALRM) ? "it hangs" : "\(ending)"
                tally.lose("input \(reached): \(what): \(child.complaints.suffix(300))")
                tally.tried += reached + 1 - next
                next = reached + 1
            }
        }
        try? FileManager.default.removeItem(atPath: place)
        return tally
    }

    /// Reads the inputs `from..<to`. The file `place` holds the number of the current input, so
    /// that the monitoring process knows which input ended this process.
    public static func work(
        _ name: String, seed: UInt64, from: Int, to: Int, folder: String, root: String
    ) throws {
        guard let reader = FuzzReader.all.first(where: { $0.name == name }) else {
            throw FaultError("no reader is called \(name)")
        }
        let bench = try FuzzBench(folder: folder, root: root)
        let seeds = try reader.seeds(bench)
        guard !seeds.isEmpty, seeds.allSatisfy({ !$0.isEmpty }) else {
            throw FaultError("\(name) has no valid input")
        }
        // The valid inputs must be accepted: mutations of a refused input would test nothing.
        for seed in seeds {
            if let problem = try reader.read(bench, seed) { throw FaultError(problem) }
        }
        guard bench.accepted >= seeds.count || name == "scripts" else {
            throw FaultError("a valid input of \(name) is refused")
        }
        bench.accepted = 0
        limitMemory()
        let descriptor = open(folder + "/place", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        for index in from..<to {
            var random = SeededGenerator(seed &* 1_000_003 &+ UInt64(index))
            let original = seeds[Int.random(in: seeds.indices, using: &random)]
            let input = Mutation.apply(to: original, &random)
            let text = "\(index)\n"
            _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
            alarm(hang)
            if let problem = try reader.read(bench, input) {
                print("wrong input \(index): \(problem.replacing("\n", with: " "))")
            }
            alarm(0)
        }
        var usage = rusage()
        getrusage(0, &usage)  // RUSAGE_SELF
        print("note \(bench.accepted) of \(to - from) accepted, peak \(usage.ru_maxrss / 1000) MB")
    }

    private static func limitMemory() {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        guard let pages = text.split(separator: " ").first.flatMap({ Int($0) }) else { return }
        var limit = rlimit(
            rlim_cur: rlim_t(pages * Int(getpagesize()) + memory), rlim_max: rlim_t.max)
        setrlimit(__rlimit_resource_t(9), &limit)  // RLIMIT_AS
    }
}
