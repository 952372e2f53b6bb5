import CMPI
import Foundation
import LongWork
import Ranks
import Tensors

/// Tensors between the ranks that have the stages of a model.
///
/// A rank sends without waiting for the other one, and takes what arrives whenever it waits itself.
/// So no two ranks wait for each other, and a message of a task that was canceled does no harm.
final class StageMail: TensorMail {
    /// Tensors on their way to other ranks at a time; more wait.
    private static let mostSent = 4
    /// Tensors that are kept while this rank waits to send, for each process: more than training
    /// ever has on their way. Where work flows in one direction alone, a slow stage holds up those
    /// before it in place of their memory.
    private static let mostKept = 4
    /// Flight, number of sides, and as many as four sides, each in eight bytes.
    private static let headLength = 48

    private let mpi: MPIWorld
    /// Asked while a rank waits.
    var watch: () -> Continuation = { .more }
    private var sent: [Sent] = []
    private var arrived: [(source: Int, flight: Int, tensor: Tensor)] = []

    /// A message whose bytes MPI may still read.
    private final class Sent {
        var requests: [MPI_Request?] = []
        let head: UnsafeMutableRawPointer
        let tensor: Tensor

        init(_ tensor: Tensor, flight: Int) {
            self.tensor = tensor
            head = .allocate(byteCount: StageMail.headLength, alignment: 8)
            let numbers = [flight, tensor.shape.count] + tensor.shape.prefix(4)
            for place in 0..<6 {
                let number = place < numbers.count ? numbers[place] : 0
                head.storeBytes(of: Int64(number), toByteOffset: 8 * place, as: Int64.self)
            }
        }

        deinit { head.deallocate() }
    }

    init(_ mpi: MPIWorld) { self.mpi = mpi }

    func send(_ tensor: Tensor, to target: Int, flight: Int) throws(Canceled) {
        arrived.removeAll { $0.flight < flight }
        var tries = 0
        while sent.count >= Self.mostSent {
            let hasRoom = arrived.count < Self.mostKept * mpi.size
            if !finishSent(), !(hasRoom && takeArriving()) { try pause(&tries) }
        }
        let message = Sent(tensor.converted(to: .float32), flight: flight)
        message.requests.append(
            mpi.startSend(
                UnsafeRawBufferPointer(start: message.head, count: Self.headLength), to: target,
                tag: .stage))
        // The tensor keeps its memory, which nobody changes while it is shared.
        message.tensor.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: MPIWorld.piece) {
                let end = min(bytes.count, start + MPIWorld.piece)
                message.requests.append(
                    mpi.startSend(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<end]), to: target,
                        tag: .stagePiece))
            }
        }
        sent.append(message)
        finishSent()
    }

    func receive(
        _ shape: [Int], from source: Int, flight: Int
    ) throws(Canceled) -> Tensor {
        var tries = 0
        while true {
            arrived.removeAll { $0.flight < flight }
            if let place = arrived.firstIndex(where: { $0.source == source }) {
                let message = arrived.remove(at: place)
                guard message.flight == flight, message.tensor.shape == shape else {
                    try? FileHandle.standardError.write(
                        contentsOf: Data(
                            ("sami-rank \(mpi.rank): rows \(message.tensor.shape) of task "
                                + "\(message.flight) in the place of \(shape) of \(flight)\n").utf8)
                    )
                    mpi.abort(1)
                }
                return message.tensor
            }
            finishSent()
            if !takeArriving() { try pause(&tries) }
        }
    }

    /// Takes one message that has arrived from any rank, and keeps it until it is asked for.
    @discardableResult
    func takeArriving() -> Bool {
        guard let waiting = mpi.waiting(tag: .stage), waiting.count == Self.headLength else {
            return false
        }
        var head = [Int64](repeating: 0, count: Self.headLength / 8)
        head.withUnsafeMutableBytes { mpi.receive(into: $0, from: waiting.source, tag: .stage) }
        let shape = head[2...].prefix(Int(max(0, min(4, head[1])))).map { Int($0) }
        var tensor = Tensor(uninitialized: shape)
        tensor.withUnsafeMutableBufferPointer { elements in
            let bytes = UnsafeMutableRawBufferPointer(elements)
            for start in stride(from: 0, to: bytes.count, by: MPIWorld.piece) {
                let end = min(bytes.count, start + MPIWorld.piece)
                mpi.receive(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]),
                    from: waiting.source, tag: .stagePiece)
            }
        }
        arrived.append((waiting.source, Int(head[0]), tensor))
        return true
    }

    /// Forgets messages that were received whole. Looking also lets MPI go on with the others.
    @discardableResult
    func finishSent() -> Bool {
        let before = sent.count
        sent.removeAll { message in
            message.requests.removeAll { request in
                var request = request
                return mpi.isFinished(&request)
            }
            return message.requests.isEmpty
        }
        return sent.count < before
    }

    /// Looks often at first, then more and more seldom.
    private func pause(_ tries: inout Int) throws(Canceled) {
        tries += 1
        guard tries > 200 else {
            sched_yield()
            return
        }
        if tries % 20 == 0, watch() == .stop { throw Canceled() }
        usleep(tries > 2000 ? 500 : 50)
    }
}

extension MPIWorld {
    /// Begins to send bytes, which must stay until `isFinished`.
    func startSend(_ bytes: UnsafeRawBufferPointer, to target: Int, tag: Tag) -> MPI_Request? {
        var request: MPI_Request? = sami_mpi_no_request()
        sami_mpi_send_start(
            bytes.baseAddress, Int32(bytes.count), Int32(target), tag.rawValue, comm, &request)
        return request
    }

    func isFinished(_ request: inout MPI_Request?) -> Bool {
        var done: Int32 = 0
        sami_mpi_test(&request, &done)
        return done != 0
    }
}
