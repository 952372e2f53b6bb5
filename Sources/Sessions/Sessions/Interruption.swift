import Synchronization

/// A wish to stop, made from a signal handler or another thread and asked for by long work.
public final class Interruption: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// One atomic store: safe in a signal handler.
    public func request() { flag.store(true, ordering: .relaxed) }

    public func clear() { flag.store(false, ordering: .relaxed) }

    public var isRequested: Bool { flag.load(ordering: .relaxed) }
}
