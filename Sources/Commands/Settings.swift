import Layers
import Rendering
import Tensors
import Transformers
import Values

/// The settings that `set` changes. They belong to the running session, not to the workspace.
package struct Settings: Sendable {
    /// Larger values, in bytes, are not written at every statement.
    package var snapshotLimit = 1 << 30
    /// Largest number of bytes for activations and caches; nil takes most of the free memory.
    package var memory: Int?
    /// The budget of the running statement, in bytes. It decides which rows are computed together
    /// and so the last bits of results; the journal keeps it, and a replay uses it again.
    package private(set) var statementMemory: Int?
    /// Whether the budget of a replayed statement was set by the user.
    private var isStatementMemorySet = false
    package var limits = Limits()
    package var precision = Precision.auto
    /// The precision of the running statement; `float32` on a processor that has no other. The
    /// journal keeps it, and a replay uses it again.
    package private(set) var statementPrecision = Precision.float32
    /// Number of statements that can be undone, which decides how many old models are kept; nil
    /// keeps all until `gc`.
    package var undoDepth: Int?
    /// Number of statements that `gc` keeps undoable by default.
    static let usualUndoDepth = 20

    /// Columns and colors that `set` asks for, whatever the terminal has; nil: the terminal's.
    package var width: Int?
    package var color: Color?

    /// Whether a terminal shows long output page by page.
    package enum Pager: String, CaseIterable, Sendable { case auto, off }
    package var pager = Pager.auto

    package init() {}

    package var memoryPlan: MemoryPlan {
        (memory ?? statementMemory).map(MemoryPlan.init(budget:)) ?? .automatic
    }

    /// Fixes the budget and the precision of a statement.
    ///
    /// - Parameter replayed: those of the original statement in a replay. They are used if this
    ///   machine has so much memory free, and such a processor.
    package mutating func resolve(replayed: StatementConditions?) {
        let free = MemoryPlan.availableBytes
        isStatementMemorySet = replayed?.isMemorySet ?? false
        statementMemory =
            replayed?.memory.flatMap { $0 <= free ? $0 : nil } ?? MemoryPlan.automatic.budget
        statementPrecision =
            Arithmetic.bfloat16 == nil ? .float32 : replayed?.precision ?? precision
    }

    /// The conditions of the running statement.
    package var conditions: StatementConditions {
        StatementConditions(
            memory: memoryPlan.budget, isMemorySet: memory != nil || isStatementMemorySet,
            precision: statementPrecision)
    }

    /// A size in usual notation: `600MB`, `1.5 GB`, `4096`; nil if it is not a size.
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
