import CommandLanguage
import Commands
import HDF5Objects
import LongWork
import Values
import Workspaces

/// How statements reach the journal.
extension Session {
    /// The session's seed and the conditions of the statement. With the number of the statement,
    /// the seed decides its random numbers.
    var seedText: String {
        var conditions = settings.conditions
        conditions.shift = shift
        return "\(seed)\(conditions.journal)"
    }

    /// Stores values and binds names to them. A request to stop that arrives meanwhile stops the
    /// writing, not the statement: large values then stay in memory until the session ends.
    ///
    /// - Returns: sentences for the user.
    func commit(
        _ sequence: Int, bind: [(name: String, value: Value)], unbind: [String], seconds: Double,
        stopped: String? = nil
    ) throws -> [String] {
        do {
            func commit(storing limit: Int, watch: Watch = { _ in .more }) throws -> CommitReport {
                var bound: [(String, BoundValue)] = []
                for (name, value) in bind {
                    let bytes = value.storedBytes
                    if bytes > limit {
                        bound.append(
                            (name, .transient(kind: value.kind, digest: nil, bytes: bytes)))
                    } else {
                        bound.append((name, .stored(try value.storedObject())))
                    }
                }
                return try workspace.commit(
                    sequence, bind: bound, unbind: unbind, inputs: inputs, files: inputFiles,
                    seconds: seconds, stopped: stopped, watch: watch)
            }
            var notes: [String] = []
            var report: CommitReport
            do {
                let bytes = bind.reduce(0) { $0 + $1.value.storedBytes }
                report = try writing(bytes) { watch in
                    try commit(storing: settings.snapshotLimit, watch: watch)
                }
            } catch is Canceled {
                let limit = min(settings.snapshotLimit, Session.quicklyWritten)
                report = try commit(storing: limit)
                let left = bind.filter { $0.value.storedBytes > limit }.map(\.name)
                notes.append(
                    "writing was stopped: \(Sentence.list(left)) \(left.count == 1 ? "is" : "are") "
                        + "complete and in memory"
                        + (workspace.isEphemeral ? "" : ", and written when the session ends"))
            }
            bindings.hold(bind.map { ($0.name, $0.value) }, report)
            bindings.release(unbind)
            notes += report.notices.map { "\($0)" }
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

    /// A value of this many bytes is written in an instant.
    private static let quicklyWritten = 1 << 20

    /// Runs the writing of about `bytes` bytes: shows how far it is, and lets a new request to stop
    /// end it. The requests that ended the work itself do not count.
    func writing<Result>(_ bytes: Int, _ body: (Watch) throws -> Result) throws -> Result {
        // A replay's session works for another one, whose requests it hears.
        let interruption = outerInterruption ?? interruption
        let before = interruption.count
        // A host that shows the work itself does not show the writing of a moment in its place.
        var meter = ProgressMeter(task: Progress.writing, patience: 0.3, report: progress)
        defer { meter.finish() }
        let size = Double(bytes) / 1e6
        return try body { share in
            meter.update(Int(share * size), of: Int(size), unit: "MB")
            return interruption.count > before ? .stop : .more
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
