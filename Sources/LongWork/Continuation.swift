/// Whether long work goes on. Callers answer with it when they are told of progress, and whenever
/// the work asks if it is canceled.
///
/// Long work takes `cancel: () -> Continuation` and asks it between blocks of a model, so that a
/// stop takes effect within the time of one block. `cancel` must be cheap, such as the load of an
/// atomic flag, and must answer `.stop` again once it has.
public enum Continuation: Sendable, Hashable { case more, stop }

/// Thrown by work that gives no result once `cancel` answered `.stop`. Whatever the work was to
/// change is then as before.
public struct Canceled: Error, Equatable {
    public init() {}

    /// Throws `Canceled` if `cancel` answers `.stop`.
    @inlinable
    public static func check(_ cancel: () -> Continuation) throws(Canceled) {
        if cancel() == .stop { throw Canceled() }
    }
}
