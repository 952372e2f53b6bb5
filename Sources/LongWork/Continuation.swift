/// Whether long work continues. Callers answer with it when they receive progress, and whenever the
/// work asks whether it is canceled.
///
/// Long work takes `cancel: () -> Continuation` and asks it between blocks of a model, so that a
/// stop takes effect within the time of one block. `cancel` must be cheap, such as the load of an
/// atomic flag. After its first `.stop` it must always answer `.stop`.
public enum Continuation: Sendable, Hashable { case more, stop }

/// Thrown by work without a result after `cancel` answered `.stop`. The data that the work would
/// have changed are unchanged.
public struct Canceled: Error, Equatable {
    public init() {}

    /// Throws `Canceled` if `cancel` answers `.stop`.
    @inlinable
    public static func check(_ cancel: () -> Continuation) throws(Canceled) {
        if cancel() == .stop { throw Canceled() }
    }
}
