import Foundation
import Glibc

/// Named values that survive the process: a folder of immutable objects, a journal of the
/// statements that made them, and the names bound now.
///
/// ```swift
/// let workspace = try Workspace.open("first.samiws")
/// let sequence = try workspace.begin(source: "x = 3", seed: "0")
/// try workspace.commit(
///     sequence, bind: [("x", .stored(StoredObject(kind: "number", value: 3)))], seconds: 0.01)
/// ```
///
/// A statement is committed when its `commit` line is on the disk: objects are written before it,
/// and everything after it (`HEAD`, `workspace.h5`) can be made again from it. `docs/WORKSPACE.md`
/// lists what a process that dies at each point leaves, and how opening mends it.
///
/// One process writes; others may read. Every method takes the workspace's own lock, so it may be
/// used from any thread (which is what makes it sendable), but one statement runs at a time.
public final class Workspace: @unchecked Sendable {
    public enum Mode: Sendable {
        /// Makes the folder if it is missing. Falls back to reading where another process has it
        /// open or the folder cannot be written; `isWritable` and `notices` tell.
        case readWrite
        case readOnly
        /// A folder of its own that goes away on closing.
        case ephemeral
    }

    /// The workspace's folder.
    public let path: String
    public let isEphemeral: Bool
    public let isWritable: Bool
    /// Whether to wait for the disk where a power cut would lose something.
    let isDurable: Bool
    let program: String
    let machine: String
    let objects: ObjectStore
    let journal: Journal
    private let mutex = NSRecursiveLock()
    private var lockFile: WorkspaceLock?
    private(set) var isClosed = false
    /// Why a workspace that was to be written is not writable.
    let readOnlyReason: String?

    // All below is guarded by `mutex`.
    var timeline: Timeline
    /// What the next line has to be preceded by because the journal alone no longer tells the
    /// names.
    var owedBase: String?
    /// Whether both accounts of the names are damaged.
    var isInDoubt: Bool
    var openingNotices: [Notice]
    var journalDamages: [Journal.Damage]
    var running: Int?
    private let isRunningElsewhere: Bool
    private var mainPaths: [String: String] = [:]
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

    /// Gives the lock back. Nothing is lost without it: everything committed is on the disk
    /// already.
    public func close() {
        locked {
            guard !isClosed else { return }
            isClosed = true
            journal.close()
            lockFile?.release()
            lockFile = nil
            if isEphemeral { Files.removeTree(path) }
        }
    }

    // MARK: Looking

    /// What there was to say on opening.
    public var notices: [Notice] { locked { openingNotices } }

    /// What is bound now, sorted by name.
    public var names: [BindingInfo] { locked { timeline.names } }

    public func binding(_ name: String) -> BindingInfo? { locked { timeline.binding(name) } }

    /// Whether there is a file for the digest.
    public func isStored(_ digest: String) -> Bool { locked { objects.contains(digest) } }

    /// The value of a name, verified against its digest.
    ///
    /// - Throws: `WorkspaceError.unknownName`, `.notStored`, or `.damaged`, which names the file,
    ///   the value in it, and the statement that makes it again.
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

    /// An object by its digest, verified.
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
                name: binding?.name ?? "object \(digest.prefix(12))…", file: objects.path(digest),
                fault, sequence: binding?.sequence,
                source: binding.flatMap { timeline.statement($0.sequence)?.source })
        }
    }

    /// The binding that a digest came from, the latest first.
    func maker(of digest: String) -> BindingInfo? {
        for statement in timeline.statements.reversed() {
            for binding in statement.commit?.bind ?? [] {
                let binding = timeline.resolved(binding)
                if binding.digest == digest { return binding }
            }
        }
        return timeline.names.first { $0.digest == digest }
    }

    /// A statement that began and did not come to its end, because its process died or somebody
    /// stopped it, and that can still go on: what it read has not changed since.
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

    /// Appends lines to the journal and follows them. Owed lines go first, in the same write.
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
        // Only a statement that was carried through shows that the names are what the person wants.
        if lines.contains(where: { if case .commit = $0 { true } else { false } }) {
            isInDoubt = false
        }
        for line in owed + lines { timeline.follow(line) }
    }

    /// Brings `HEAD` and `workspace.h5` up to the journal.
    ///
    /// The statement is committed whether or not this succeeds, so failures are notices: the next
    /// opening reads the journal and makes both files again.
    func writeHead() -> [Notice] {
        var notices: [Notice] = []
        let names = timeline.names
        let head = Head(
            sequence: timeline.lastSequence, position: journal.length, names: names)
        do {
            // The folder is not waited for: an older HEAD after a power cut is brought up to date
            // from the journal, which is on the disk. An empty one would be a loss, hence the wait
            // for the file.
            try Files.writeAside(path + "/HEAD", durable: false) { temporary in
                try Files.write(head.bytes, to: temporary)
                if isDurable { try Files.synchronize(temporary) }
            }
        } catch {
            notices.append(Notice(.storage, "\(error) The statement is safe in the journal."))
        }
        guard !isEphemeral, names != linkedNames else { return notices }
        do {
            let stored = names.filter { $0.digest.map(objects.contains) ?? false }
            try LinkedFile.write(
                path + "/workspace.h5", names: stored.map { ($0, mainPath(of: $0)) })
            linkedNames = names
        } catch {
            notices.append(
                Notice(.storage, "\(error) h5py sees older values until the next statement."))
        }
        return notices
    }

    func noteMainPath(_ manifest: ObjectManifest) {
        mainPaths[manifest.digest] = manifest.mainPath
    }

    /// What a name's link leads to; found out once an object and process.
    private func mainPath(of binding: BindingInfo) -> String {
        guard let digest = binding.digest else { return "" }
        if let path = mainPaths[digest] { return path }
        let path = ObjectFile.mainPath(objects.path(digest))
        mainPaths[digest] = path
        return path
    }
}

/// A statement that began and did not come to its end.
public struct UnfinishedStatement: Sendable, Equatable {
    public var sequence: Int
    public var source: String
    public var seed: String
    public var time: String
    /// The digest of its last checkpoint.
    public var checkpoint: String?
    /// How far it got, in words; empty where nobody knows.
    public var progress: String
    /// Whether somebody stopped it; its process died otherwise.
    public var isStopped: Bool
}
