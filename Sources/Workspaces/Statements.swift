import Foundation
import HDF5Objects
import LongWork

/// The result of a commit.
public struct CommitReport: Sendable {
    public var sequence: Int
    public var bound: [BindingInfo]
    /// Bytes of new object files; zero if all values were already stored.
    public var bytesWritten: Int
    /// The workspace's own share of the time, in seconds.
    public var seconds: Double
    public var notices: [Notice]
}

extension Workspace {
    /// Journals the start of a statement.
    ///
    /// The line is not fsynced: if a power cut loses it, the statement had no effect either.
    ///
    /// - Parameter number: the statement's number, if it is run again; the next number unless this
    ///   is larger.
    /// - Returns: its number, from 1.
    public func begin(source: String, seed: String, number: Int? = nil) throws -> Int {
        try locked {
            let sequence = try start(source, seed, number, after: running) { _ in runningBlock }
            running = sequence
            return sequence
        }
    }

    /// Journals the start of a block. The statements that begin until `endBlock` belong to it: undo
    /// reverts them together.
    public func beginBlock(source: String, seed: String, number: Int? = nil) throws -> Int {
        try locked {
            let sequence = try start(source, seed, number, after: running ?? runningBlock) { $0 }
            runningBlock = sequence
            return sequence
        }
    }

    /// - Parameters:
    ///   - running: the statement that must end first.
    ///   - block: the block that the statement belongs to, by the statement's number.
    private func start(
        _ source: String, _ seed: String, _ number: Int?, after running: Int?,
        block: (Int) -> Int?
    ) throws -> Int {
        try mustBeWritable()
        if let running {
            throw WorkspaceError.statementRunning(
                sequence: running, source: timeline.statement(running)?.source ?? "")
        }
        let sequence = max(number ?? 0, timeline.lastSequence + 1)
        try append(
            [
                .begin(
                    sequence: sequence, time: timeStamp(), source: source, seed: seed,
                    program: program, machine: machine, block: block(sequence))
            ], durable: false)
        return sequence
    }

    /// Goes on with a block that did not reach its end: the statements that begin until `endBlock`
    /// belong to it.
    ///
    /// - Throws: `WorkspaceError.noSuchStatement` unless it is the last statement outside of
    ///   blocks that has had an effect.
    public func resumeBlock(_ sequence: Int) throws {
        try locked {
            try mustBeWritable()
            guard running == nil, runningBlock == nil, timeline.canGoOn(withBlock: sequence) else {
                throw WorkspaceError.noSuchStatement(sequence)
            }
            try append([.resume(sequence: sequence, time: timeStamp())], durable: true)
            runningBlock = sequence
        }
    }

    /// The names that a block has changed, as they were before it.
    public func names(beforeBlock block: Int) -> [String: BindingInfo?] {
        locked { timeline.names(beforeBlock: block) }
    }

    /// Journals the end of the block. What its statements bound remains, also after a failure.
    ///
    /// - Parameter failure: why it did not reach its end; nil if it did.
    public func endBlock(seconds: Double, failure: String? = nil) throws {
        try locked {
            try mustBeWritable()
            guard let block = runningBlock, running == nil else {
                throw WorkspaceError.noSuchStatement(running ?? 0)
            }
            // Even if the line cannot be written: a full disk must not block the next statement.
            runningBlock = nil
            let line: JournalLine =
                if let failure {
                    .fail(sequence: block, time: timeStamp(), message: failure, stopped: nil)
                } else {
                    .commit(
                        .init(
                            sequence: block, time: timeStamp(), seconds: seconds, inputs: [],
                            files: [], bind: [], unbind: [], stopped: nil))
                }
            try append([line], durable: true)
            _ = writeHead()
        }
    }

