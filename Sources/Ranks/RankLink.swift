import Foundation
import LongWork
import Tensors

/// The way from one rank to the session and to the other ranks. MPI is one.
public protocol RankLink: AnyObject {
    /// From 1.
    var rank: Int { get }
    var count: Int { get }

    func send(_ message: RankMessage) throws
    /// Called often during work: gives a sign of life, and says whether to go on.
    func watch(_ progress: () -> RankMessage?) -> Continuation
    /// Whether all ranks give true.
    func agree(_ isWell: Bool) -> Bool
    /// Replaces the elements by their sum over all ranks, with the same bits on each and in every
    /// run: the order of additions depends on nothing but the number of ranks.
    func sum(_ tensor: inout Tensor)
    /// The way of tensors to other ranks; nil for a rank without others.
    var mail: (any TensorMail)? { get }
}

extension RankLink {
    public var mail: (any TensorMail)? { nil }
}

/// Tensors from rank to rank. Those from one rank to another arrive in the order in which they were
/// sent.
public protocol TensorMail: AnyObject {
    /// Sends a tensor to another rank. Returns before it has arrived.
    ///
    /// - Parameter flight: the number of the task that it belongs to.
    /// - Throws: `Canceled` if the rank is told to stop.
    func send(_ tensor: Tensor, to rank: Int, flight: Int) throws(Canceled)
    /// The next tensor of a task from another rank. Those of earlier tasks are dropped.
    ///
    /// - Throws: `Canceled` if the rank is told to stop.
    func receive(_ shape: [Int], from rank: Int, flight: Int) throws(Canceled) -> Tensor
}
