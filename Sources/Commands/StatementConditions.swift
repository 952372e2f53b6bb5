/// The conditions of a statement that decide the last bits of its results. The journal keeps them
/// with the seed: "7/memory=16000000000/precision=auto".
package struct StatementConditions: Sendable, Hashable {
    /// Bytes for activations: they decide which rows are computed together.
    package var memory: Int?
    package var precision: Precision

    package init(memory: Int?, precision: Precision) {
        self.memory = memory
        self.precision = precision
    }

    private static let memoryMark = "memory="
    private static let precisionMark = "precision="

    /// Reads the text of a journal. Lines without a precision are older than it: float32.
    package init(journal text: String) {
        let parts = text.split(separator: "/")
        func value(_ mark: String) -> String? {
            parts.first { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
        }
        memory = value(Self.memoryMark).flatMap { Int($0) }
        precision = value(Self.precisionMark).flatMap(Precision.init) ?? .float32
    }

    /// The text that follows the seed.
    package var journal: String {
        (memory.map { "/\(Self.memoryMark)\($0)" } ?? "")
            + (precision == .float32 ? "" : "/\(Self.precisionMark)\(precision.rawValue)")
    }
}
