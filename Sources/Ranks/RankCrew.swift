import Alignment
import Foundation
import LongWork
import Tensors
import TextModels
import Tokenizers
import Transformers

/// The ranks of a session: processes on this machine or on others that compute for its models.
///
/// The session speaks with one process, the gateway, which passes messages on and computes nothing.
/// After any fault all ranks are stopped, and `count` is 0.
public final class RankCrew: TrainingCrew, CompletingCrew, @unchecked Sendable {
    // The lock is held for the time of a task: `count` waits for its end.

    /// The ranks as they described themselves, in their order.
    public let ranks: [RankInfo]
    public let plan: RankPlan
    private let process: RankProcess
    let socket: LocalSocket
    let lock = NSRecursiveLock()
    var held = HeldTensors()
    var pieceLength = PieceLength()
    /// For each number of a tensor the ranks that have it, where not all have the same.
    var owners: [Int: Set<Int>] = [:]
    /// Numbers of tensors that a rank may forget with its next task.
    private var forgettable: [Int: [Int]] = [:]
    /// The last task that went to the stages of a model, and the norm of the last gradients.
    var flight = 0
    var lastNorm = 0.0
    var tokenizers: [(tokenizer: Tokenizer, number: Int)] = []
    private(set) var isEnded = false
    private var lastFault: RankError?
    var underway: RankSending?
    /// Weights on their way; nil while there are none.
    public var sending: RankSending? { lock.withLock { underway } }
    /// What the work of the ranks has taken since they started.
    public struct Costs: Sendable, Hashable {
        /// Seconds between the first task of a statement's work and the last reply.
        public var elapsed = 0.0
        /// Seconds that each rank computed.
        public var computing: [Double]
        /// Seconds in sums of gradients; of each work that of the rank that took least, because the
        /// others have waited for it.
        public var adding = 0.0
        /// Bytes of tensors to the ranks, and of gradients from them.
        public var sent = 0
        public var received = 0
    }
    var recorded: Costs
    public var costs: Costs { lock.withLock { recorded } }

    init(
        _ plan: RankPlan, _ ranks: [RankInfo], _ process: RankProcess, _ socket: LocalSocket
    ) {
        (self.plan, self.ranks) = (plan, ranks)
        (self.process, self.socket) = (process, socket)
        recorded = Costs(computing: [Double](repeating: 0, count: ranks.count))
    }

    deinit { end() }

    public var dividesLayers: Bool { plan.split == .layers }

    public var count: Int { lock.withLock { isEnded ? 0 : ranks.count } }

    /// The fault that ended the ranks, once. The work of that time was canceled, so that its state
    /// is kept as after a stop by the person.
    public func takeFault() -> RankError? {
        lock.withLock {
            defer { lastFault = nil }
            return lastFault
        }
    }

    /// Stops the ranks.
    public func end() {
        lock.withLock {
            guard !isEnded else { return }
            isEnded = true
            try? socket.write(RankMessage(.quit, rank: RankMessage.all))
            process.waitForEnd(seconds: 1)
            process.end()
        }
    }

    // MARK: Tasks

    /// Sends tasks, one a rank at most, and waits for all replies.
    ///
    /// - Parameters:
    ///   - parts: receives the parts of a result.
    ///   - progress: asked twenty times a second with the reports of the ranks.
    ///   - result: of the replies by rank. Replies that are none to these tasks are a
    ///     `RankError.badMessage`, after which no rank is to be trusted.
    func run<Result>(
        _ tasks: [Int: RankTask.Work], parts: (RankMessage) throws -> Void = { _ in },
        progress: ([Int: RankProgress]) -> Continuation,
        result: ([Int: RankReply]) throws -> Result
    ) throws -> Result {
        try lock.withLock {
            guard !isEnded else { throw Canceled() }
            do {
                let numbers = held.takeForgotten()
                for number in numbers { owners[number] = nil }
                for rank in 1...ranks.count {
                    let forgotten = (forgettable[rank] ?? []) + numbers
                    forgettable[rank] = tasks[rank] == nil ? forgotten : nil
                    guard let work = tasks[rank] else { continue }
                    try socket.write(
                        try RankMessage(
                            .task, rank: Int32(rank), RankTask(forgotten: forgotten, work: work)))
                }
                return try result(try replies(Set(tasks.keys), parts, progress))
            } catch let error as RankError {
                if case .failed = error { throw error }
                throw fault(error)
            }
        }
    }