    /// Stores values, journals the statement, and binds the names: all of it or nothing.
    ///
    /// - Parameters:
    ///   - bind: names and their values, in order.
    ///   - unbind: names to remove.
    ///   - inputs: names that the statement read; resolved to their values before the statement.
    ///   - files: files outside the workspace that the statement read.
    ///   - seconds: the duration of the statement.
    ///   - stopped: how far it came, if a user stopped it and it can be resumed.
    ///   - watch: asked before every array and file.
    /// - Throws: `WorkspaceError`, `Canceled`; the statement then still runs, and no name is bound.
    @discardableResult
    public func commit(
        _ sequence: Int, bind: [(String, BoundValue)], unbind: [String] = [],
        inputs: [String] = [], files: [InputFile] = [], seconds: Double, stopped: String? = nil,
        watch: Watch = { _ in .more }
    ) throws -> CommitReport {
        try locked {
            let start = ContinuousClock.now
            try mustBeRunning(sequence)
            try check(bind: bind.map(\.0), unbind: unbind)
            var layouts: [ObjectLayout] = []
            var bound: [BindingInfo] = []
            for (index, (name, value)) in bind.enumerated() {
                var binding: BindingInfo
                switch value {
                case .stored(let object):
                    let layout = try ObjectLayout(object) {
                        watch((Double(index) + $0) / Double(bind.count) / 3)
                    }
                    layouts.append(layout)
                    binding = BindingInfo(
                        name: name, kind: layout.kind, digest: layout.manifest.digest,
                        bytes: layout.byteCount, sequence: sequence, isStored: true)
                case .existing(let digest):
                    binding = try existing(digest)
                    binding.name = name
                    binding.sequence = sequence
                case .transient(let kind, let digest, let bytes):
                    guard digest.map(isDigest) ?? true else {
                        throw WorkspaceError.unknownDigest(digest ?? "")
                    }
                    binding = BindingInfo(
                        name: name, kind: kind, digest: digest,
                        bytes: min(max(0, bytes), 1 << 48 - 1), sequence: sequence,
                        isStored: false)
                }
                bound.append(binding)
            }
            let written = try objects.write(layouts) { watch((1 + 2 * $0) / 3) }
            let known = inputs.compactMap(timeline.binding)
            try append(
                [
                    .commit(
                        .init(
                            sequence: sequence, time: timeStamp(), seconds: seconds, inputs: known,
                            files: files, bind: bound, unbind: unbind, stopped: stopped))
                ], durable: true)
            running = nil
            let notices = writeHead()
            if stopped == nil { discard(timeline.statement(sequence)?.checkpoint) }
            let took = start.duration(to: .now) / .seconds(1)
            return CommitReport(
                sequence: sequence, bound: bound, bytesWritten: written, seconds: took,
                notices: notices)
        }
    }

    /// Journals the failure of a statement. Names keep their values from before.
    ///
    /// Also ends a statement that an earlier process left unfinished.
    ///
    /// - Parameter stopped: how far it came, if a user stopped it and it can be resumed.
    public func fail(_ sequence: Int, message: String, stopped: String? = nil) throws {
        try locked {
            try mustBeWritable()
            guard running == sequence || running == nil && timeline.open == sequence else {
                throw WorkspaceError.noSuchStatement(sequence)
            }
            // Even if the line cannot be written: a full disk must not block the next statement.
            running = nil
            let brings = timeline.suspended != nil
            try append(
                [
                    .fail(
                        sequence: sequence, time: timeStamp(), message: message, stopped: stopped)
                ], durable: false)
            if brings { _ = writeHead() }
        }
    }

    /// Gives up an unfinished statement and its checkpoint. The names that a stopped statement
    /// bound remain.
    public func dropUnfinished() throws {
        try locked {
            try mustBeWritable()
            guard let unfinished else { return }
            let line = JournalLine.fail(
                sequence: unfinished.sequence, time: timeStamp(), message: "dropped", stopped: nil)
            // If the statement was running again, the first line restores its names.
            try append(timeline.suspended == nil ? [line] : [line, line], durable: false)
            _ = writeHead()
        }
    }

