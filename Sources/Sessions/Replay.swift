import CommandLanguage
import Commands
import Foundation
import HDF5Objects
import Rendering
import Values
import Workspaces

/// Replays a session from its journal, statement by statement, in a workspace of its own.
///
/// Every statement keeps its number and seed, so that it draws the same random numbers. A statement
/// that a user stopped cannot be replayed; its values are copied.
struct Replay {
    /// The workspace with the journal and the values to compare with.
    let original: Workspace
    /// The new session.
    let session: Session
    var options: ReplayOptions

    struct Report {
        var statements = 0
        var values = 0
        /// Sentences about different values, the first with both values.
        var differences: [String] = []
        /// Number of values that could not be compared, because the session did not keep them.
        var unknown = 0
        /// Numbers of statements whose values were copied: the user stopped them, or their block
        /// did not reach its end.
        var stopped = 0
        var ofBlocks = 0
        var isExact = true
        var failure: String?
        var isStopped = false

        var isWell: Bool { differences.isEmpty && failure == nil && !isStopped }

        var sentence: String {
            if let failure { return "replay failed at \(failure)" }
            if isStopped {
                return "replay stopped after \(NumberText.count(statements, "statement"))"
            }
            if let first = differences.first {
                return "replay differs: \(first)"
                    + (differences.count > 1 ? "; \(differences.count - 1) more differ" : "")
            }
            var text = "replayed \(NumberText.count(statements, "statement"))"
            if values > 0 {
                text += ", \(NumberText.count(values, "value")) the same"
                text +=
                    isExact
                    ? " to the last bit"
                    : " (made on another machine: numbers to within "
                        + "\(ValueComparison.relative) of their size, all else exactly)"
            }
            let copied = [
                (stopped, "stopped by the user"),
                (ofBlocks, "of blocks that did not reach their end"),
            ].filter { $0.0 > 0 }.map { "\(NumberText.count($0.0, "statement")) \($0.1)" }
            if !copied.isEmpty { text += "; values copied: " + copied.joined(separator: ", ") }
            if unknown > 0 {
                text += "; \(NumberText.count(unknown, "value")) not kept, so not compared"
            }
            return text
        }
    }

    func run(events: @escaping (SessionEvent) -> Void) throws -> Report {
        var result = Report()
        if !options.allowsWrites { session.writableFolder = session.directory }
        let history = original.history
        // Blocks that did not reach their end cannot be run again; their statements' values are
        // copied.
        let whole = Dictionary(
            uniqueKeysWithValues: history.filter { $0.isBlock && $0.status == .committed }
                .map { ($0.sequence, $0) })
        let repeated = history.repeated
        if let last = options.upTo, let entry = original.statement(last), !entry.isBlock,
            let block = entry.block, whole[block] != nil,
            history.contains(where: { $0.block == block && $0.sequence > last })
        {
            result.failure =
                "statement \(last): it is inside of block \(block), which runs as one; \(block) "
                + "names all of it"
            return result
        }
        for entry in history where entry.status == .committed {
            if let block = entry.block.flatMap({ whole[$0] }), !entry.isBlock {
                // The block ran as one, without the failures that the original has between.
                let place = block.sequence &+ (entry.number &- block.number)
                if options.check, !repeated.contains(entry.sequence) {
                    compare(entry, Replay.line(entry), at: place, &result)
                }
                continue
            }
            if let last = options.upTo, entry.sequence > last { break }
            if session.isInterrupted {
                result.isStopped = true
                break
            }
            let line = Replay.line(entry)
            if let problem = try play(entry, events) {
                if session.isInterrupted {
                    result.isStopped = true
                } else {
                    result.failure = "\(line): \(problem)"
                }
                break
            }
            result.statements += 1
            if Replay.isCopied(entry) {
                if entry.stopped != nil { result.stopped += 1 } else { result.ofBlocks += 1 }
            } else if options.check {
                compare(entry, line, at: entry.sequence, &result)
            }
        }
        return result
    }

    private static func line(_ entry: HistoryEntry) -> String {
        "#\(entry.sequence) `\(TextWidth.oneLine(entry.source))`"
    }

    /// Whether the values of a statement are copied, because it cannot be run again.
    private static func isCopied(_ entry: HistoryEntry) -> Bool {
        entry.stopped != nil || entry.block != nil && !entry.isBlock
    }

    /// Runs one statement. Returns a sentence if it failed.
    private func play(
        _ entry: HistoryEntry, _ events: @escaping (SessionEvent) -> Void
    ) throws -> String? {
        guard !entry.source.isEmpty else { return "the journal has lost its text" }
        session.seed = UInt64(entry.seed.prefix { $0 != "/" }) ?? 0
        let conditions = StatementConditions(journal: entry.seed)
        session.shift = conditions.shift
        session.replayedSequence = entry.sequence
        session.replayedConditions = conditions
        defer { (session.replayedSequence, session.replayedConditions) = (nil, nil) }
        if Replay.isCopied(entry) { return takeOver(entry) }
        var failure: Failure?
        session.evaluate(Session.parse(entry.source)) { event in
            if case .finished(let outcome) = event, case .failure(let found) = outcome.result {
                failure = found
            }
            events(event)
        }
        return failure?.message
    }

