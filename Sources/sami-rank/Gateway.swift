import Foundation
import Ranks

/// Process 0 of MPI: it passes messages between the session and the ranks, and computes nothing. So
/// it always hears both.
final class Gateway {
    private let mpi: MPIWorld
    private let socket: LocalSocket
    /// Messages for all ranks so far.
    private var broadcasts: UInt32 = 0
    /// Tasks without a reply yet.
    private var tasks = 0
    private var lastPing = SuspendingClock.now
    private var scratch = [UInt8](repeating: 0, count: MPIWorld.piece)

    init(_ mpi: MPIWorld, _ socket: LocalSocket) {
        self.mpi = mpi
        self.socket = socket
        // The others hear it while one of them hangs in the middle of a message.
        mpi.whileWaiting = { [unowned self] in pingIfDue() }
    }

    /// Runs until the session tells the ranks to quit. Throws if the session is gone.
    func run() throws {
        var idle: Int32 = 0
        while true {
            var isBusy = false
            if try socket.isReadable(within: idle) {
                if try passOn() == .quit { return }
                isBusy = true
            }
            while let waiting = mpi.waiting(tag: .direct) {
                try passBack(from: waiting.source, count: waiting.count)
                isBusy = true
            }
            pingIfDue()
            // Messages of the session wake it at once, those of ranks do not.
            idle = isBusy ? 0 : min(tasks > 0 ? 2 : 20, idle + 1)
        }
    }

    private func pingIfDue() {
        guard SuspendingClock.now - lastPing > .seconds(2) else { return }
        lastPing = .now
        tellAll(.ping)
    }

    /// One message of the session to its rank, or from rank to rank.
    private func passOn() throws -> RankMessage.Kind {
        let headBytes = try socket.readBytes(RankMessage.headLength)
        var head = try RankMessageHead(headBytes)
        switch head.kind {
        case .cancel, .quit, .ping:
            tellAll(head.kind)
            return head.kind
        default: break
        }
        let isForAll = head.rank == RankMessage.all
        if !isForAll { head.after = broadcasts }
        let first = head.bytes + (try socket.readBytes(head.bodyLength))
        let target = isForAll ? 1 : Int(head.rank)
        guard target >= 1, target < mpi.size else {
            throw RankError.badMessage("a message for rank \(target)")
        }
        first.withUnsafeBytes { mpi.send($0, to: target, tag: isForAll ? .chain : .direct) }
        var left = head.payloadLength
        while left > 0 {
            let count = min(left, scratch.count)
            try scratch.withUnsafeMutableBytes { bytes in
                let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                try socket.read(into: piece)
                mpi.send(UnsafeRawBufferPointer(piece), to: target, tag: .piece)
            }
            left -= count
        }
        if isForAll { broadcasts &+= 1 }
        if head.kind == .task { tasks += 1 }
        return head.kind
    }

    /// One message of a rank to the session.
    private func passBack(from rank: Int, count: Int) throws {
        var first = [UInt8](repeating: 0, count: count)
        first.withUnsafeMutableBytes { mpi.receive(into: $0, from: rank, tag: .direct) }
        let head = try RankMessageHead(Array(first.prefix(RankMessage.headLength)))
        try first.withUnsafeBytes { try socket.write($0) }
        if head.kind == .reply || head.kind == .failure { tasks -= 1 }
        var left = head.payloadLength
        while left > 0 {
            let count = min(left, scratch.count)
            try scratch.withUnsafeMutableBytes { bytes in
                let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
                mpi.receive(into: piece, from: rank, tag: .piece)
                try socket.write(UnsafeRawBufferPointer(piece))
            }
            left -= count
        }
    }

    private func tellAll(_ kind: RankMessage.Kind) {
        let word = [kind.rawValue]
        for rank in 1..<mpi.size { word.withUnsafeBytes { mpi.send($0, to: rank, tag: .control) } }
    }
}
