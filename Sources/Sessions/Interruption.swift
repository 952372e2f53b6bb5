import Synchronization

/// Requests to stop. A signal handler or another thread makes them; long work polls it.
public final class Interruption: Sendable {
    private let requests = Atomic<Int>(0)

    public init() {}

    /// One atomic addition: safe in a signal handler.
    public func request() { requests.add(1, ordering: .relaxed) }

    public func clear() { requests.store(0, ordering: .relaxed) }

    public var isRequested: Bool { count > 0 }

    /// The number of requests since the last `clear`. Stopped work writes its results, and a second
    /// request stops the writing.
    var count: Int { requests.load(ordering: .relaxed) }
}
