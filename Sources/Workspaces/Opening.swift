import Files
import Foundation
import Glibc

/// The result of reading a workspace at opening: its state, the notices, and the necessary repairs.
struct Recovery {
    var timeline = Timeline()
    var notices: [Notice] = []
    var damages: [Journal.Damage] = []
    var owedBase: String?
    var isInDoubt = false
    /// The position of the journal's next line.
    var journalLength = 0
    var owesLineFeed = false
    /// Whether the workspace is new.
    var isNew = false
    /// Whether another process may still run an unfinished statement.
    var isRunningElsewhere = false
}

extension Workspace {
    /// Opens a workspace, or creates one.
    ///
    /// - Parameters:
    ///   - path: its folder, usually named `NAME.samiws`. Ignored for an ephemeral workspace.
    ///   - program: name and version of the caller, for the journal.
    ///   - machine: the properties that decide the numbers to the last bit, such as processor and
    ///     threads.
    /// - Throws: `WorkspaceError`: `.newer` for a version that this program does not know,
    ///   `.absent`, `.notAWorkspace`, `.notAFolder`, or the file system's error.
    public static func open(
        _ path: String, mode: Mode = .readWrite, program: String = "sami", machine: String = ""
    ) throws -> Workspace {
        try open(
            path, mode: mode, program: program, machine: machine, isDurable: mode != .ephemeral)
    }

    /// - Parameter isDurable: whether to fsync. Tests that reopen a workspace a thousand times do
    ///   not.
    static func open(
        _ path: String, mode: Mode, program: String = "sami", machine: String = "",
        isDurable: Bool
    ) throws -> Workspace {
        // Writing past a limit on file sizes should return an error instead of killing the process.
        signal(SIGXFSZ, SIG_IGN)
        switch mode {
        case .readOnly: return try openToRead(path, mode: mode, reason: nil)
        case .ephemeral:
            return try openToWrite(
                makeEphemeralFolder(), mode: mode, program: program, machine: machine,
                isDurable: false)
        case .readWrite:
            var path = path
            while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
            return try openToWrite(
                path, mode: mode, program: program, machine: machine, isDurable: isDurable)
        }
    }

    private static func openToWrite(
        _ path: String, mode: Mode, program: String, machine: String, isDurable: Bool
    ) throws -> Workspace {
        let isThere = try check(path)
        if !isThere {
            try FileSystem.makeFolder(path)
            if isDurable { try FileSystem.synchronize(FileSystem.folder(of: path)) }
        }
        var notices: [Notice] = []
        let lock: WorkspaceLock
        switch WorkspaceLock.take(path + "/lock") {
        case .taken(let taken, let left):
            lock = taken
            if let left {
                notices.append(
                    Notice(
                        .lock,
                        "The last session here (\(left)) ended without closing '\(path)'; "
                            + "its lock was taken over."))
            }
        case .held(let holder):
            let who = holder.map { "\($0)" } ?? "another process"
            return try openToRead(
                path, mode: mode, reason: "\(who), has it open for writing")
        case .refused(let reason):
            guard isThere else {
                throw FileError(.write, path + "/lock", .library(reason))
            }
            return try openToRead(
                path, mode: mode, reason: "its lock cannot be taken: \(reason)")
        }
        var recovered = try recover(path)
        recovered.notices = notices + recovered.notices
        let workspace = Workspace(
            path: path, mode: mode, program: program, machine: machine, isDurable: isDurable,
            lock: lock, readOnlyReason: nil, recovered: recovered)
        try workspace.mend(recovered)
        return workspace
    }

    private static func openToRead(
        _ path: String, mode: Mode, reason: String?
    ) throws -> Workspace {
        guard try check(path) else { throw WorkspaceError.absent(path) }
        var recovered = try recover(path)
        recovered.isRunningElsewhere = WorkspaceLock.liveHolder(path + "/lock") != nil
        if let reason {
            recovered.notices.insert(
                Notice(.lock, "'\(path)' is open read-only: \(reason)."), at: 0)
        }
        return Workspace(
            path: path, mode: mode, program: "", machine: "", isDurable: true, lock: nil,
            readOnlyReason: reason, recovered: recovered)
    }

