import CCrypto
import Foundation
import Glibc
import LongWork

/// The start of ranks: `mpirun` starts them, and each describes itself.
extension RankCrew {
    /// The program of a rank, beside this one.
    public static var program: String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folder = URL(fileURLWithPath: own).deletingLastPathComponent().path
        return ProcessInfo.processInfo.environment["SAMI_RANK"] ?? folder + "/sami-rank"
    }

    /// Starts ranks and waits until they are ready.
    ///
    /// - Parameter watch: asked twenty times a second.
    /// - Throws: `RankError`; `Canceled`.
    public static func start(
        _ plan: RankPlan, watch: () -> Continuation = { .more }
    ) throws -> RankCrew {
        let program = RankCrew.program
        guard access(program, X_OK) == 0 else { throw RankError.noMPI(program: program) }
        let folder = try privateFolder()
        let path = folder + "/socket"
        let (listener, process): (LocalSocket, RankProcess)
        do {
            listener = try LocalSocket.listening(at: path)
            // From here on the process removes the folder.
            process = try RankProcess(
                plan.arguments(program: program, socket: path, isRoot: geteuid() == 0),
                folder: folder)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
        let limit = ContinuousClock.now + .seconds(max(60, plan.timeout / 5))
        var connection: LocalSocket?
        var infos: [Int: RankInfo] = [:]
        func check() throws {
            if watch() == .stop { throw Canceled() }
            if process.hasEnded {
                throw RankError.notStarted(LauncherWords(process.words, plan).advice)
            }
            guard ContinuousClock.now < limit else {
                throw RankError.slowStart(
                    seconds: max(60, plan.timeout / 5), started: infos.count, of: plan.count)
            }
        }
        while connection == nil {
            connection = try listener.accepted(within: 50)
            if connection == nil { try check() }
        }
        guard let socket = connection else { throw RankError.gone }
        while infos.count < plan.count {
            do {
                guard try socket.isReadable(within: 50) else {
                    try check()
                    continue
                }
                let message = try socket.read()
                if message.kind == .hello {
                    infos[Int(message.rank)] = try message.content(RankInfo.self)
                }
            } catch RankError.gone {
                process.waitForEnd(seconds: 2)
                throw RankError.notStarted(LauncherWords(process.words, plan).advice)
            }
        }
        let ranks = infos.sorted { $0.key < $1.key }.map(\.value)
        let own = RankCrew.digest(ofFile: program)
        if let other = ranks.firstIndex(where: { $0.program != own }) {
            throw RankError.otherBuild(rank: other + 1, host: ranks[other].host)
        }
        socket.limitWaiting(seconds: plan.timeout)
        return RankCrew(plan, ranks, process, socket)
    }

    /// A new folder that its owner alone may enter. The address of a socket in it has 108 bytes, so
    /// that long names of folders do not serve.
    private static func privateFolder() throws -> String {
        let usual = NSTemporaryDirectory()
        let parent = usual.utf8.count < 80 ? usual : "/tmp"
        var template = Array((parent + "/sami-ranks-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw RankError.notStarted(
                "no folder in \(parent): \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// SHA-256 of a file, to compare builds.
    public static func digest(ofFile path: String) -> String {
        guard let data = FileManager.default.contents(atPath: path) else { return "" }
        var hash = [UInt8](repeating: 0, count: 32)
        let code = data.withUnsafeBytes {
            EVP_Digest($0.baseAddress, $0.count, &hash, nil, EVP_sha256(), nil)
        }
        return code == 1 ? hash.map { String($0, radix: 16) }.joined(separator: ".") : ""
    }
}
