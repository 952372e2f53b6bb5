import Synchronization

/// A cancellation flag. A signal handler or another thread sets it; long work polls it.
public final class Interruption: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// One atomic store: safe in a signal handler.
    public func request() { flag.store(true, ordering: .relaxed) }

    public func clear() { flag.store(false, ordering: .relaxed) }

    public var isRequested: Bool { flag.load(ordering: .relaxed) }
}
