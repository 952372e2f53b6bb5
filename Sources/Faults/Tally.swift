import Foundation

/// The number of attempts and of losses in an experiment.
public struct Tally: Sendable {
    public let title: String
    public var tried = 0
    /// A sentence for each loss, fault, hang or crash.
    public var lost: [String] = []
    /// Counts and times that show whether the experiment ran as intended.
    public var notes: [String] = []
    public let start = ContinuousClock.now

    public init(_ title: String) { self.title = title }

    public var isWell: Bool { lost.isEmpty && tried > 0 }

    public mutating func lose(_ sentence: String) { lost.append(sentence) }

    /// One line of summary; the first losses below it.
    public var report: String {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        var text = "\(title): \(tried) tried, \(lost.count) lost"
        text += String(format: ", %.1f s", seconds)
        if !notes.isEmpty { text += " (" + notes.joined(separator: "; ") + ")" }
        for sentence in lost.prefix(10) { text += "\n  lost: \(sentence)" }
        if lost.count > 10 { text += "\n  and \(lost.count - 10) more" }
        return text
    }
}

/// A small seeded generator, so that a run can be repeated.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Folder, program and seed of an experiment.
public struct Laboratory: Sendable {
    /// The path of the program `sami`.
    public let program: String
    /// The folder for all files of the experiments.
    public let folder: String
    public let seed: UInt64
    /// Whether to report progress.
    public let isVerbose: Bool

    public init(program: String, folder: String, seed: UInt64, isVerbose: Bool = false) throws {
        self.program = program
        self.folder = folder
        self.seed = seed
        self.isVerbose = isVerbose
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    /// The program beside this one; the build puts both in one folder.
    public static var programBeside: String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        return ((own ?? "") as NSString).deletingLastPathComponent + "/sami"
    }

    func path(_ name: String) -> String { folder + "/" + name }

    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: path(name)) }

    func copy(_ name: String, to other: String) throws {
        remove(other)
        try FileManager.default.copyItem(atPath: path(name), toPath: path(other))
    }

    /// The total bytes of all files in a folder.
    func size(_ name: String) -> Int {
        let files = FileManager.default.subpaths(atPath: path(name)) ?? []
        return files.reduce(0) { sum, file in
            let found = try? FileManager.default.attributesOfItem(atPath: path(name) + "/" + file)
            return sum + ((found?[.size] as? NSNumber)?.intValue ?? 0)
        }
    }

    /// Runs `sami` and waits for its end.
    func run(
        _ arguments: [String], limit: Int? = nil, within seconds: Double = 120
    ) throws -> (ending: Ending, output: String, errors: String) {
        let child = try Child(program, arguments, in: folder, limit: limit)
        child.closeInput()
        let ending = child.wait(within: seconds)
        return (ending, child.rest, child.complaints)
    }

    /// The result of `verify`, in the program's words; nil if `verify` could not run.
    func verify(_ workspace: String) throws -> (isSound: Bool, record: [String: Any])? {
        let result = try run(["--json", "-w", workspace, "-c", "verify"])
        guard result.ending == .exit(0),
            let object = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)),
            let record = (object as? [String: Any])?["value"] as? [String: Any]
        else { return nil }
        return (record["sound"] as? Bool ?? false, record)
    }

    /// Whether a line of JSON says that `verify` found no damage.
    static func isSound(_ line: String) -> Bool {
        let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return (object?["value"] as? [String: Any])?["sound"] as? Bool ?? false
    }

    /// Names and digests that `HEAD` binds.
    func bound(_ workspace: String) -> [String: String]? {
        guard let names = head(workspace)?["names"] as? [[String: Any]] else { return nil }
        var bound: [String: String] = [:]
        for info in names {
            guard let name = info["name"] as? String else { continue }
            bound[name] = info["digest"] as? String ?? "?"
        }
        return bound
    }

    func head(_ workspace: String) -> [String: Any]? {
        guard let data = FileManager.default.contents(atPath: path(workspace) + "/HEAD") else {
            return nil
        }
        return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    }

    func say(_ text: String) {
        guard isVerbose else { return }
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }
}
