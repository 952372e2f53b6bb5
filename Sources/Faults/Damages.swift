import Foundation
import Glibc

/// Damages a workspace's files. The damage must be found and named, and nothing but the damaged
/// data may be lost.
public struct Damages {
    let laboratory: Laboratory
    private let whole = "whole.samiws"
    private let broken = "broken.samiws"

    public init(_ laboratory: Laboratory) { self.laboratory = laboratory }

    private func prepare() throws {
        laboratory.remove(whole)
        let result = try laboratory.run([
            "-w", whole, "-c",
            """
            load model default; principles = load principles trained
            load queries summaries split=test count=4; compose seed=1; rollout seed=2; score
            x = [1, 2, 3]; x = [4, 5]; y = "text"; rm y
            """,
        ])
        guard result.ending == .exit(0) else { throw FaultError(result.errors) }
    }

    private func objects(_ workspace: String) -> [String] {
        let root = laboratory.path(workspace) + "/objects"
        let found = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".h5") }.sorted().map { root + "/" + $0 }
    }

    /// Flips one bit in an object's file. `verify` must find it and name the file, the value and
    /// the statement that makes the value again.
    public func flips(_ count: Int) throws -> Tally {
        var tally = Tally("bit flips found by verify")
        try prepare()
        let files = objects(whole)
        var random = SeededGenerator(laboratory.seed)
        let child = try Child(
            laboratory.program, ["--json", "-w", whole], in: laboratory.folder)
        for _ in 0..<count {
            guard let file = files.randomElement(using: &random) else { break }
            let descriptor = open(file, O_RDWR)
            defer { close(descriptor) }
            // Half of the flips hit the head of the file, which holds its structure.
            let size = Int(lseek(descriptor, 0, SEEK_END))
            let reach = Bool.random(using: &random) ? min(size, 8192) : size
            let place = off_t(Int.random(in: 0..<reach, using: &random))
            var byte: UInt8 = 0
            pread(descriptor, &byte, 1, place)
            var flipped = byte ^ (1 << UInt8.random(in: 0..<8, using: &random))
            pwrite(descriptor, &flipped, 1, place)
            child.send("verify")
            let line = child.line(within: 60) ?? "nothing"
            let name = (file as NSString).lastPathComponent
            if Laboratory.isSound(line) || !line.contains(name) || !line.contains("\"source\"") {
                tally.lose("byte \(place) of \(name): \(line.prefix(300))")
            }
            pwrite(descriptor, &byte, 1, place)
            tally.tried += 1
        }
        child.send("verify")
        if !Laboratory.isSound(child.line(within: 60) ?? "") {
            tally.lose("it is not sound again when all bits are")
        }
        child.closeInput()
        child.wait()
        return tally
    }

    /// Objects deleted, cut and overwritten; journals cut and damaged anywhere; `HEAD` missing or
    /// damaged. The rest must be usable, and another opening must not find more damage.
    public func files(_ count: Int) throws -> Tally {
        var tally = Tally("damaged and missing files")
        try prepare()
        let state = laboratory.bound(whole)
        var random = SeededGenerator(laboratory.seed)
        for round in 0..<count {
            try laboratory.copy(whole, to: broken)
            let what = try harm(round, &random)
            // `y` is new; `x` is small and may be the damaged value. Both must work.
            let used = try laboratory.run(["-w", broken, "-c", "y = 1; y + 1; ls"])
            tally.tried += 1
            if used.ending != .exit(0) || !used.output.contains("2") {
                tally.lose("\(what): \(used.ending): \(used.errors)")
                continue
            }
            var now = laboratory.bound(broken)
            now?["y"] = nil
            if now != state { tally.lose("\(what): the names are others") }
            guard let report = try laboratory.verify(broken) else {
                tally.lose("\(what): verify cannot be asked")
                continue
            }
            let damages = report.record["damages"] as? [[String: Any]] ?? []
            let expected = what.hasPrefix("object") ? 1 : 0
            if damages.count != expected { tally.lose("\(what): \(damages.count) damages found") }
            if expected == 1, damages.first?["source"] as? String == nil {
                tally.lose("\(what): the statement that makes it again is not named")
            }
        }
        laboratory.remove(broken)
        return tally
    }

    private func harm(_ round: Int, _ random: inout SeededGenerator) throws -> String {
        let root = laboratory.path(broken)
        func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
            var bytes = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
            body(&bytes)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        let journal = root + "/journal.jsonl"
        switch round % 7 {
        case 0, 1, 2:
            guard let file = objects(broken).randomElement(using: &random) else { return "" }
            switch round % 7 {
            case 0:
                unlink(file)
                return "object deleted"
            case 1:
                try change(file) { bytes in
                    bytes.removeSubrange(Int.random(in: 0..<bytes.count, using: &random)...)
                }
                return "object cut"
            default:
                try change(file) { bytes in
                    for _ in 0..<8 {
                        bytes[Int.random(in: bytes.indices, using: &random)] = 0x55
                    }
                }
                return "object overwritten"
            }
        case 3:
            var place = 0
            try change(journal) { bytes in
                place = Int.random(in: 0..<bytes.count, using: &random)
                bytes.removeSubrange(place...)
            }
            return "journal cut at \(place)"
        case 4:
            var place = 0
            try change(journal) { bytes in
                place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            return "journal flipped at \(place)"
        case 5:
            unlink(root + "/HEAD")
            return "HEAD missing"
        default:
            try change(root + "/HEAD") { bytes in
                bytes[Int.random(in: bytes.indices, using: &random)] ^= 4
            }
            return "HEAD damaged"
        }
    }
}
