import Foundation

/// How much memory a pass may take, and what follows: activations kept, or formed again.
public struct MemoryPlan: Sendable, Equatable {
    /// Bytes that activations may take.
    public var budget: Int

    public init(budget: Int) { self.budget = budget }

    /// 70 % of what the machine has free now.
    public static var automatic: MemoryPlan {
        MemoryPlan(budget: Int(Double(availableBytes) * 0.7))
    }

    enum Strategy: Equatable {
        /// Every block's activations stay until its backward pass.
        case keep
        /// Only every block's input stays; the block runs again before its backward pass.
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

    /// What the system says can be used without swapping, in bytes; 2 GiB where it does not say.
    public static var availableBytes: Int {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 2 << 30 }
        return kilobytes * 1024
    }
}
