import CommandLanguage
import Commands
import HDF5Objects
import Values
import Workspaces

/// How statements reach the journal.
extension Session {
    /// The session's seed and the memory budget of the statement, "7/memory=16000000000". With the
    /// number of the statement, the seed decides its random numbers; the budget decides which rows
    /// are computed together, and so the last bits of results.
    var seedText: String { "\(seed)/\(Session.memoryMark)\(settings.memoryPlan.budget)" }

    func commit(
        _ sequence: Int, bind: [(name: String, value: Value)], unbind: [String], seconds: Double,
        stopped: String? = nil
    ) throws -> [String] {
        do {
            var bound: [(String, BoundValue)] = []
            for (name, value) in bind {
                let bytes = value.storedBytes
                if bytes > settings.snapshotLimit {
                    bound.append(
                        (name, .transient(kind: value.kind, digest: nil, bytes: bytes)))
                } else {
                    bound.append((name, .stored(try value.storedObject())))
                }
            }
            let report = try workspace.commit(
                sequence, bind: bound, unbind: unbind, inputs: inputs, files: inputFiles,
                seconds: seconds, stopped: stopped)
            bindings.hold(bind.map { ($0.name, $0.value) }, report)
            var notes = report.notices.map { "\($0)" }
            if let depth = settings.undoDepth {
                do {
                    try workspace.trim(keepingUndo: depth)
                } catch {
                    notes.append("old values are still there: \(Failure.sentence(for: error))")
                }
            }
            if let note = storageNote(written: report.bytesWritten) { notes.append(note) }
            return notes
        } catch {
            try? workspace.fail(sequence, message: Failure.sentence(for: error))
            throw error
        }
    }

    /// Journals the last bare expression, because a statement is about to depend on it.
    func journalPending() throws {
        guard let source = unjournaled, workspace.isWritable else { return }
        let sequence = try workspace.begin(source: source, seed: seedText)
        _ = try workspace.commit(sequence, bind: [], seconds: 0)
        unjournaled = nil
    }

    func readsLastResult(_ node: Node) -> Bool {
        node.contains { if case .name("_") = $0.expression { true } else { false } }
    }

    func readsLastResult(_ call: CommandCall) -> Bool {
        (call.operands + call.options.map(\.value)).contains { argument in
            if case .expression(let node) = argument.value { return readsLastResult(node) }
            return false
        }
    }
}

extension Value {
    /// Approximate number of bytes that a workspace would write for it.
    var storedBytes: Int {
        switch self {
        case .null, .bool, .number: 8
        case .text(let text): text.utf8.count
        case .list(let items): items.reduce(0) { $0 + $1.storedBytes }
        case .record(let record): record.values.reduce(0) { $0 + $1.storedBytes }
        case .tensor(let tensor): tensor.count * 4
        case .object(let object): (object as? any SizedObject)?.bytes ?? 1000
        }
    }
}
