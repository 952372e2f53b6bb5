import CProcessor
import Foundation
import Testing

@testable import Tensors

/// Every part of a kernel is done once, by any thread.
@Suite struct WorkersTests {
    /// Totals around the number of workers, and large ones.
    static let totals = [0, 1, 2, Workers.count - 1, Workers.count, Workers.count + 1, 97, 10_007]

    /// How often each index was done.
    private final class Tally: @unchecked Sendable {
        // Not a Mutex: the thread sanitizer does not see its locking.
        private let lock = NSLock()
        private var counts: [Int]
        init(_ total: Int) { counts = [Int](repeating: 0, count: total) }
        func add(_ index: Int) { lock.withLock { counts[index] += 1 } }
        var isOneEach: Bool { lock.withLock { counts.allSatisfy { $0 == 1 } } }
    }

    @Test(arguments: totals)
    func eachTakesEveryIndexOnce(total: Int) {
        let tally = Tally(total)
        Workers.each(total) { index, worker in
            tally.add(index)
            if worker < 0 || worker >= Workers.count { Issue.record("worker \(worker)") }
        }
        #expect(tally.isOneEach)
    }

    @Test(arguments: totals, [1, 16, 1000])
    func splitCoversTheTotalInRangesOfWholeGrains(total: Int, grain: Int) {
        let tally = Tally(total)
        let lock = NSLock()
        nonisolated(unsafe) var ranges: [Range<Int>] = []
        Workers.split(total, grain: grain) { range in
            for index in range { tally.add(index) }
            lock.withLock { ranges.append(range) }
        }
        #expect(tally.isOneEach)
        let found = ranges.sorted { $0.lowerBound < $1.lowerBound }
        #expect(found.count <= Workers.count && found.count <= max(1, total / grain))
        #expect(found.allSatisfy { $0.lowerBound % grain == 0 })
        #expect((found.isEmpty) == (total == 0))
    }

    @Test func runCallsEveryWorkerOnce() {
        let tally = Tally(Workers.count)
        Workers.run { tally.add($0) }
        #expect(tally.isOneEach)
    }

    /// The helpers are busy with the outer kernel, so the thread that starts an inner kernel runs
    /// it alone.
    @Test func kernelsInsideKernelsAreDoneWhole() {
        let (outer, inner) = (37, 41)
        let tally = Tally(outer * inner)
        Workers.each(outer) { row, _ in
            Workers.split(inner) { range in
                for column in range { tally.add(row * inner + column) }
            }
        }
        #expect(tally.isOneEach)
    }

    /// Threads that start kernels at the same time each get exactly their own work done.
    @Test func kernelsOfSeveralThreadsDoNotMix() {
        let (threads, kernels, total) = (4, 300, 65)
        let tallies = (0..<threads * kernels).map { _ in Tally(total) }
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for kernel in 0..<kernels {
                Workers.each(total) { index, _ in tallies[thread * kernels + kernel].add(index) }
            }
        }
        #expect(tallies.allSatisfy { $0.isOneEach })
    }

    /// A kernel after a pause that is longer than helpers spin finds them asleep.
    @Test func sleepingHelpersWake() {
        for _ in 0..<5 {
            usleep(30_000)
            let tally = Tally(1000)
            Workers.each(1000) { index, _ in tally.add(index) }
            #expect(tally.isOneEach)
        }
    }

    /// The thread goes elsewhere, and may go everywhere afterwards.
    @Test func aThreadLeavesAProcessor() {
        let allowed = ProcessInfo.processInfo.activeProcessorCount
        // Between two of these lines the system may move the thread back.
        let hasLeft = (0..<50).contains { _ in
            let here = currentProcessor()
            leaveProcessor(here)
            return currentProcessor() != here
        }
        #expect(hasLeft == (allowed > 1))
        leaveProcessor(-1)
        leaveProcessor(.max)
        #expect(ProcessInfo.processInfo.activeProcessorCount == allowed)
    }

    /// Pools of their own: their helpers live as long as the process.
    private static let pools = [1, 2, 3, 7].map { WorkerPool(count: $0) }

    @Test(arguments: pools.indices)
    func aPoolOfAnySizeDoesEveryPart(index: Int) {
        let pool = Self.pools[index]
        for _ in 0..<200 {
            let tally = Tally(pool.count)
            pool.run { part in
                tally.add(part)
                // Inside, the caller does everything.
                let inside = Tally(pool.count)
                pool.run { inside.add($0) }
                if !inside.isOneEach { Issue.record("a nested kernel was not done whole") }
            }
            #expect(tally.isOneEach)
        }
    }
}
