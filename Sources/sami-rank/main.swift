import CMPI
import Foundation
import Ranks
import Tensors
import Transformers

// The program of the processes that `ranks` starts through mpirun. Process 0 connects to the
// session's socket, which is the argument; the others compute.

let variables = ProcessInfo.processInfo.environment
guard CommandLine.arguments.count == 2, variables["OMPI_COMM_WORLD_SIZE"] != nil else {
    try? FileHandle.standardError.write(
        contentsOf: Data(
            "sami-rank is started by the statement `ranks` of sami, through mpirun.\n".utf8))
    exit(2)
}
_ = sami_die_with_parent()
guard getppid() != 1 else { exit(1) }

let isGateway = variables["OMPI_COMM_WORLD_RANK"] == "0"
// Before MPI, which may take long: a session that is gone ends it at once.
let socket = isGateway ? try? LocalSocket.connecting(to: CommandLine.arguments[1]) : nil
if isGateway, socket == nil {
    // In an allocation the first process is on its first node.
    let host = ProcessInfo.processInfo.hostName
    try? FileHandle.standardError.write(
        contentsOf: Data(
            "the session is not on \(host), where mpirun has started the gateway\n".utf8))
    exit(1)
}

let mpi = MPIWorld()
guard mpi.size >= 2 else {
    try? FileHandle.standardError.write(
        contentsOf: Data(
            "sami-rank: started as single processes; mpirun must start all of them\n".utf8))
    exit(2)
}
let neighbors = mpi.computingNeighbors()
if let socket {
    do {
        try Gateway(mpi, socket).run()
    } catch {
        // The session has ended without a word, or sends something that is no message.
        // It cannot remove its folder any more.
        let folder = URL(fileURLWithPath: CommandLine.arguments[1]).deletingLastPathComponent()
        if folder.lastPathComponent.hasPrefix("sami-ranks-") {
            try? FileManager.default.removeItem(at: folder)
        }
        mpi.abort(1)
    }
} else {
    let processors = ProcessInfo.processInfo.activeProcessorCount
    // Slurm does not bind a process to its processors on every cluster.
    let given = min(processors, variables["SLURM_CPUS_ON_NODE"].flatMap(Int.init) ?? processors)
    let threads = variables["SAMI_RANK_THREADS"] ?? "\(max(1, given / max(1, neighbors)))"
    setenv("SAMI_THREADS", threads, 1)
    let free = MemoryPlan.availableBytes / max(1, neighbors)
    let rank = ComputingRank(mpi, patience: Double(variables["SAMI_RANK_TIMEOUT"] ?? "") ?? 300)
    let worker = RankWorker(rank, free: free)
    do {
        try rank.send(try RankMessage(.hello, rank: Int32(mpi.rank), RankInfo.own(memory: free)))
        try rank.run { try worker.receive($0) }
    } catch {
        try? FileHandle.standardError.write(
            contentsOf: Data("sami-rank \(mpi.rank): \(error)\n".utf8))
        mpi.abort(1)
    }
}
mpi.finish()