    /// Whether something already exists at the path.
    ///
    /// - Throws: if the path cannot be a workspace, or has a newer version; nothing was changed
    ///   then.
    private static func check(_ path: String) throws -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else {
                throw FileError.last(.read, path)
            }
            return false
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw WorkspaceError.notAFolder(path) }
        let names = FileSystem.names(in: path)
        let ours: Set<String> = ["journal.jsonl", "HEAD", "objects"]
        guard !ours.isDisjoint(with: names) || names.allSatisfy({ $0 == "lock" }) else {
            throw WorkspaceError.notAWorkspace(path)
        }
        if case .newer(let version) = try Head.load(path + "/HEAD") {
            throw WorkspaceError.newer(path: path, version: version)
        }
        if let version = Journal.newerVersion(of: path + "/journal.jsonl") {
            throw WorkspaceError.newer(path: path, version: version)
        }
        return true
    }

    /// Reads the journal and HEAD and derives the state. Changes nothing.
    static func recover(_ path: String) throws -> Recovery {
        let journalPath = path + "/journal.jsonl"
        // HEAD first: another process may write, and its HEAD follows its lines.
        let loaded = try Head.load(path + "/HEAD")
        let content = try Journal.load(journalPath)
        var recovery = Recovery()
        // A process that died while creating a workspace leaves at most an empty folder for
        // objects.
        recovery.isNew =
            !content.exists && loaded == .absent
            && ObjectStore(folder: path + "/objects", isDurable: false).digests().isEmpty
        var head: Head?
        if case .head(let valid) = loaded { head = valid }

        // After the last readable line: a line cut short by a kill, unless HEAD had counted it.
        let size = content.end + content.tail
        let isTailDamage = content.tail > 0 && (head?.position ?? 0) > content.end
        recovery.damages = content.damages + (isTailDamage ? content.tailDamages : [])
        recovery.journalLength = isTailDamage ? size : content.end
        recovery.owesLineFeed = isTailDamage && !content.endsInLineFeed

        var isConsistent = true
        var isHeadPassed = head == nil
        var lastBase = 0
        func passHead() {
            isHeadPassed = true
            guard let head, recovery.timeline.names != head.names else { return }
            // HEAD was written after these lines, in one piece, so its names are valid.
            recovery.timeline.rebase(head.names)
            isConsistent = false
        }
        for (line, end) in content.lines {
            if !isHeadPassed, let head, end > head.position { passHead() }
            if !recovery.timeline.follow(line) { isConsistent = false }
            if case .base = line {
                lastBase = end
                isConsistent = true
            }
        }
        if !isHeadPassed { passHead() }
        if let head { recovery.timeline.skip(to: head.sequence) }

        // Damage before a base line was reported and handled when that line was written.
        let fresh = recovery.damages.filter { $0.offset >= lastBase }
        if !fresh.isEmpty { isConsistent = false }
        // After a gap nobody knows which values a statement replaced, so undo must not cross the
        // gap.
        if !isConsistent { recovery.timeline.rebase(recovery.timeline.names) }

        recovery.notices += fresh.map { damageNotice($0, in: journalPath) }
        if let head, head.position > size {
            recovery.notices.append(
                Notice(
                    .damage,
                    "'\(journalPath)' is \(head.position - size) bytes shorter than it was"
                        + (content.exists ? "" : " (it is missing)")
                        + ": the end of the history is lost, the names and their values are not."))
            isConsistent = false
        }
        if loaded == .damaged || loaded == .absent && !recovery.isNew {
            let what = loaded == .damaged ? "is damaged" : "is missing"
            // Between the first line of a journal and the first HEAD nothing can be lost.
            if loaded == .damaged || recovery.timeline.lastSequence > 0 || !content.exists {
                recovery.notices.append(
                    Notice(
                        .recovery,
                        "'\(path)/HEAD' \(what); the names were taken from the journal instead."))
            }
            recovery.isInDoubt = !fresh.isEmpty || !isConsistent || !content.exists
            if recovery.isInDoubt { isConsistent = false }
        }
        if !isConsistent, !recovery.isNew {
            recovery.owedBase =
                recovery.damages.isEmpty ? "the journal was cut" : "the journal was damaged"
        }
        return recovery
    }

    static func damageNotice(_ damage: Journal.Damage, in path: String) -> Notice {
        Notice(
            .damage,
            "'\(path)' is damaged in line \(damage.lineNumber) (\(damage.bytes) bytes from byte "
                + "\(damage.offset)): the content of that line is lost from the history, and undo "
                + "cannot go back before it.")
    }

    /// Writes the missing and outdated files, once the lock is held.
    private func mend(_ recovery: Recovery) throws {
        try locked {
            objects.removeTemporaries()
            answers.removeTemporaries()
            for name in FileSystem.names(in: path) where name.contains(".new-") {
                let parts = name.components(separatedBy: ".new-")
                if ["HEAD", "workspace.h5"].contains(parts[0]) { unlink(path + "/" + name) }
            }
            try FileSystem.makeFolder(path + "/objects")
            try journal.open(at: recovery.journalLength, owesLineFeed: recovery.owesLineFeed)
            if recovery.isNew {
                try append([], durable: true)
                if isDurable { try FileSystem.synchronize(path) }
            }
            openingNotices += writeHead()
        }
    }

    /// A new temporary folder. Also removes such folders of processes that were killed.
    private static func makeEphemeralFolder() throws -> String {
        let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let prefix = "sami-ephemeral-"
        for name in FileSystem.names(in: root) where name.hasPrefix(prefix) {
            let path = root + "/" + name
            var status = stat()
            guard
                let process = name.split(separator: "-").dropFirst(2).first.flatMap({ Int32($0) }),
                process > 0, kill(process, 0) != 0, errno == ESRCH,
                lstat(path, &status) == 0, status.st_uid == geteuid()
            else { continue }
            // A process that this one cannot see, as in a container, holds its lock.
            let lock = Glibc.open(path + "/lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            defer { if lock >= 0 { Glibc.close(lock) } }
            guard lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0 else { continue }
            FileSystem.removeTree(path)
        }
        var template = Array("\(root)/\(prefix)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FileError.last(.write, root)
        }
        return String(
            decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
