import Foundation

/// The names now and the statements that led to them: what a journal means.
///
/// The same code follows a journal line by line when a workspace is opened and while it is used, so
/// that what is in memory is always what the file says.
struct Timeline {
    struct Statement {
        var sequence: Int
        var time: String
        var source: String
        var seed: String
        var program: String
        var message: String?
        var commit: JournalLine.Commit?
        var isUndone = false
        var checkpoint: String?
    }

    /// A committed statement that changed names, with what it takes to go either way.
    struct Step {
        var sequence: Int
        var changes: [Change]
    }

    struct Change {
        var name: String
        var before: BindingInfo?
        var after: BindingInfo?
    }

    private struct Place: Hashable {
        var name: String
        var sequence: Int
    }

    private(set) var statements: [Statement] = []
    private var places: [Int: Int] = [:]
    private var current: [String: BindingInfo] = [:]
    /// Steps that undo can take back, oldest first, and those that redo can take again, next one
    /// last.
    private(set) var done: [Step] = []
    private(set) var undone: [Step] = []
    private(set) var lastSequence = 0
    /// The statement that has begun and neither committed nor failed.
    private(set) var open: Int?
    /// Values that were stored after their statement.
    private var kept: [Place: (digest: String, bytes: Int)] = [:]

    /// Sorted by name.
    var names: [BindingInfo] {
        current.values.map(resolved).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    func binding(_ name: String) -> BindingInfo? { current[name].map(resolved) }

    func statement(_ sequence: Int) -> Statement? { places[sequence].map { statements[$0] } }

    /// A binding as it is today: stored, if its value was kept since.
    func resolved(_ binding: BindingInfo) -> BindingInfo {
        guard !binding.isStored,
            let value = kept[Place(name: binding.name, sequence: binding.sequence)]
        else { return binding }
        var binding = binding
        binding.digest = value.digest
        binding.bytes = value.bytes
        binding.isStored = true
        return binding
    }

    /// Follows one line.
    ///
    /// - Returns: false where the line does not fit what came before, as after a damaged one.
    @discardableResult
    mutating func follow(_ line: JournalLine) -> Bool {
        switch line {
        case .workspace: return true
        case .begin(let sequence, let time, let source, let seed, let program):
            guard places[sequence] == nil else { return false }
            add(
                Statement(
                    sequence: sequence, time: time, source: source, seed: seed, program: program))
            open = sequence
            return true
        case .commit(let commit):
            let place = place(commit.sequence, time: commit.time)
            guard statements[place].commit == nil else { return false }
            statements[place].commit = commit
            statements[place].message = nil
            close(commit.sequence)
            let step = Step(sequence: commit.sequence, changes: changes(of: commit))
            if !step.changes.isEmpty {
                take(step)
                done.append(step)
                undone = []
            }
            return true
        case .fail(let sequence, let time, let message):
            let place = place(sequence, time: time)
            guard statements[place].commit == nil else { return false }
            statements[place].message = message
            close(sequence)
            return true
        case .checkpoint(let sequence, let time, let digest):
            statements[place(sequence, time: time)].checkpoint = digest
            return true
        case .keep(let name, let sequence, let digest, let bytes):
            kept[Place(name: name, sequence: sequence)] = (digest, bytes)
            return true
        case .undo(let sequence, _):
            guard let step = done.last, step.sequence == sequence else { return false }
            done.removeLast()
            undone.append(step)
            for change in step.changes { current[change.name] = change.before }
            mark(sequence, undone: true)
            return true
        case .redo(let sequence, _):
            guard let step = undone.last, step.sequence == sequence else { return false }
            undone.removeLast()
            done.append(step)
            take(step)
            mark(sequence, undone: false)
            return true
        case .floor(let depth, _):
            done.removeFirst(max(0, done.count - max(0, depth)))
            return true
        case .base(let sequence, _, let names, _):
            lastSequence = max(lastSequence, sequence)
            rebase(names)
            return true
        }
    }

    /// States the names anew; undo and redo end here.
    mutating func rebase(_ names: [BindingInfo]) {
        current = Dictionary(names.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        done = []
        undone = []
    }

    /// Numbers up to here are taken, even if the lines that took them are lost.
    mutating func skip(to sequence: Int) { lastSequence = max(lastSequence, sequence) }

    /// An unfinished statement runs again.
    mutating func reopen(_ sequence: Int) { open = sequence }

    private mutating func add(_ statement: Statement) {
        places[statement.sequence] = statements.count
        statements.append(statement)
        lastSequence = max(lastSequence, statement.sequence)
    }

    /// Where a statement is in the list; one whose first line was damaged gets an entry without
    /// source.
    private mutating func place(_ sequence: Int, time: String) -> Int {
        if let place = places[sequence] { return place }
        add(Statement(sequence: sequence, time: time, source: "", seed: "", program: ""))
        return statements.count - 1
    }

    private mutating func close(_ sequence: Int) { if open == sequence { open = nil } }

    private mutating func mark(_ sequence: Int, undone: Bool) {
        if let place = places[sequence] { statements[place].isUndone = undone }
    }

    private mutating func take(_ step: Step) {
        for change in step.changes { current[change.name] = change.after }
    }

    private func changes(of commit: JournalLine.Commit) -> [Change] {
        var changes: [Change] = []
        for name in commit.unbind where current[name] != nil {
            changes.append(Change(name: name, before: current[name], after: nil))
        }
        for binding in commit.bind {
            changes.append(
                Change(name: binding.name, before: current[binding.name], after: binding))
        }
        return changes
    }
}
