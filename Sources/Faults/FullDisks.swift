import Foundation
import Glibc

/// A disk that is full at any write of a statement, and a folder without write permission.
public struct FullDisks {
    let laboratory: Laboratory
    private let workspace = "disk.samiws"

    public init(_ laboratory: Laboratory) { self.laboratory = laboratory }

    private static let before = """
        load model default; principles = load principles trained
        load queries summaries split=test count=4; compose seed=1; rollout seed=2; score
        """
    private static let statements = [
        "train steps=1 accumulate=2 learning_rate=1e-4 seed=3", "x = zeros([300, 300])",
        "undo", "gc 2", "pack packed.h5", "export model jsonValue",
        "export logprobs logprobs.json", "compose seed=5",
    ]

    /// A limit on the size of files, from nothing up to the size of the largest file: each write of
    /// each statement fails once.
    public func limits(_ count: Int) throws -> Tally {
        var tally = Tally("disk full, by a limit on file sizes")
        laboratory.remove(workspace)
        let prepared = try laboratory.run(["-w", workspace, "-c", Self.before])
        guard prepared.ending == .exit(0) else { throw FaultError(prepared.errors) }
        var random = SeededGenerator(laboratory.seed)
        var failed = 0
        for round in 0..<count {
            try laboratory.copy(workspace, to: "full.samiws")
            for name in ["packed.h5", "jsonValue", "logprobs.json"] { laboratory.remove(name) }
            let statement = Self.statements[round % Self.statements.count]
            // Most files are small; the model's has 10,000 blocks.
            let exponent = Double.random(in: 0...14, using: &random)
            let limit = Int(pow(2, exponent)) - 1
            let result = try laboratory.run(
                ["-w", "full.samiws", "-c", statement], limit: limit)
            tally.tried += 1
            if result.ending != .exit(0) { failed += 1 }
            try check("limit of \(limit) blocks, `\(statement)`", result, &tally)
        }
        tally.notes.append("\(failed) statements failed")
        laboratory.remove("full.samiws")
        return tally
    }

    /// A file system that fills up before a workspace and a statement have enough space. Needs the
    /// right to mount a file system.
    public func fileSystem(_ count: Int) throws -> Tally {
        var tally = Tally("disk full, on a small file system")
        let needed = try Self.statements[..<4].map { statement in
            laboratory.remove(workspace)
            let made = try laboratory.run(
                ["-w", workspace, "-c", Self.before + "; " + Self.training(after: statement)])
            guard made.ending == .exit(0) else { throw FaultError(made.errors) }
            return laboratory.size(workspace) / 1000
        }
        let mount = laboratory.path("small")
        try FileManager.default.createDirectory(
            atPath: mount, withIntermediateDirectories: true)
        var random = SeededGenerator(laboratory.seed &+ 1)
        var failed = 0
        for round in 0..<count {
            let kilobytes = Int.random(in: 200..<needed[round % 4], using: &random)
            let made = try Self.tool(
                "/bin/mount", ["-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", mount])
            guard made == 0 else {
                tally.notes.append("not tried: mounting a file system is not allowed here")
                tally.tried = 1
                return tally
            }
            defer { _ = try? Self.tool("/bin/umount", ["-l", mount]) }
            let started = try laboratory.run(["-w", "small/w.samiws", "-c", Self.before])
            let statement = Self.statements[round % 4]
            let result = try laboratory.run([
                "-w", "small/w.samiws", "-c", Self.training(after: statement),
            ])
            tally.tried += 1
            if started.ending != .exit(0) || result.ending != .exit(0) { failed += 1 }
            for (ending, _, errors) in [started, result] {
                switch ending {
                case .exit(0): break
                case .exit(1), .exit(3):
                    if errors.isEmpty { tally.lose("\(kilobytes) KB: it failed without a word") }
                default: tally.lose("\(kilobytes) KB: \(ending): \(errors)")
                }
            }
            // With enough space again, every bound value must be there.
            _ = try Self.tool(
                "/bin/mount", ["-o", "remount,size=200m", mount])
            if let found = try laboratory.verify("small/w.samiws"), !found.isSound {
                tally.lose("\(kilobytes) KB: \(found.record)")
            }
            let after = try laboratory.run(["-w", "small/w.samiws", "-c", "z = 3; z + 4"])
            if after.ending != .exit(0) { tally.lose("\(kilobytes) KB: \(after.errors)") }
        }
        tally.notes.append("\(failed) runs failed")
        return tally
    }

    private static func training(after statement: String) -> String {
        "\(statement); train steps=1 accumulate=2 seed=4"
    }

    private static func tool(_ path: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// A folder without write permission opens read-only, with a notice.
    public func readOnly() throws -> Tally {
        var tally = Tally("a folder that cannot be written")
        laboratory.remove(workspace)
        let prepared = try laboratory.run(["-w", workspace, "-c", Self.before])
        guard prepared.ending == .exit(0) else { throw FaultError(prepared.errors) }
        tally.tried = 1
        guard geteuid() != 0 else {
            // Root may write everywhere; only a read-only file system stops root.
            let path = laboratory.path(workspace)
            guard try Self.tool("/bin/mount", ["--bind", path, path]) == 0,
                try Self.tool("/bin/mount", ["-o", "remount,bind,ro", path]) == 0
            else {
                tally.notes.append("not tried: neither a user nor allowed to mount")
                return tally
            }
            defer { _ = try? Self.tool("/bin/umount", ["-l", path]) }
            try checkReadOnly(&tally)
            return tally
        }
        chmod(laboratory.path(workspace), 0o555)
        chmod(laboratory.path(workspace) + "/lock", 0o444)
        defer { chmod(laboratory.path(workspace), 0o755) }
        try checkReadOnly(&tally)
        return tally
    }

    private func checkReadOnly(_ tally: inout Tally) throws {
        let result = try laboratory.run(["-w", workspace, "-c", "ls; describe logprobs; x = 1"])
        if result.ending != .exit(1) || !result.errors.contains("read-only") {
            tally.lose("\(result.ending): \(result.errors)")
        }
        if let found = try laboratory.verify(workspace), !found.isSound {
            tally.lose("it is not sound: \(found.record)")
        }
    }

    private func check(
        _ what: String, _ result: (ending: Ending, output: String, errors: String),
        _ tally: inout Tally
    ) throws {
        switch result.ending {
        case .exit(0): break
        case .exit(1), .exit(3):
            if result.errors.isEmpty { tally.lose("\(what): it failed without a word") }
        default: tally.lose("\(what): \(result.ending): \(result.errors)")
        }
        guard let before = laboratory.bound(workspace), let now = laboratory.bound("full.samiws")
        else {
            tally.lose("\(what): HEAD is gone")
            return
        }
        guard let found = try laboratory.verify("full.samiws"), found.isSound else {
            tally.lose("\(what): it is not sound")
            return
        }
        // Opened again, the workspace has the state before or the state after the statement. A
        // failed statement must not change it.
        if result.ending != .exit(0), before != now || laboratory.bound("full.samiws") != before {
            tally.lose("\(what): it failed, and the names are others")
        }
        let garbage =
            (try? FileManager.default.contentsOfDirectory(
                atPath: laboratory.path("full.samiws"))) ?? []
        if garbage.contains(where: { $0.contains(".new-") }) {
            tally.lose("\(what): half a file is left: \(garbage)")
        }
    }
}
