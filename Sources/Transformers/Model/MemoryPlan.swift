import Foundation

/// The memory limit of a pass, and the strategy that follows from it: keep activations or recompute
/// them.
public struct MemoryPlan: Sendable, Equatable {
    /// Largest number of bytes for activations.
    public var budget: Int

    public init(budget: Int) { self.budget = budget }

    /// 70 % of the machine's free memory at this moment.
    public static var automatic: MemoryPlan {
        MemoryPlan(budget: Int(Double(availableBytes) * 0.7))
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

    /// Memory that can be used without swapping, in bytes, as the system reports it; 2 GiB without
    /// a report.
    public static var availableBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 2 << 30 }
        return kilobytes * 1024
    }
}
