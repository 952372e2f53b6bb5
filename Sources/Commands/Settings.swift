import Tensors
import Transformers
import Values

/// What `set` changes. They belong to the running session, not to the workspace.
package struct Settings: Sendable {
    /// Values larger than this, in bytes, are not written at every statement.
    package var snapshotLimit = 1 << 30
    /// Bytes that activations and caches may take; nil: most of what is free.
    package var memory: Int?
    package var limits = Limits()
    /// How many statements stay undoable, and so how many old models are kept; nil: all of them,
    /// until `gc`.
    package var undoDepth: Int?
    /// How many statements `gc` keeps undoable unless it is told.
    static let usualUndoDepth = 20

    package init() {}

    var memoryPlan: MemoryPlan { memory.map(MemoryPlan.init(budget:)) ?? .automatic }

    /// A size as people write it: `600MB`, `1.5 GB`, `4096`; nil where it is none.
    package static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number.isFinite, number >= 0 else { return nil }
        let unit = text[digits.endIndex...].filter { !$0.isWhitespace }.lowercased()
        let factors: [String: Double] = [
            "": 1, "b": 1, "bytes": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9,
            "gb": 1e9, "tb": 1e12, "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824,
        ]
        guard let factor = factors[unit], number * factor < 1e18 else { return nil }
        return Int(number * factor)
    }
}