    /// Binds the values of a stopped statement.
    private func takeOver(_ entry: HistoryEntry) -> String? {
        do {
            let bound = try entry.bound.map { info -> (String, BoundValue) in
                guard let digest = info.digest, original.isStored(digest) else {
                    throw EvaluationError.notKept(
                        name: info.name, reason: "the user stopped its statement")
                }
                return (info.name, .stored(try original.read(digest: digest)))
            }
            let sequence = try session.workspace.begin(
                source: entry.source, seed: entry.seed, number: entry.sequence)
            try session.workspace.commit(
                sequence, bind: bound, unbind: entry.unbound,
                seconds: entry.seconds ?? 0, stopped: entry.stopped)
            return nil
        } catch {
            return Failure.sentence(for: error)
        }
    }

    /// - Parameter place: the number of the statement in the workspace of the replay.
    private func compare(
        _ entry: HistoryEntry, _ line: String, at place: Int, _ result: inout Report
    ) {
        let isExact = entry.machine == NumericEnvironment.description || entry.machine.isEmpty
        result.isExact = result.isExact && isExact
        let again = session.workspace.statement(place)
        for (old, new) in zip(entry.files, again?.files ?? []) {
            guard let digest = old.digest, let found = new.digest, digest != found else { continue }
            result.differences.append("\(line) read '\(new.path)', which has changed since")
        }
        for info in entry.bound {
            guard let digest = info.digest else {
                result.unknown += 1
                continue
            }
            guard let found = again?.bound.first(where: { $0.name == info.name }) else {
                result.differences.append("`\(info.name)` of \(line) is missing in the replay")
                continue
            }
            result.values += 1
            if found.digest == digest { continue }
            guard original.isStored(digest), let stored = try? original.read(digest: digest),
                let now = found.digest.flatMap({ try? session.workspace.read(digest: $0) })
            else {
                result.differences.append(
                    "`\(info.name)` of \(line) differs; the earlier value is not kept, "
                        + "only its digest \(digest.prefix(12))…")
                continue
            }
            // Another version may have stored the same value in another form. It is compared in
            // the form that this version stores.
            let before = (try? Value(stored, of: info, in: original).storedObject()) ?? stored
            if (try? before.digest()) == found.digest { continue }
            let isOlder = before.value != stored.value
            let difference = ValueComparison(isExact: isExact, isOlder: isOlder).first(
                before.value, now.value)
            if let difference {
                result.differences.append(
                    "`\(info.name)\(difference.place)` of \(line) was \(difference.before) and is "
                        + "now \(difference.now)")
            } else if isExact, !isOlder {
                result.differences.append(
                    "`\(info.name)` of \(line) was of the kind \(before.kind) and is now of the "
                        + "kind \(now.kind)")
            }
        }
    }
}

extension Session {
    /// `sami replay WORKSPACE` or `sami replay SCRIPT`: runs a session again, statement by
    /// statement, without changing its workspace. A script is run once; with `check` it is run a
    /// second time and the values are compared.
    ///
    /// - Parameter events: receives the events of the statements.
    /// - Returns: whether every statement ran and, with `check`, every value was equal; and a
    ///   sentence that says so, or the first difference with both values.
    /// - Throws: `WorkspaceError` if a workspace cannot be read or created.
    public static func replay(
        _ path: String, _ options: ReplayOptions = ReplayOptions(),
        configuration: Configuration = Configuration(),
        interruption: Interruption = Interruption(),
        events: @escaping (SessionEvent) -> Void = { _ in }
    ) throws -> (isWell: Bool, summary: String) {
        var configuration = configuration
        let directory = configuration.directory ?? FileManager.default.currentDirectoryPath
        configuration.directory = directory
        let path = Paths.absolute(path, in: directory)
        func fresh(keeping: Bool) throws -> Session {
            configuration.access = .ephemeral
            if keeping, let into = options.into {
                let target = Paths.absolute(into, in: directory)
                guard !FileManager.default.fileExists(atPath: target) else {
                    throw WorkspaceError.alreadyThere(target)
                }
                configuration.access = .readWrite
                configuration.workspace = target
            }
            let session = try Session(configuration)
            session.outerInterruption = interruption
            return session
        }
        var isFolder: ObjCBool = false
        let isScript =
            FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && !isFolder.boolValue
        guard isScript else {
            let original = try Workspace.open(path, mode: .readOnly)
            defer { original.close() }
            return try replay(original, try fresh(keeping: true), options, events)
        }
        guard options.upTo == nil else {
            return (false, "the last statement has a number in a workspace, not in a script")
        }
        let first = try fresh(keeping: true)
        defer { first.close() }
        if !options.allowsWrites { first.writableFolder = directory }
        let program = try Session.program(
            ofScript: try FileReading.data(path, shown: path), path: path)
        var count = 0
        let isWell = first.evaluate(program) { event in
            if case .finished = event { count += 1 }
            events(event)
        }
        guard isWell, options.check else {
            return (isWell, "ran \(NumberText.count(count, "statement"))")
        }
        return try replay(first.workspace, try fresh(keeping: false), options) { event in
            if case .progress = event { events(event) }
        }
    }

    static func replay(
        _ original: Workspace, _ session: Session, _ options: ReplayOptions,
        _ events: @escaping (SessionEvent) -> Void
    ) throws -> (isWell: Bool, summary: String) {
        defer { session.close() }
        session.replayedAnswers = original.answers
        let replay = Replay(original: original, session: session, options: options)
        let result = try replay.run(events: events)
        return (result.isWell, result.sentence)
    }
}
