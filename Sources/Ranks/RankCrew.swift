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
    private let socket: LocalSocket
    private let lock = NSRecursiveLock()
    private var held = HeldTensors()
    /// For each number of a tensor the ranks that have it, where not all have the same.
    private var owners: [Int: Set<Int>] = [:]
    /// Numbers of tensors that a rank may forget with its next task.
    private var forgettable: [Int: [Int]] = [:]
    /// The last task that went to the stages of a model, and the norm of the last gradients.
    var flight = 0
    var lastNorm = 0.0
    private var tokenizers: [(tokenizer: Tokenizer, number: Int)] = []
    private var isEnded = false
    private var lastFault: RankError?
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
    private var recorded: Costs
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
    private func fault(_ error: RankError) -> Canceled {
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

    // MARK: Tensors

    /// A model by the numbers of its tensors. Those that the ranks lack are sent.
    ///
    /// - Parameter goesOn: asked before every tensor.
    func sent(_ model: LanguageModel, _ goesOn: () -> Continuation) throws -> SentModel {
        SentModel(
            model,
            tensors: try model.parameters.tensors.map {
                if goesOn() == .stop { throw Canceled() }
                return try number(of: $0)
            })
    }

    /// The number of a tensor, which is sent if the ranks lack it.
    private func number(of tensor: Tensor) throws -> Int {
        try lock.withLock {
            guard !isEnded else { throw Canceled() }
            if let number = held.number(of: tensor) { return number }
            let number = held.add(tensor)
            try send(tensor, number, to: RankMessage.all)
            return number
        }
    }

    private func send(_ tensor: Tensor, _ number: Int, to rank: Int32) throws {
        do {
            try tensor.withUnsafeBytes { bytes in
                recorded.sent += bytes.count
                let sent = SentTensor(
                    number: number, shape: tensor.shape, format: tensor.format.name)
                // A tensor of no elements has no bytes to point at.
                let payload =
                    bytes.baseAddress.map {
                        Data(
                            bytesNoCopy: UnsafeMutableRawPointer(mutating: $0),
                            count: bytes.count, deallocator: .none)
                    } ?? Data()
                try socket.write(try RankMessage(.tensor, rank: rank, sent, payload: payload))
            }
        } catch let error as RankError {
            throw fault(error)
        }
    }

    /// The number of a tensor that some ranks have or will have.
    func lent(_ tensor: Tensor) -> Int {
        lock.withLock { held.number(of: tensor) ?? held.add(tensor) }
    }

    func has(_ number: Int, _ rank: Int) -> Bool {
        lock.withLock { owners[number]?.contains(rank) ?? false }
    }

    func note(_ number: Int, heldBy ranks: [Int]) {
        lock.withLock { owners[number, default: []].formUnion(ranks) }
    }

    /// Sends a tensor to a rank that lacks it.
    func give(_ tensor: Tensor, _ number: Int, to rank: Int) throws {
        try lock.withLock {
            guard !isEnded else { throw Canceled() }
            guard !has(number, rank) else { return }
            try send(tensor, number, to: Int32(rank))
            note(number, heldBy: [rank])
        }
    }

    func number(of tokenizer: Tokenizer) throws -> Int {
        try lock.withLock {
            if let known = tokenizers.first(where: { $0.tokenizer.isSame(as: tokenizer) }) {
                return known.number
            }
            let number = tokenizers.count
            tokenizers.append((tokenizer, number))
            do {
                try socket.write(
                    try RankMessage(
                        .tokenizer, rank: RankMessage.all, SentTokenizer(number: number),
                        payload: Data(tokenizer.json.utf8)))
            } catch let error as RankError {
                throw fault(error)
            }
            return number
        }
    }

    /// Numbers for tensors that the ranks compute themselves.
    func numbers(ofComputed tensors: [Tensor]) -> [Int] {
        lock.withLock { tensors.map { held.add($0) } }
    }

    /// The numbers of tensors that the ranks have, or that are sent.
    func numbers(of tensors: [Tensor]) throws -> [Int] { try tensors.map { try number(of: $0) } }
}
