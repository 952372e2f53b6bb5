import Foundation
import Glibc

/// Two shells on one workspace, and a lock left by a dead process.
public struct Sharing {
    let laboratory: Laboratory
    private let workspace = "shared.samiws"

    public init(_ laboratory: Laboratory) { self.laboratory = laboratory }

    public func run(_ count: Int) throws -> Tally {
        var tally = Tally("two shells, and locks of the dead")
        laboratory.remove(workspace)
        for round in 0..<count {
            let first = try Child(
                laboratory.program, ["--json", "-w", workspace], in: laboratory.folder)
            first.send("x = \(round)")
            guard first.line(within: 60) != nil else { throw FaultError(first.complaints) }
            let second = try laboratory.run(["-w", workspace, "-c", "x; y = 1"])
            tally.tried += 1
            if second.ending != .exit(1) || !second.output.contains("\(round)")
                || !second.errors.contains("process \(first.id) on ")
                || !second.errors.contains("read-only")
            {
                tally.lose("second shell: \(second.ending): \(second.output)\(second.errors)")
            }
            first.signal(SIGKILL)
            first.wait()
            let third = try laboratory.run(["-w", workspace, "-c", "x; y = 1"])
            tally.tried += 1
            if third.ending != .exit(0) || !third.errors.contains("its lock was taken over") {
                tally.lose("dead lock: \(third.ending): \(third.errors)")
            }
        }
        return tally
    }
}
