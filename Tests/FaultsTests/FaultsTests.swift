import Faults
import Foundation
import Glibc
import TestSupport
import Testing

/// The short form of every experiment; `make faults` runs the long ones, docs/FAULTS.md has their
/// figures.
@Suite(
    .serialized,
    .enabled(
        if: FileManager.default.isExecutableFile(atPath: Bench.program),
        "needs the built program beside the tests"))
struct FaultsTests {
    private func expectWell(
        _ tally: Tally, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(tally.isWell, "\(tally.report)", sourceLocation: location)
    }

    @Test(.enabled(if: Bench.hasModel, "needs models/tiny"))
    func killsLoseNothing() throws {
        try Bench.use { expectWell(try Kills($0).run(8)) }
    }

    @Test(
        .enabled(if: Bench.hasModel, "needs models/tiny"),
        .enabled(
            if: BuiltPrograms.rank != nil, "there is no mpirun here, or no sami-rank in the build"))
    func killsOfRanksLeaveNoProcess() throws {
        try Bench.use { expectWell(try RankKills($0).run(4)) }
    }

    @Test(.enabled(if: Bench.hasModel, "needs models/tiny"))
    func damageIsFoundAndNamedAndCostsNoMoreThanItself() throws {
        try Bench.use { laboratory in
            expectWell(try Damages(laboratory).flips(60))
            expectWell(try Damages(laboratory).files(14))
        }
    }

    @Test(.enabled(if: Bench.hasModel, "needs models/tiny"))
    func aFullDiskFailsAStatementAndNothingElse() throws {
        try Bench.use { laboratory in
            expectWell(try FullDisks(laboratory).limits(8))
            expectWell(try FullDisks(laboratory).readOnly())
        }
    }

    @Test(.enabled(if: Bench.hasModel, "needs models/tiny"))
    func signalsLeaveTerminalAndWorkspaceInOrder() throws {
        try Bench.use { laboratory in
            let signals = Signals(laboratory)
            expectWell(try signals.terminal(presses: 1, 2))
            expectWell(try signals.terminal(presses: 2, 2))
            expectWell(try signals.ending(SIGTERM, name: "SIGTERM", 2))
            expectWell(try signals.ending(SIGHUP, name: "SIGHUP", 2))
            expectWell(try signals.closedPipe(2))
        }
    }

    @Test func aSecondShellReadsAndADeadLockIsTakenOver() throws {
        try Bench.use { expectWell(try Sharing($0).run(1)) }
    }

    @Test(.enabled(if: Bench.hasReader, "needs h5ls"))
    func theLinkedFileOpensWhileItIsWritten() throws {
        try Bench.use { expectWell(try Readers($0, python: nil).run(6)) }
    }

    /// A fixed thousand for each reader.
    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: Bench.tool),
            "needs sami-faults beside the tests"), arguments: Fuzz.readers)
    func mutatedInputsEndInAValueOrASentence(_ reader: String) throws {
        try Bench.use { laboratory in
            let fuzz = Fuzz(laboratory, tool: Bench.tool, root: Repository.root)
            expectWell(try fuzz.run(reader, 1000))
        }
    }
}

/// The place of the programs, and a folder for each experiment.
private enum Bench {
    static let program = BuiltPrograms.path("sami") ?? ""
    static let tool = BuiltPrograms.path("sami-faults") ?? ""

    static var hasModel: Bool {
        FileManager.default.fileExists(atPath: Repository.path("models/tiny/config.json"))
    }

    static var hasReader: Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/h5ls")
    }

    static func use(_ body: (Laboratory) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "faults-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(try Laboratory(program: program, folder: folder, seed: 1))
    }
}
