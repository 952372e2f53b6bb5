import CMPI
import Foundation

/// Messages between the processes of MPI, without waiting in a loop that takes a processor.
final class MPIWorld {
    /// Messages in pieces of this length: MPI counts in 32 bits, and a piece is passed on while the
    /// next one arrives.
    static let piece = 8 << 20

    let rank: Int
    /// With the gateway.
    let size: Int
    let comm = sami_mpi_world()
    /// Called while a message is on its way.
    var whileWaiting: () -> Void = {}

    init() {
        var provided: Int32 = 0
        MPI_Init_thread(nil, nil, sami_mpi_one_thread(), &provided)
        var (rank, size): (Int32, Int32) = (0, 0)
        MPI_Comm_rank(comm, &rank)
        MPI_Comm_size(comm, &size)
        (self.rank, self.size) = (Int(rank), Int(size))
    }

    func finish() { MPI_Finalize() }

    /// Ends all processes at once.
    func abort(_ code: Int32) -> Never {
        MPI_Abort(comm, code)
        exit(code)
    }

    /// Number of processes on this host that compute.
    func computingNeighbors() -> Int {
        var local: MPI_Comm? = sami_mpi_no_comm()
        MPI_Comm_split_type(comm, sami_mpi_one_host(), 0, sami_mpi_no_info(), &local)
        var (mine, sum): (Int32, Int32) = (rank == 0 ? 0 : 1, 0)
        MPI_Allreduce(&mine, &sum, 1, sami_mpi_int(), sami_mpi_sum(), local)
        MPI_Comm_free(&local)
        return Int(sum)
    }

    func send(_ bytes: UnsafeRawBufferPointer, to target: Int, tag: Tag) {
        var request: MPI_Request? = sami_mpi_no_request()
        sami_mpi_send_start(
            bytes.baseAddress, Int32(bytes.count), Int32(target), tag.rawValue, comm, &request)
        wait(&request)
    }

    func receive(into bytes: UnsafeMutableRawBufferPointer, from source: Int, tag: Tag) {
        var request: MPI_Request? = sami_mpi_no_request()
        sami_mpi_receive_start(
            bytes.baseAddress, Int32(bytes.count), Int32(source), tag.rawValue, comm, &request)
        wait(&request)
    }

    /// Sends and receives at once, as neighbors in a ring do.
    func exchange(
        _ sent: UnsafeRawBufferPointer, to target: Int,
        _ received: UnsafeMutableRawBufferPointer, from source: Int, tag: Tag
    ) {
        var sending: MPI_Request? = sami_mpi_no_request()
        var receiving = sending
        sami_mpi_receive_start(
            received.baseAddress, Int32(received.count), Int32(source), tag.rawValue, comm,
            &receiving)
        sami_mpi_send_start(
            sent.baseAddress, Int32(sent.count), Int32(target), tag.rawValue, comm, &sending)
        wait(&receiving)
        wait(&sending)
    }

    /// The message that waits longest; nil if there is none.
    ///
    /// - Parameters:
    ///   - source: the process that sent it; nil for any.
    ///   - tag: nil for any.
    func waiting(
        from source: Int? = nil, tag: Tag? = nil
    ) -> (source: Int, tag: Tag, count: Int)? {
        var (found, sender, number, count): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        sami_mpi_probe(
            Int32(source ?? -1), tag?.rawValue ?? -1, comm, &found, &sender, &number, &count)
        guard found != 0, let tag = Tag(rawValue: number) else { return nil }
        return (Int(sender), tag, Int(count))
    }

    /// Looks often at first, then more and more seldom.
    private func wait(_ request: inout MPI_Request?) {
        var tries = 0
        var done: Int32 = 0
        while true {
            sami_mpi_test(&request, &done)
            if done != 0 { return }
            tries += 1
            if tries > 200 {
                usleep(tries > 2000 ? 500 : 50)
                if tries % 100 == 0 { whileWaiting() }
            } else {
                sched_yield()
            }
        }
    }

    enum Tag: Int32 {
        /// The head and the body of a message for one process.
        case direct = 1
        /// The head and the body of a message that goes from process to process.
        case chain
        /// A piece of a payload.
        case piece
        /// A word that is heard during work.
        case control
        /// Between ranks.
        case ring
        /// The head of a tensor from one stage of a model to another.
        case stage
        /// A piece of such a tensor.
        case stagePiece
    }
}
