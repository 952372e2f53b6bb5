import Foundation
import LongWork
import Ranks
import Tensors

/// A process of MPI that computes: it receives messages, and lies between a worker and the others.
final class ComputingRank: RankLink {
    private let mpi: MPIWorld
    /// Seconds without a word of the gateway after which it counts as lost.
    private let patience: Double
    // Clocks that stand still while a machine sleeps.
    private var lastHeard = SuspendingClock.now
    private var lastSign = SuspendingClock.now
    private var broadcasts: UInt32 = 0
    /// Whether a task is done now. Outside of tasks messages are heard in their order alone, so
    /// that a stop belongs to the task before it; and no sign is given, because the session may be
    /// sending and not reading.
    private var isInTask = false
    private var isCanceled = false
    private var isSending = false
    /// The last report of the present task, which is sent again while the rank waits.
    private var lastReport: RankMessage?
    private var scratch: [UInt8] = []
    private let stages: StageMail

    var rank: Int { mpi.rank }
    var count: Int { mpi.size - 1 }
    var mail: (any TensorMail)? { stages }

    init(_ mpi: MPIWorld, patience: Double) {
        self.mpi = mpi
        self.patience = patience
        stages = StageMail(mpi)
        stages.watch = { [unowned self] in
            giveSign()
            return isCanceled ? .stop : .more
        }
        mpi.whileWaiting = { [unowned self] in giveSign() }
    }

    /// Receives messages until the session is done with the ranks.
    func run(_ receive: (RankMessage) throws -> Void) throws {
        var idle: UInt32 = 0
        while true {
            guard let waiting = nextMessage else {
                stages.finishSent()
                exitIfAlone()
                // A rank that has nothing to do for a while looks twenty times a second.
                idle = min(50_000, idle + (idle < 10_000 ? 100 : 1000))
                usleep(idle)
                continue
            }
            idle = 0
            lastHeard = .now
            switch waiting.tag {
            case .control: if hear(waiting.source) == .quit { return }
            case .chain: try receive(chained(waiting.count))
            case .direct:
                let message = try message(from: 0, .direct, waiting.count)
                // Messages to all that were sent before it come from another process.
                while broadcasts != message.after {
                    guard let next = mpi.waiting(tag: .chain) else {
                        exitIfAlone()
                        usleep(50)
                        continue
                    }
                    try receive(chained(next.count))
                }
                (isCanceled, lastReport, isInTask) = (false, nil, true)
                defer { isInTask = false }
                try receive(message)
            // The rank before has its task already.
            case .stage: stages.takeArriving()
            case .piece, .ring, .stagePiece:
                throw RankError.badMessage("a piece without its beginning")
            }
        }
    }

    /// Those of the gateway in their order, so that a stop belongs to the task before it. A sum
    /// that another rank has begun waits until this one has its task.
    private var nextMessage: (source: Int, tag: MPIWorld.Tag, count: Int)? {
        mpi.waiting(from: 0) ?? mpi.waiting(tag: .chain) ?? mpi.waiting(tag: .stage)
    }

    /// Ends the process if nothing was heard for too long, as when its host has lost the network.
    /// MPI's own end would wait for the others.
    private func exitIfAlone() {
        if SuspendingClock.now - lastHeard > .seconds(patience) { exit(1) }
    }

    private func hear(_ source: Int) -> RankMessage.Kind? {
        var word: [UInt8] = [0]
        word.withUnsafeMutableBytes { mpi.receive(into: $0, from: source, tag: .control) }
        lastHeard = .now
        let kind = RankMessage.Kind(rawValue: word[0])
        if kind == .cancel { isCanceled = true }
        return kind
    }

    // MARK: Messages

    private func chained(_ count: Int) throws -> RankMessage {
        let message = try message(from: rank - 1, .chain, count)
        broadcasts &+= 1
        return message
    }

