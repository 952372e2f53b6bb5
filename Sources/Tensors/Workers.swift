import CBLAS
import CProcessor
import Foundation
import Synchronization

/// The threads that share the work of one kernel: the caller and its helpers.
///
/// Work is divided by index in a fixed way, so that results have the same bits in every run with
/// the same number of threads. Helpers wait for the next kernel by spinning for a moment, then by
/// sleeping: the kernels of a small model follow each other within microseconds, and waking a
/// thread takes longer.
public enum Workers {
    /// Number of threads of a kernel, which includes the calling thread: the available processors,
    /// or `SAMI_THREADS`.
    public static var count: Int { pool.count }

    /// Calls `body` once for each worker index below `count`, in parallel, and returns when all
    /// calls are done. Inside a worker, or while another thread uses the helpers, the calls run one
    /// after another.
    public static func run(_ body: (Int) -> Void) { pool.run(body) }

    /// Divides `0..<total` into one contiguous range for each worker. The length of each range but
    /// the last is a multiple of `grain`.
    public static func split(_ total: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
        guard total > 0 else { return }
        let parts = max(1, min(count, total / max(1, grain)))
        guard parts > 1 else { return body(0..<total) }
        func start(_ part: Int) -> Int {
            part < parts ? total * part / parts / max(1, grain) * max(1, grain) : total
        }
        run { worker in
            guard worker < parts else { return }
            body(start(worker)..<start(worker + 1))
        }
    }

    /// Calls `body` once for each index below `total`; a free worker claims the next few indices.
    /// The order varies from run to run, so the outputs of different indices must be disjoint.
    public static func each(_ total: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        // For large totals, claim indices in chunks of `total / (32 · workers)`, because each
        // atomic increment has a cost.
        let step = max(1, total / (32 * count))
        let next = Atomic<Int>(0)
        run { worker in
            while true {
                let first = next.wrappingAdd(step, ordering: .relaxed).oldValue
                guard first < total else { return }
                for index in first..<min(first + step, total) { body(index, worker) }
            }
        }
    }

    package static let mostThreads = 64

    private static let pool = WorkerPool(count: configuredCount())

    private static func configuredCount() -> Int {
        // BLAS must not start threads of its own inside ours.
        openblas_set_num_threads(1)
        let wanted = ProcessInfo.processInfo.environment["SAMI_THREADS"].flatMap(Int.init)
        return min(max(1, wanted ?? ProcessInfo.processInfo.activeProcessorCount), mostThreads)
    }
}

/// The threads claim the parts of a kernel first come, first served. If a helper thread is
/// descheduled, the caller claims its share, so a kernel never waits for a sleeping thread.
final class WorkerPool: @unchecked Sendable {
    // `ticket` publishes `body`. `body` stays valid until `pending` is zero, that is, until every
    // claimed part is finished.

    let count: Int
    /// The low byte holds the next part to claim, the other bytes the number of the kernel.
    private let ticket: Atomic<UInt64>
    private let pending = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let busy = Atomic<Bool>(false)
    /// The processor on which the caller started the kernel; -1 if the system does not say.
    private let callerProcessor = Atomic<Int32>(-1)
    private let condition = NSCondition()
    private var body: UnsafeRawPointer?

    /// Iterations of an empty loop before a helper sleeps: some hundred microseconds.
    private static let patience = 100_000
    /// A helper that has left the caller's processor does not look again for so many parts: where
    /// other programs keep the processors busy, the system may put it back.
    private static let partsBetweenMoves = 64

    init(count: Int) {
        self.count = count
        ticket = Atomic(UInt64(count))
        for worker in 1..<max(2, count) where worker < count {
            let thread = Thread { [unowned self] in self.serve() }
            thread.name = "sami worker \(worker)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    func run(_ body: (Int) -> Void) {
        guard count > 1,
            busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        else {
            for part in 0..<count { body(part) }
            return
        }
        withoutActuallyEscaping(body) { escaping in
            withUnsafePointer(to: escaping) { pointer in
                self.body = UnsafeRawPointer(pointer)
                pending.store(count, ordering: .relaxed)
                callerProcessor.store(currentProcessor(), ordering: .relaxed)
                let kernel = ticket.load(ordering: .relaxed) >> 8
                ticket.store((kernel &+ 1) << 8, ordering: .sequentiallyConsistent)
                if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
                    condition.lock()
                    condition.broadcast()
                    condition.unlock()
                }
                while work() {}
                var spins = 0
                while pending.load(ordering: .acquiring) > 0 {
                    spins += 1
                    if spins > Self.patience { sched_yield() }
                }
            }
        }
        busy.store(false, ordering: .releasing)
    }

    /// Claims one part and computes it; false if no part remains.
    private func work() -> Bool {
        var seen = ticket.load(ordering: .acquiring)
        while true {
            let part = Int(seen & 0xFF)
            guard part < count else { return false }
            let claim = ticket.weakCompareExchange(
                expected: seen, desired: seen &+ 1, ordering: .acquiringAndReleasing)
            if claim.exchanged {
                if let body {
                    body.assumingMemoryBound(to: ((Int) -> Void).self).pointee(part)
                }
                pending.wrappingSubtract(1, ordering: .releasing)
                return true
            }
            seen = claim.original
        }
    }

    private func serve() {
        var (spins, parts) = (0, Self.partsBetweenMoves)
        while true {
            if work() {
                spins = 0
                parts += 1
                let processor = callerProcessor.load(ordering: .relaxed)
                if parts > Self.partsBetweenMoves, processor == currentProcessor() {
                    leaveProcessor(processor)
                    parts = 0
                }
            } else {
                spins += 1
                if spins > Self.patience {
                    sleep()
                    spins = 0
                }
            }
        }
    }

    private func sleep() {
        condition.lock()
        sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while Int(ticket.load(ordering: .sequentiallyConsistent) & 0xFF) >= count {
            condition.wait()
        }
        sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        condition.unlock()
    }
}
