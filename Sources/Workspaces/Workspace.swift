import Files
import Foundation
import Glibc
import HDF5Objects

/// Named values that outlive the process: a folder of immutable objects, a journal of the
/// statements that made them, and the present names.
///
/// ```swift
/// let workspace = try Workspace.open("first.samiws")
/// let sequence = try workspace.begin(source: "x = 3", seed: "0")
/// try workspace.commit(
///     sequence, bind: [("x", .stored(StoredObject(kind: "number", value: 3)))], seconds: 0.01)
/// ```
///
/// A statement is committed when its `commit` line is on the disk. Its objects are written before,
/// and everything after (`HEAD`, `workspace.h5`) can be made again from the journal.
/// `docs/WORKSPACE.md` lists the state that a process leaves if it dies at each point, and the
/// repair at the next opening.
///
/// One process writes; others may read. Every method takes the workspace's lock, so any thread may
/// call it (therefore the class is Sendable), but only one statement runs at a time.
public final class Workspace: @unchecked Sendable {
    public enum Mode: Sendable {
        /// Creates the folder if it is missing. Falls back to reading if another process has the
        /// workspace open or the folder cannot be written; see `isWritable` and `notices`.
        case readWrite
        case readOnly
        /// A temporary folder, removed on closing.
        case ephemeral
    }

    /// The workspace's folder.
    public let path: String
    public let isEphemeral: Bool
    public let isWritable: Bool
    /// Whether to fsync where a power cut would lose data.
    let isDurable: Bool
    let program: String
    let machine: String
    let objects: ObjectStore
    let journal: Journal
    private let mutex = NSRecursiveLock()
    private var lockFile: WorkspaceLock?
    private(set) var isClosed = false
    /// The reason why the workspace is not writable, although the caller asked for writing.
    let readOnlyReason: String?

    // `mutex` guards all properties below.
    var timeline: Timeline
    /// The reason for a base line that must precede the next line, if the journal alone no longer
    /// gives the names.
    var owedBase: String?
    /// Whether both journal and HEAD are damaged.
    var isInDoubt: Bool
    var openingNotices: [Notice]
    var journalDamages: [Journal.Damage]
    var running: Int?
    /// The block whose statements run.
    var runningBlock: Int?
    private let isRunningElsewhere: Bool
    private var places: [String: ObjectPlaces] = [:]
    private var linkedNames: [BindingInfo]?

    init(
        path: String, mode: Mode, program: String, machine: String, isDurable: Bool,
        lock: WorkspaceLock?,
        readOnlyReason: String?, recovered: Recovery
    ) {
        self.path = path
        self.program = program
        self.machine = machine
        isEphemeral = mode == .ephemeral
        isWritable = lock != nil
        self.isDurable = isDurable
        lockFile = lock
        self.readOnlyReason = readOnlyReason
        objects = ObjectStore(folder: path + "/objects", isDurable: isDurable)
        journal = Journal(path: path + "/journal.jsonl", isDurable: isDurable)
        timeline = recovered.timeline
        owedBase = recovered.owedBase
        isInDoubt = recovered.isInDoubt
        openingNotices = recovered.notices
        journalDamages = recovered.damages
        isRunningElsewhere = recovered.isRunningElsewhere
    }

    deinit { close() }

