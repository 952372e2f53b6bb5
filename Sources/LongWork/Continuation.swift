/// Whether long work continues. A caller answers with it whenever the work reports how far it is.
public enum Continuation: Sendable, Hashable { case more, stop }

/// Follows work that gives its result only at the end, such as a pass through a model.
///
/// The work calls it between its parts (blocks of a model, tensors of an optimizer), with the share
/// of itself that is finished, in 0...1, so that a display moves and a stop takes effect within the
/// time of one part. It must be cheap, such as the load of an atomic flag. After `.stop` the work
/// asks no more and throws `Canceled`.
public typealias Watch = (_ share: Double) -> Continuation

/// Thrown by work without a result after its watch answered `.stop`. The data that the work would
/// have changed are unchanged.
public struct Canceled: Error, Equatable {
    public init() {}

    /// Reports a share of finished work. Throws `Canceled` if the answer is `.stop`.
    @inlinable
    public static func check(_ watch: Watch, _ share: Double) throws(Canceled) {
        if watch(share) == .stop { throw Canceled() }
    }
}