    /// Stores the state of a long statement. `gc` keeps the last checkpoint until the statement
    /// ends.
    ///
    /// - Parameters:
    ///   - progress: the position in words: "step 40 of 100".
    ///   - watch: asked before every array and file.
    /// - Returns: the checkpoint's digest, for `read(digest:)`.
    /// - Throws: `WorkspaceError`; `Canceled`, and then nothing is stored.
    @discardableResult
    public func checkpoint(
        _ sequence: Int, _ state: StoredObject, progress: String = "",
        watch: Watch = { _ in .more }
    ) throws -> String {
        try locked {
            try mustBeRunning(sequence)
            let layout = try ObjectLayout(state) { watch($0 / 3) }
            _ = try objects.write([layout]) { watch((1 + 2 * $0) / 3) }
            let digest = layout.manifest.digest
            let previous = timeline.statement(sequence)?.checkpoint
            try append(
                [
                    .checkpoint(
                        sequence: sequence, time: timeStamp(), digest: digest, progress: progress)
                ], durable: true)
            discard(previous)
            return digest
        }
    }

    /// Runs an unfinished statement again, under its number. The names that it bound are removed
    /// meanwhile; if it fails, they are restored.
    public func resume(_ sequence: Int) throws {
        try locked {
            try mustBeWritable()
            guard running == nil, timeline.resumable?.sequence == sequence else {
                throw WorkspaceError.noSuchStatement(sequence)
            }
            try append([.resume(sequence: sequence, time: timeStamp())], durable: true)
            running = sequence
            if timeline.suspended != nil { _ = writeHead() }
        }
    }

    /// Stores the value of a name with a transient value. From then on the name can be read.
    ///
    /// - Throws: `WorkspaceError.valueChanged` if the name has a digest and the value has another
    ///   one.
    public func keep(_ name: String, _ object: StoredObject) throws {
        try locked {
            try mustBeWritable()
            guard let binding = timeline.binding(name) else {
                throw WorkspaceError.unknownName(name)
            }
            let layout = try ObjectLayout(object)
            let digest = layout.manifest.digest
            guard binding.digest == nil || binding.digest == digest else {
                throw WorkspaceError.valueChanged(name: name)
            }
            _ = try objects.write([layout])
            if !binding.isStored {
                try append(
                    [
                        .keep(
                            name: name, sequence: binding.sequence, digest: digest,
                            bytes: layout.byteCount)
                    ], durable: true)
            }
            _ = writeHead()
        }
    }

    /// Removes a checkpoint that is no longer needed: checkpoints are as large as models, and long
    /// work makes many.
    private func discard(_ checkpoint: String?) {
        guard let checkpoint, !isInDoubt, !reachable(undo: .max).contains(checkpoint) else {
            return
        }
        _ = objects.remove(checkpoint)
    }

    private func mustBeRunning(_ sequence: Int) throws {
        try mustBeWritable()
        guard running == sequence else { throw WorkspaceError.noSuchStatement(sequence) }
    }

    private func check(bind: [String], unbind: [String]) throws {
        var seen: Set<String> = []
        for name in bind + unbind {
            guard !name.isEmpty, name.utf8.count <= 255, !name.utf8.contains(0) else {
                throw WorkspaceError.nameNotUsable(name)
            }
            guard seen.insert(name).inserted else { throw WorkspaceError.nameRepeated(name) }
        }
        for name in unbind where timeline.binding(name) == nil {
            throw WorkspaceError.unknownName(name)
        }
    }

    /// Kind and size of an object that is already stored.
    private func existing(_ digest: String) throws -> BindingInfo {
        guard objects.contains(digest) else { throw WorkspaceError.unknownDigest(digest) }
        if let binding = timeline.names.first(where: { $0.digest == digest && $0.isStored }) {
            return binding
        }
        let object = try read(digest: digest)
        return BindingInfo(
            name: "", kind: object.kind, digest: digest, bytes: object.bytes, sequence: 0,
            isStored: true)
    }
}
