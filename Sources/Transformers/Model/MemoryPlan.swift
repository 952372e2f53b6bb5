/// The memory that work on a model may take, and every decision that follows from it: whether a
/// backward pass keeps activations or recomputes them, and how many responses are generated
/// together.
///
/// Kernels sum in an order that depends on the number of rows, so these decisions change the last
/// bits of results. They are functions of the model, the work and `budget` alone: with the same
/// budget the results are the same bits, however much memory is free. A caller that wants to repeat
/// work therefore keeps the budget.
public struct MemoryPlan: Sendable, Equatable {
    /// Largest number of bytes for activations.
    public var budget: Int

    public init(budget: Int) { self.budget = budget }

    /// 70 % of the memory that is free at this moment. Resolve it once for a piece of work that is
    /// to be repeated.
    public static var automatic: MemoryPlan {
        MemoryPlan(budget: Int(Double(availableBytes) * 0.7))
    }

    /// The same share of what tensors leave of `free` bytes, and an eighth of these at least:
    /// tensors of mapped files can leave the memory for a while.
    package static func left(of free: Int, without tensors: Int) -> MemoryPlan {
        MemoryPlan(budget: max(free / 8, Int(0.7 * Double(free - tensors))))
    }

    /// Most responses that are generated together.
    static let largestWave = 128

    /// How many responses of these lengths, in rows of the cache, are generated together: as many
    /// of the first ones as the budget has room for.
    /// - Throws: `ModelError.doesNotFit` if not even the first fits.
    func waveSize(rows: some Sequence<Int>, rowBytes: Int) throws(ModelError) -> Int {
        var (bytes, size) = (0, 0)
        for rows in rows.prefix(Self.largestWave) {
            bytes += rows * rowBytes
            if bytes > budget { break }
            size += 1
        }
        if size == 0 { throw .doesNotFit(needed: bytes, available: budget) }
        return size
    }

    enum Strategy: Equatable {
        /// Every block's activations stay until its backward pass.
        case keep
        /// Only every block's input stays; the block is recomputed before its backward pass.
        case recompute
        /// The same, one tree of the forest after another.
        case recomputeTreeByTree
    }

    func strategy(
        rows: Int, largestTree: Int, blocks: Int, activationWidth: Int, width: Int
    ) throws -> Strategy {
        func bytes(_ rows: Int, kept: Int) -> Int { rows * kept * MemoryLayout<Float>.stride }
        let working = 2 * activationWidth + 6 * width
        let recomputing = blocks * width + working
        if bytes(rows, kept: blocks * activationWidth + working) <= budget { return .keep }
        if bytes(rows, kept: recomputing) <= budget { return .recompute }
        let least = bytes(largestTree, kept: recomputing)
        if least <= budget { return .recomputeTreeByTree }
        throw ModelError.doesNotFit(needed: least, available: budget)
    }
}