    /// The rest of a message whose beginning waits. One for all goes on to the next rank.
    private func message(
        from source: Int, _ tag: MPIWorld.Tag, _ count: Int
    ) throws -> RankMessage {
        let next = tag == .chain && rank + 1 < mpi.size ? rank + 1 : nil
        var first = [UInt8](repeating: 0, count: count)
        first.withUnsafeMutableBytes { mpi.receive(into: $0, from: source, tag: tag) }
        if let next { first.withUnsafeBytes { mpi.send($0, to: next, tag: tag) } }
        let head = try RankMessageHead(Array(first.prefix(RankMessage.headLength)))
        guard first.count == RankMessage.headLength + head.bodyLength else {
            throw RankError.badMessage("a body of another length")
        }
        var payload = Data(count: head.payloadLength)
        payload.withUnsafeMutableBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: MPIWorld.piece) {
                let piece = UnsafeMutableRawBufferPointer(
                    rebasing: bytes[start..<min(bytes.count, start + MPIWorld.piece)])
                mpi.receive(into: piece, from: source, tag: .piece)
                lastHeard = .now
                if let next { mpi.send(UnsafeRawBufferPointer(piece), to: next, tag: .piece) }
            }
        }
        return RankMessage(
            head.kind, rank: head.rank, body: Data(first.dropFirst(RankMessage.headLength)),
            payload: payload, after: head.after)
    }

    // MARK: RankLink

    func send(_ message: RankMessage) throws {
        isSending = true
        defer { isSending = false }
        lastSign = .now
        if message.kind == .progress { lastReport = message }
        let first = RankMessageHead(message).bytes + message.body
        first.withUnsafeBytes { mpi.send($0, to: 0, tag: .direct) }
        message.payload.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: MPIWorld.piece) {
                mpi.send(
                    UnsafeRawBufferPointer(
                        rebasing: bytes[start..<min(bytes.count, start + MPIWorld.piece)]),
                    to: 0, tag: .piece)
            }
        }
    }

    func watch(_ progress: () -> RankMessage?) -> Continuation {
        while let waiting = mpi.waiting(tag: .control) {
            if hear(waiting.source) == .quit { exit(0) }
        }
        exitIfAlone()
        if let message = progress() { try? send(message) }
        return isCanceled ? .stop : .more
    }

    /// While it waits for another rank: so the silent one is the one that hangs.
    private func giveSign() {
        while isInTask, let waiting = mpi.waiting(tag: .control) {
            if hear(waiting.source) == .quit { exit(0) }
        }
        exitIfAlone()
        guard isInTask, !isSending, SuspendingClock.now - lastSign > .seconds(1),
            let sign = lastReport ?? RankMessage.sign(of: rank)
        else { return }
        try? send(sign)
    }

    func agree(_ isWell: Bool) -> Bool {
        var words: [UInt8] = [isWell ? 1 : 0]
        var all = isWell
        for _ in 1..<max(1, count) {
            var received: [UInt8] = [0]
            words.withUnsafeBytes { sent in
                received.withUnsafeMutableBytes {
                    mpi.exchange(sent, to: following, $0, from: preceding, tag: .ring)
                }
            }
            all = all && received[0] == 1
            words = received
        }
        return all
    }

    private var following: Int { rank == count ? 1 : rank + 1 }
    private var preceding: Int { rank == 1 ? count : rank - 1 }

    /// Around the ring once to add and once to share (Patarasuk and Yuan: Bandwidth optimal
    /// all-reduce algorithms for clusters of workstations; JPDC 2009). Each rank sends twice the
    /// elements, however many ranks there are.
    func sum(_ tensor: inout Tensor) {
        guard count > 1 else { return }
        tensor.withUnsafeMutableBufferPointer { elements in
            guard let base = elements.baseAddress else { return }
            func segment(_ number: Int) -> Range<Int> {
                let place = ((number % count) + count) % count
                return elements.count * place / count..<elements.count * (place + 1) / count
            }
            for step in 0..<count - 1 {
                circulate(base, segment(rank - step), segment(rank - step - 1), adding: true)
            }
            for step in 0..<count - 1 {
                circulate(base, segment(rank - step + 1), segment(rank - step), adding: false)
            }
        }
    }

    /// Sends one segment to the next rank and receives another one, piece by piece.
    private func circulate(
        _ base: UnsafeMutablePointer<Float>, _ sent: Range<Int>, _ received: Range<Int>,
        adding: Bool
    ) {
        let piece = MPIWorld.piece / 4
        if scratch.isEmpty { scratch = [UInt8](repeating: 0, count: MPIWorld.piece) }
        scratch.withUnsafeMutableBytes { scratch in
            for start in stride(from: 0, to: max(sent.count, received.count), by: piece) {
                let outgoing = UnsafeRawBufferPointer(
                    start: base + sent.lowerBound + min(start, sent.count),
                    count: 4 * max(0, min(piece, sent.count - start)))
                let target = base + received.lowerBound + min(start, received.count)
                let count = max(0, min(piece, received.count - start))
                let incoming =
                    adding
                    ? UnsafeMutableRawBufferPointer(rebasing: scratch[..<(4 * count)])
                    : UnsafeMutableRawBufferPointer(start: target, count: 4 * count)
                mpi.exchange(outgoing, to: following, incoming, from: preceding, tag: .ring)
                guard adding else { continue }
                let values = incoming.assumingMemoryBound(to: Float.self)
                for i in 0..<count { target[i] += values[i] }
            }
        }
    }
}