    func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body()
    }

    /// Releases the lock. Without it nothing is lost: everything committed is already on the disk.
    public func close() {
        locked {
            guard !isClosed else { return }
            isClosed = true
            journal.close()
            lockFile?.release()
            lockFile = nil
            if isEphemeral { FileSystem.removeTree(path) }
        }
    }

    // MARK: Looking

    /// The notices of the opening.
    public var notices: [Notice] { locked { openingNotices } }

    /// The present names, sorted.
    public var names: [BindingInfo] { locked { timeline.names } }

    public func binding(_ name: String) -> BindingInfo? { locked { timeline.binding(name) } }

    /// Whether a file exists for the digest.
    public func isStored(_ digest: String) -> Bool { locked { objects.contains(digest) } }

    /// The value of a name, compared with its digest.
    ///
    /// - Throws: `WorkspaceError.unknownName`, `.notStored`, or `.damaged`, which names the file,
    ///   the value in it, and the statement that makes the value again.
    public func read(_ name: String) throws -> StoredObject {
        try locked {
            try mustBeOpen()
            guard let binding = timeline.binding(name) else {
                throw WorkspaceError.unknownName(name)
            }
            guard let digest = binding.digest, binding.isStored || objects.contains(digest) else {
                throw WorkspaceError.notStored(
                    name: name, sequence: binding.sequence,
                    source: timeline.statement(binding.sequence)?.source ?? "")
            }
            return try read(digest, as: binding)
        }
    }

    /// The object with a digest, compared with it.
    public func read(digest: String) throws -> StoredObject {
        try locked {
            try mustBeOpen()
            let binding = maker(of: digest)
            guard objects.contains(digest) || binding != nil else {
                throw WorkspaceError.unknownDigest(digest)
            }
            return try read(digest, as: binding)
        }
    }

    private func read(_ digest: String, as binding: BindingInfo?) throws -> StoredObject {
        do {
            return try objects.read(digest).object
        } catch let fault as ObjectFault {
            throw WorkspaceError.damaged(
                name: binding?.name ?? "object \(digest.prefix(12))…",
                file: fault.file ?? objects.path(digest), fault, sequence: binding?.sequence,
                source: binding.flatMap { timeline.statement($0.sequence)?.source })
        }
    }

    /// The binding with a digest, the latest first.
    func maker(of digest: String) -> BindingInfo? {
        for statement in timeline.statements.reversed() {
            for binding in statement.commit?.bind ?? [] {
                let binding = timeline.resolved(binding)
                if binding.digest == digest { return binding }
            }
        }
        return timeline.names.first { $0.digest == digest }
    }

    /// A statement that began and did not reach its end, because its process died or a user stopped
    /// it. It can be resumed, because its inputs are unchanged.
    public var unfinished: UnfinishedStatement? {
        locked {
            guard !isRunningElsewhere, running == nil, let statement = timeline.resumable else {
                return nil
            }
            return UnfinishedStatement(
                sequence: statement.sequence, source: statement.source, seed: statement.seed,
                time: statement.time, checkpoint: statement.checkpoint,
                progress: statement.stopped ?? statement.progress,
                isStopped: statement.commit != nil || statement.message != nil)
        }
    }

    // MARK: Writing

    func mustBeOpen() throws {
        if isClosed { throw WorkspaceError.closed(path) }
    }

    func mustBeWritable() throws {
        try mustBeOpen()
        guard isWritable else { throw WorkspaceError.readOnly(path: path, reason: readOnlyReason) }
    }

    /// Appends lines to the journal and applies them. Owed lines come first, in the same write.
    func append(_ lines: [JournalLine], durable: Bool) throws {
        var owed: [JournalLine] = []
        if journal.length == 0 {
            owed.append(
                .workspace(version: Journal.version, time: timeStamp(), program: program))
        }
        if let reason = owedBase {
            owed.append(
                .base(
                    sequence: timeline.lastSequence, time: timeStamp(), names: timeline.names,
                    reason: reason))
        }
        try journal.append(owed + lines, durable: durable)
        owedBase = nil
        // Only a successful statement shows that the names are those that the user wants.
        if lines.contains(where: { if case .commit = $0 { true } else { false } }) {
            isInDoubt = false
        }
        for line in owed + lines { timeline.follow(line) }
    }

    /// Updates `HEAD` and `workspace.h5` to the state of the journal.
    ///
    /// The statement is committed even if this fails, so failures are notices: the next opening
    /// reads the journal and makes both files again.
    func writeHead() -> [Notice] {
        var notices: [Notice] = []
        let names = timeline.names
        let head = Head(
            sequence: timeline.lastSequence, position: journal.length, names: names)
        do {
            // The folder is not fsynced: after a power cut an older HEAD is updated from the
            // journal, which is on the disk. An empty HEAD would be a loss, so the file is fsynced.
            try FileSystem.replace(path + "/HEAD", .derived) { temporary in
                try FileSystem.write(head.bytes, to: temporary)
                if isDurable { try FileSystem.synchronize(temporary) }
            }
        } catch {
            notices.append(Notice(.storage, "\(error) The statement is stored in the journal."))
        }
        guard !isEphemeral, names != linkedNames else { return notices }
        do {
            let stored = names.filter { $0.digest.map(objects.contains) ?? false }
            try LinkedFile.write(
                path + "/workspace.h5", names: stored.map { ($0.name, places(of: $0.digest ?? "")) }
            )
            linkedNames = names
        } catch {
            notices.append(
                Notice(.storage, "\(error) h5py sees older values until the next statement."))
        }
        return notices
    }

    /// Where the links of a name lead; determined once for each object in each process.
    private func places(of digest: String) -> ObjectPlaces {
        if let known = places[digest] { return known }
        let found = objects.places(of: digest)
        places[digest] = found
        return found
    }
}

/// A statement that began and did not reach its end.
public struct UnfinishedStatement: Sendable, Equatable {
    public var sequence: Int
    public var source: String
    public var seed: String
    public var time: String
    /// The digest of its last checkpoint.
    public var checkpoint: String?
    /// How far it came, in words; empty if unknown.
    public var progress: String
    /// Whether a user stopped it; otherwise its process died.
    public var isStopped: Bool
}
