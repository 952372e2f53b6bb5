import Foundation

/// A value that is not what it should be.
public struct Damage: Sendable {
    public var digest: String
    public var file: String
    /// Why, as part of a sentence.
    public var reason: String
    /// The names that are bound to it now.
    public var names: [String]
    /// The statement that makes it again, where the journal tells.
    public var sequence: Int?
    public var source: String?
}

public struct VerifyReport: Sendable {
    /// Objects read, and their files' bytes.
    public var objects: Int
    public var bytes: Int
    public var damages: [Damage]
    /// Damage to the journal and to `HEAD`.
    public var notices: [Notice]
    /// Whether verification was stopped before the end.
    public var isStopped: Bool

    public var isSound: Bool { damages.isEmpty && notices.isEmpty && !isStopped }
}

public struct GarbageReport: Sendable {
    public var removed: Int
    /// Bytes freed.
    public var bytes: Int
    public var kept: Int
}

extension Workspace {
    /// Reads every object and compares it with its digest, and looks for those that are missing.
    ///
    /// - Parameter progress: told how many objects of how many are done; false stops.
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
                    report.bytes += objects.fileSize(digest)
                } catch {
                    report.damages.append(damage(digest, error))
                }
            }
        }
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
            digest: digest, file: objects.path(digest), reason: "\(error)",
            names: timeline.names.filter { $0.digest == digest }.map(\.name),
            sequence: maker?.sequence, source: source)
    }

    /// Drops the objects that neither a name nor the last `depth` undo steps (nor redo) reach.
    ///
    /// Undo ends there from then on: the journal says so before the first file goes, so that a
    /// process that dies in between leaves garbage and never a state that lacks its values.
    public func gc(keepingUndo depth: Int) throws -> GarbageReport {
        try locked {
            try mustBeWritable()
            guard !isInDoubt else { throw WorkspaceError.stateInDoubt(path: path) }
            let depth = max(0, depth)
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
            return report
        }
    }

    /// Takes what is more than `depth` steps back out of undo's reach, and drops the objects that
    /// nothing needs any more. Its cost is that of the steps it drops.
    ///
    /// - Returns: what was removed; `kept` is not counted.
    @discardableResult
    public func trim(keepingUndo depth: Int) throws -> GarbageReport {
        try locked {
            try mustBeWritable()
            let depth = max(0, depth)
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
            // A transient value's digest counts too: an equal value may be stored under it.
            guard let digest = binding.digest else { continue }
            if binding.isStored || objects.contains(digest) { digests.insert(digest) }
        }
        // Undo leads back to statements that were stopped and can go on.
        var unfinished = steps.map(\.sequence).compactMap(timeline.statement).filter {
            $0.stopped != nil
        }
        unfinished += [timeline.resumable, timeline.open.flatMap(timeline.statement)].compactMap(
            \.self)
        digests.formUnion(unfinished.compactMap(\.checkpoint))
        return digests
    }
}
