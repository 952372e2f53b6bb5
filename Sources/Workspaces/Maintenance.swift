import Foundation
import HDF5Objects

/// A missing or damaged value.
public struct Damage: Sendable {
    public var digest: String
    public var file: String
    /// The reason, as part of a sentence.
    public var reason: String
    /// The names that have this value now.
    public var names: [String]
    /// The statement that makes it again, if the journal has it.
    public var sequence: Int?
    public var source: String?
}

public struct VerifyReport: Sendable {
    /// Number of objects read, and the bytes of their files.
    public var objects: Int
    public var bytes: Int
    public var damages: [Damage]
    /// Files with answers of servers that are damaged.
    public var damagedAnswers: [String] = []
    /// Damage to the journal and to `HEAD`.
    public var notices: [Notice]
    /// Whether verification was stopped before the end.
    public var isStopped: Bool

    public var isSound: Bool {
        damages.isEmpty && damagedAnswers.isEmpty && notices.isEmpty && !isStopped
    }
}

public struct GarbageReport: Sendable {
    public var removed: Int
    /// Bytes freed.
    public var bytes: Int
    public var kept: Int
}

/// What the values of a workspace take on disk, in bytes.
public struct StorageReport: Sendable {
    /// All objects, with those of the names, of undo and redo, and those that nothing needs.
    public var total: Int
    /// The part that only undo, redo and unfinished statements need, or nothing at all.
    public var old: Int
    /// The part of `old` that `gc` would free.
    public var freeable: Int
}

extension Workspace {
    /// The sizes of the stored objects; reads the heads of their files.
    ///
    /// - Parameter depth: the undo steps that `gc` would keep.
    public func storage(keepingUndo depth: Int) throws -> StorageReport {
        try locked {
            try mustBeOpen()
            let total = objects.size(of: objects.digests())
            let named = objects.size(of: timeline.names.compactMap(\.digest))
            let kept = objects.size(of: reachable(undo: timeline.steps(ofUndos: depth)))
            return StorageReport(
                total: total, old: max(0, total - named), freeable: max(0, total - kept))
        }
    }

    /// Reads every object, compares it with its digest, and looks for missing objects.
    ///
    /// - Parameter progress: called with the number of finished objects and of all objects; returns
    ///   false to stop.
    public func verify(progress: ((_ done: Int, _ of: Int) -> Bool)? = nil) throws -> VerifyReport {
        let (digests, needed) = try locked {
            try mustBeOpen()
            return (objects.digests(), reachable(undo: .max).sorted())
        }
        let all = Array(Set(digests).union(needed)).sorted()
        var report = VerifyReport(
            objects: 0, bytes: 0, damages: [], notices: [], isStopped: false)
        for (place, digest) in all.enumerated() {
            if let progress, !progress(place, all.count) {
                report.isStopped = true
                return report
            }
            try locked {
                try mustBeOpen()
                do {
                    _ = try objects.read(digest)
                    report.objects += 1
                    report.bytes += objects.totalSize(digest)
                } catch {
                    report.damages.append(damage(digest, error))
                }
            }
        }
        report.damagedAnswers = answers.digests().compactMap { answers.damage($0) }
        try locked {
            let found = try Self.recover(path)
            let journal = path + "/journal.jsonl"
            report.notices = found.damages.map { Self.damageNotice($0, in: journal) }
            report.notices += found.notices.filter { notice in
                (notice.kind == .damage || notice.kind == .recovery)
                    && !report.notices.contains(notice)
            }
        }
        return report
    }

    func damage(_ digest: String, _ error: any Error) -> Damage {
        let maker = maker(of: digest)
        let source = maker.flatMap { timeline.statement($0.sequence)?.source }
        return Damage(
            digest: digest, file: (error as? ObjectFault)?.file ?? objects.path(digest),
            reason: "\(error)",
            names: timeline.names.filter { $0.digest == digest }.map(\.name),
            sequence: maker?.sequence, source: source)
    }

    /// Removes the objects that neither a name nor the last `depth` undo steps (nor redo) reach.
    ///
    /// From then on undo ends there. The journal records this before the first file is removed. So
    /// a process that dies in between leaves unused files, but never a state with missing values.
    public func gc(keepingUndo depth: Int) throws -> GarbageReport {
        try locked {
            try mustBeWritable()
            guard !isInDoubt else { throw WorkspaceError.stateInDoubt(path: path) }
            let depth = timeline.steps(ofUndos: depth)
            if depth < timeline.done.count {
                try append([.floor(depth: depth, time: timeStamp())], durable: true)
                _ = writeHead()
            }
            let needed = reachable(undo: depth)
            var report = GarbageReport(removed: 0, bytes: 0, kept: 0)
            for digest in objects.digests() {
                if needed.contains(digest) {
                    report.kept += 1
                } else {
                    let size = objects.remove(digest)
                    report.removed += size > 0 ? 1 : 0
                    report.bytes += size
                }
            }
            report.bytes += objects.removeOrphans()
            return report
        }
    }

    /// Limits undo to `depth` steps and removes the objects that nothing needs any more. The cost
    /// is proportional to the number of dropped steps.
    ///
    /// - Returns: the removed objects; `kept` is not counted.
    @discardableResult
    public func trim(keepingUndo depth: Int) throws -> GarbageReport {
        try locked {
            try mustBeWritable()
            let depth = timeline.steps(ofUndos: depth)
            var report = GarbageReport(removed: 0, bytes: 0, kept: 0)
            guard !isInDoubt, depth < timeline.done.count else { return report }
            let dropped = timeline.done.prefix(timeline.done.count - depth)
            try append([.floor(depth: depth, time: timeStamp())], durable: true)
            _ = writeHead()
            let needed = reachable(undo: depth)
            for step in dropped {
                for binding in step.changes.flatMap({ [$0.before, $0.after] }).compactMap(\.self) {
                    guard let digest = timeline.resolved(binding).digest, !needed.contains(digest)
                    else { continue }
                    let size = objects.remove(digest)
                    report.removed += size > 0 ? 1 : 0
                    report.bytes += size
                }
            }
            return report
        }
    }

    /// The digests that names, undo, redo and unfinished statements need.
    func reachable(undo depth: Int) -> Set<String> {
        var bindings = timeline.names
        let steps = timeline.done.suffix(max(0, depth)) + timeline.undone
        for step in steps + [timeline.suspended?.step].compactMap(\.self) {
            bindings += step.changes.flatMap { [$0.before, $0.after] }.compactMap { $0 }
        }
        var digests: Set<String> = []
        for binding in bindings {
            let binding = timeline.resolved(binding)
            // The digest of a transient value counts too: an equal value may be stored under it.
            guard let digest = binding.digest else { continue }
            if binding.isStored || objects.contains(digest) { digests.insert(digest) }
        }
        // Undo leads back to stopped statements that can be resumed.
        var unfinished = steps.map(\.sequence).compactMap(timeline.statement).filter {
            $0.stopped != nil
        }
        unfinished += [timeline.resumable, timeline.open.flatMap(timeline.statement)].compactMap(
            \.self)
        digests.formUnion(unfinished.compactMap(\.checkpoint))
        return digests
    }
}