    private func replies(
        _ asked: Set<Int>, _ parts: (RankMessage) throws -> Void,
        _ progress: ([Int: RankProgress]) -> Continuation
    ) throws -> [Int: RankReply] {
        var replies: [Int: RankReply] = [:]
        var waiting = asked
        var reports: [Int: RankProgress] = [:]
        // A clock that stands still while the machine sleeps.
        var signs = Dictionary(uniqueKeysWithValues: asked.map { ($0, SuspendingClock.now) })
        var failure: RankError?
        var isCanceled = false
        let start = ContinuousClock.now
        var adding: [Double] = []
        while !waiting.isEmpty {
            if try socket.isReadable(within: 50) {
                let message = try socket.read()
                let rank = Int(message.rank)
                guard ranks.indices.contains(rank - 1) else {
                    throw RankError.badMessage("a message of rank \(rank)")
                }
                signs[rank] = .now
                switch message.kind {
                case .progress: reports[rank] = try message.content(RankProgress.self)
                case .part:
                    recorded.received += message.payload.count
                    try parts(message)
                case .reply:
                    let answer = try message.content(RankAnswer.self)
                    replies[rank] = answer.reply
                    recorded.computing[rank - 1] += answer.computing
                    adding.append(answer.adding)
                    waiting.remove(rank)
                case .failure:
                    failure =
                        failure
                        ?? .failed(
                            rank: rank, host: host(rank), problem: try message.content(String.self))
                    waiting.remove(rank)
                default: break
                }
            } else if process.hasEnded {
                throw RankError.gone
            }
            let now = SuspendingClock.now
            if let silent = waiting.first(where: {
                now - (signs[$0] ?? now) > .seconds(plan.timeout)
            }) {
                throw RankError.silent(rank: silent, host: host(silent), seconds: plan.timeout)
            }
            if !isCanceled, progress(reports) == .stop || failure != nil {
                isCanceled = true
                try socket.write(RankMessage(.cancel, rank: RankMessage.all))
            }
        }
        recorded.elapsed += (ContinuousClock.now - start) / .seconds(1)
        recorded.adding += adding.min() ?? 0
        if let failure { throw failure }
        return replies
    }

    /// Stops everything after a fault that leaves no rank to be trusted, and keeps the cause.
    func fault(_ error: RankError) -> Canceled {
        guard !isEnded else { return Canceled() }
        process.waitForEnd(seconds: 2)
        let first = process.firstEnd
        let words = LauncherWords(process.words, plan)
        let lost = first == nil ? words.lostHost : nil
        let cause =
            first?.cause ?? process.signal
            ?? (lost == nil ? words.advice : "mpirun has lost the connection to this host")
        isEnded = true
        process.end()
        let who =
            lost.map(whoIs(on:))
            ?? first.map {
                $0.rank == 0 ? "the gateway of the ranks" : "rank \($0.rank) on \(host($0.rank))"
            } ?? "the ranks"
        lastFault = error == .gone ? .ended(ranks: who, cause: cause) : error
        return Canceled()
    }

    /// The ranks of a host that `mpirun` names.
    private func whoIs(on name: String) -> String {
        // A host's own name may be without its domain.
        func short(_ name: String) -> Substring { name.prefix { $0 != "." } }
        let numbers = ranks.indices.filter { short(ranks[$0].host) == short(name) }
            .map { "\($0 + 1)" }
        guard !numbers.isEmpty else { return "the ranks on \(name)" }
        return (numbers.count == 1 ? "rank " : "ranks ") + RankError.list(numbers) + " on \(name)"
    }

    private func host(_ rank: Int) -> String {
        ranks.indices.contains(rank - 1) ? ranks[rank - 1].host : "an unknown host"
    }
}
