import Workspaces

/// The conditions of a statement that decide its results. The journal keeps them with the seed:
/// "7/shift=1/memory=2000000000/set/precision=auto".
package struct StatementConditions: Sendable, Hashable {
    /// Bytes for activations: they decide which rows are computed together, and so the last bits.
    package var memory: Int?
    /// Whether the user has set them. Otherwise they are a share of the memory that was free.
    package var isMemorySet: Bool
    package var precision: Precision
    /// The number of the statement minus the number under which it draws random numbers.
    package var shift: Int

    package init(memory: Int?, isMemorySet: Bool, precision: Precision, shift: Int = 0) {
        self.memory = memory
        self.isMemorySet = isMemorySet
        self.precision = precision
        self.shift = shift
    }

    private static let memoryMark = "memory="
    private static let setMark = "set"
    private static let precisionMark = "precision="
    private static let shiftMark = "shift="

    /// Reads the text of a journal. Lines without a precision are older than it: float32.
    package init(journal text: String) {
        let parts = text.split(separator: "/")
        func value(_ mark: String) -> String? {
            parts.first { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
        }
        memory = value(Self.memoryMark).flatMap { Int($0) }
        isMemorySet = parts.contains { $0 == Self.setMark }
        precision = value(Self.precisionMark).flatMap(Precision.init) ?? .float32
        shift = value(Self.shiftMark).flatMap { Int($0) } ?? 0
    }

    /// The text that follows the seed.
    package var journal: String {
        (shift == 0 ? "" : "/\(Self.shiftMark)\(shift)")
            + (memory.map { "/\(Self.memoryMark)\($0)" } ?? "")
            + (isMemorySet ? "/\(Self.setMark)" : "")
            + (precision == .float32 ? "" : "/\(Self.precisionMark)\(precision.rawValue)")
    }
}

extension HistoryEntry {
    /// The number under which it drew random numbers: its own, unless statements before it failed
    /// or were undone in a script that went on.
    package var number: Int { sequence &- StatementConditions(journal: seed).shift }
}

extension UnfinishedStatement {
    package var number: Int { sequence &- StatementConditions(journal: seed).shift }
}

extension [HistoryEntry] {
    /// Lines of blocks that a later line repeats: a block that is stopped between expressions
    /// journals the names so far, and all of them again under the same number when it goes on.
    package var repeated: Set<Int> {
        var last: [[Int]: Int] = [:]
        var repeated: Set<Int> = []
        for entry in self where entry.status == .committed && !entry.isBlock {
            guard let block = entry.block else { continue }
            if let earlier = last.updateValue(entry.sequence, forKey: [block, entry.number]) {
                repeated.insert(earlier)
            }
        }
        return repeated
    }
}
