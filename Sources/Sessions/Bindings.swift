import CommandLanguage
import HDF5Objects
import Tokenizers
import Values
import Workspaces

/// The names of a workspace and their values, read from disk once and then kept in memory.
struct Bindings {
    private struct Held {
        var value: Value
        /// The digest of the binding that the value belongs to: undo restores an older binding of
        /// the same name.
        var digest: String?
        var sequence: Int
        /// Whether it can be read from disk again.
        var isStored: Bool
    }

    let workspace: Workspace
    private var held: [String: Held] = [:]

    init(_ workspace: Workspace) { self.workspace = workspace }

    var names: [String] { workspace.names.map(\.name) }

    func info(_ name: String) -> BindingInfo? { workspace.binding(name) }

    /// Nil if the name has no value.
    mutating func value(of name: String) throws -> Value? {
        guard let info = workspace.binding(name) else { return nil }
        if let held = held[name], held.digest == info.digest, held.sequence == info.sequence {
            return held.value
        }
        guard info.isStored else {
            throw EvaluationError.notKept(
                name: name,
                reason:
                    "it was larger than `snapshot_limit` when statement \(info.sequence) made it")
        }
        let value = try Value(try workspace.read(name), of: info, in: workspace)
        held[name] = Held(
            value: value, digest: info.digest, sequence: info.sequence, isStored: true)
        return value
    }

    /// Keeps values that have just been committed.
    mutating func hold(_ values: [(String, Value)], _ report: CommitReport) {
        for (name, value) in values {
            guard let info = report.bound.last(where: { $0.name == name }) else { continue }
            held[name] = Held(
                value: value, digest: info.digest, sequence: info.sequence,
                isStored: info.isStored)
        }
    }

    /// Frees the memory of values whose names were removed. `undo` reads those that are stored, and
    /// others stay.
    mutating func release(_ names: [String]) {
        for name in names where held[name]?.isStored == true { held[name] = nil }
    }

    /// Writes the values that were too large to be written at their statements. Returns sentences
    /// about failures.
    mutating func keepAll() -> [String] {
        guard workspace.isWritable, !workspace.isEphemeral else { return [] }
        var problems: [String] = []
        for info in workspace.names where !info.isStored {
            guard let held = held[info.name], held.sequence == info.sequence else { continue }
            do {
                try workspace.keep(info.name, try held.value.storedObject())
            } catch {
                problems.append("`\(info.name)` could not be kept: \(error)")
            }
        }
        return problems
    }
}
