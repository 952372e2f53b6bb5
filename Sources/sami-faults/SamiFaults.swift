import ArgumentParser
import Faults
import Foundation
import Glibc

/// Runs fault injection and counts the losses.
@main
struct SamiFaults: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sami-faults",
        abstract: "Kills, fills disks, flips bits, fuzzes and soaks sami, and counts what is lost.",
        discussion: "Ends with 1 when anything was lost.",
        subcommands: [
            Kill.self, Ranks.self, Damage.self, Disk.self, Interrupt.self, Share.self, Read.self,
            Fuzzing.self,
            Soaking.self, Opening.self, FuzzWorker.self,
        ])
}

struct Common: ParsableArguments {
    @Option(help: "How often.") var count: Int?
    @Option(help: "What random choices come from.") var seed: UInt64 = 1
    @Option(help: "A folder to work in; one that goes away unless given.") var folder: String?
    @Option(help: "The program sami; the one beside this.") var program: String?
    @Flag(help: "Say now and then how far it is.") var verbose = false

    /// Runs experiments in a folder and ends the process.
    func perform(_ experiments: (Laboratory) throws -> [Tally]) throws {
        let place = folder ?? NSTemporaryDirectory() + "sami-faults-\(getpid())"
        defer { if folder == nil { try? FileManager.default.removeItem(atPath: place) } }
        let laboratory = try Laboratory(
            program: program ?? Laboratory.programBeside,
            // Programs start in this folder, so its path must be absolute.
            folder: URL(fileURLWithPath: place).path, seed: seed,
            isVerbose: verbose)
        let tallies = try experiments(laboratory)
        if !tallies.allSatisfy(\.isWell) { throw ExitCode(1) }
    }
}

private func told(_ tally: Tally) -> Tally {
    print(tally.report)
    fflush(nil)
    return tally
}

struct Kill: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "kill -9 at random instants; 1,000 unless told.")
    @OptionGroup var common: Common

    func run() throws {
        try common.perform { [told(try Kills($0).run(common.count ?? 1000))] }
    }
}

struct Ranks: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "kill -9 of ranks, mpirun and the session that started them; 200 unless told.")
    @OptionGroup var common: Common

    func run() throws {
        try common.perform { [told(try RankKills($0).run(common.count ?? 200))] }
    }
}

struct Damage: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bit flips, and files cut, deleted and overwritten; 500 of each.")
    @OptionGroup var common: Common

    func run() throws {
        try common.perform { laboratory in
            let damages = Damages(laboratory)
            return [
                told(try damages.flips(common.count ?? 500)),
                told(try damages.files(common.count ?? 500)),
            ]
        }
    }
}

struct Disk: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Full disks and folders that cannot be written; 300 limits, 40 file systems.")
    @OptionGroup var common: Common

    func run() throws {
        try common.perform { laboratory in
            let disks = FullDisks(laboratory)
            return [
                told(try disks.limits(common.count ?? 300)),
                told(try disks.fileSystem(max(1, (common.count ?? 300) / 8))),
                told(try disks.readOnly()),
            ]
        }
    }
}

struct Interrupt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interrupt",
        abstract: "Ctrl-C once and twice, SIGINT, SIGTERM, SIGHUP, closed pipes; 200 of each.")
    @OptionGroup var common: Common

    func run() throws {
        let count = common.count ?? 200
        try common.perform { laboratory in
            let signals = Signals(laboratory)
            return [
                told(try signals.terminal(presses: 1, count)),
                told(try signals.terminal(presses: 2, count)),
                told(try signals.ending(SIGINT, name: "SIGINT in a script", count)),
                told(try signals.ending(SIGTERM, name: "SIGTERM", count)),
                told(try signals.ending(SIGHUP, name: "SIGHUP", count)),
                told(try signals.closedPipe(count)),
            ]
        }
    }
}

struct Share: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Two shells on one workspace, and locks of the dead; 50 times.")
    @OptionGroup var common: Common

    func run() throws {
        try common.perform { [told(try Sharing($0).run(common.count ?? 50))] }
    }
}

struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "h5ls and h5py on workspace.h5 while it is written; 200 times.")
    @Option(help: "A Python with h5py.") var python: String?
    @OptionGroup var common: Common

    func run() throws {
        try common.perform {
            [told(try Readers($0, python: python).run(common.count ?? 200))]
        }
    }
}

struct Fuzzing: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz",
        abstract: "Mutated inputs for every reader; 100,000 each.",
        discussion: "Readers: " + Fuzz.readers.joined(separator: ", ") + ".")
    @Option(help: "One reader in place of all.") var reader: String?
    @OptionGroup var common: Common

    func run() throws {
        let root = FileManager.default.currentDirectoryPath
        let tool =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        try common.perform { laboratory in
            let fuzz = Fuzz(laboratory, tool: tool, root: root)
            return try (reader.map { [$0] } ?? Fuzz.readers).map {
                told(try fuzz.run($0, common.count ?? 100_000))
            }
        }
    }
}

struct FuzzWorker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz-worker", abstract: "Reads inputs for fuzz.", shouldDisplay: false)
    @Option var reader: String
    @Option var seed: UInt64
    @Option var from: Int
    @Option var to: Int
    @Option var folder: String
    @Option var root: String

    func run() throws {
        try Fuzz.work(reader, seed: seed, from: from, to: to, folder: folder, root: root)
    }
}

struct Soaking: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak", abstract: "2,000 statements in one process, over an hour.")
    @Option(help: "The least that they are spread over.") var seconds = 3600.0
    @OptionGroup var common: Common

    func run() throws {
        try common.perform { [told(try Soak($0).run(common.count ?? 2000, over: seconds))] }
    }
}

struct Opening: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "How long a workspace of 10,000 statements takes to open.")
    @OptionGroup var common: Common

    func run() throws {
        try common.perform { [told(try Soak($0).opening(common.count ?? 10_000))] }
    }
}
