import Foundation
import LongWork
import Synchronization
import Tensors
import Transformers

/// The stages of a model as threads of this process.
public final class StageThreads: Sendable {
    private struct Way: Hashable { var from, to: Int }
    private struct State {
        var queues: [Way: [Tensor]] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())
    private let count: Int

    public init(_ count: Int) { self.count = count }

    /// Ends every wait.
    public func stop() { state.withLock { $0.isStopped = true } }

    /// Runs the work of all stages at the same time.
    ///
    /// - Throws: the error of the lowest stage that has one; it also stops the others.
    public func run<Output: Sendable>(
        _ work: @escaping @Sendable (Int, any StageLink) throws -> Output
    ) throws -> [Output] {
        let results = Mutex([Int: Result<Output, any Error>]())
        let group = DispatchGroup()
        for stage in 0..<count {
            group.enter()
            let thread = Thread {
                let result = Result { try work(stage, Link(threads: self, stage: stage)) }
                if case .failure = result { self.stop() }
                results.withLock { $0[stage] = result }
                group.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        group.wait()
        let found = results.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
        for case .failure(let error) in found where !(error is Canceled) { throw error }
        return try found.map { try $0.get() }
    }

    private final class Link: StageLink {
        let threads: StageThreads
        let stage: Int

        init(threads: StageThreads, stage: Int) {
            self.threads = threads
            self.stage = stage
        }

        func send(_ tensor: Tensor, to other: Int) throws(Canceled) {
            let way = Way(from: stage, to: other)
            threads.state.withLock { $0.queues[way, default: []].append(tensor) }
        }

        func receive(_ shape: [Int], from other: Int) throws(Canceled) -> Tensor {
            let way = Way(from: other, to: stage)
            while true {
                let (tensor, isStopped) = threads.state.withLock { state in
                    let queue = state.queues[way] ?? []
                    if !queue.isEmpty { state.queues[way]?.removeFirst() }
                    return (queue.first, state.isStopped)
                }
                if let tensor {
                    guard tensor.shape == shape else { throw Canceled() }
                    return tensor
                }
                if isStopped { throw Canceled() }
                usleep(50)
            }
        }
    }
}
