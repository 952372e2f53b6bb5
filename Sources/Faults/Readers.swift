import Foundation
import Glibc

/// `workspace.h5` opened by other programs while `sami` writes.
public struct Readers {
    let laboratory: Laboratory
    /// A Python that has h5py; nil uses `h5ls` alone.
    let python: String?
    private let workspace = "read.samiws"

    public init(_ laboratory: Laboratory, python: String?) {
        self.laboratory = laboratory
        self.python = python
    }

    public func run(_ count: Int) throws -> Tally {
        var tally = Tally("workspace.h5 read while it is written")
        laboratory.remove(workspace)
        // The statements run without a pause, for longer than the readers take.
        let lines = (1...10_000).map { number in
            "x = ones([40, 40]) * \(number); y = [\(number)]; undo; gc 2;"
        }
        try Data(lines.joined(separator: "\n").utf8).write(
            to: URL(fileURLWithPath: laboratory.path("writer.sami")))
        let child = try Child(
            laboratory.program, ["-w", workspace, "run", "writer.sami"], in: laboratory.folder)
        let path = laboratory.path(workspace) + "/workspace.h5"
        let script = """
            import h5py, sys
            for _ in range(20):
                with h5py.File(sys.argv[1], "r") as f:
                    for name in f:
                        item = f.get(name)
                        if item is not None: item[()]
            """
        while laboratory.bound(workspace)?["x"] == nil {
            guard child.isRunning else { throw FaultError(child.complaints) }
            usleep(10_000)
        }
        for round in 0..<count {
            tally.tried += 1
            let isPython = round % 2 == 1 && python != nil
            let reader = try Child(
                isPython ? python ?? "" : "/usr/bin/h5ls",
                isPython ? ["-c", script, path] : ["-r", path], in: laboratory.folder)
            reader.closeInput()
            let ending = reader.wait()
            if ending != .exit(0) || reader.complaints.contains("unable to open file") {
                tally.lose("\(isPython ? "h5py" : "h5ls"): \(ending): \(reader.complaints)")
            }
        }
        if !child.isRunning { tally.lose("the writer had ended: \(child.complaints)") }
        child.signal(SIGKILL)
        child.wait()
        let sequence = laboratory.head(workspace)?["sequence"] as? Int ?? 0
        tally.notes.append(
            "\(python == nil ? "h5ls alone" : "h5ls and h5py by turns"), during "
                + "\(2 * sequence) statements")
        return tally
    }
}
