import Foundation

/// The state that a journal describes: the present names, and the statements that led to them.
///
/// The same code follows a journal line by line, both at opening and during use, so that the state
/// in memory always agrees with the file.
struct Timeline {
    struct Statement {
        var sequence: Int
        var time: String
        var source: String
        var seed: String
        var program: String
        var machine = ""
        /// The block that it is a statement of; the block itself has its own number.
        var block: Int?
        var message: String?
        var commit: JournalLine.Commit?
        var isUndone = false
        var checkpoint: String?
        /// How far it had come at the checkpoint.
        var progress = ""
        /// How far it came, if a user stopped it.
        var stopped: String?
        /// The last step in effect when it began: its inputs are unchanged as long as this step
        /// stays the last.
        var precedingStep = 0
    }

    /// A committed statement that changed names, with the bindings for undo and redo.
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
    /// Steps that undo can revert, oldest first, and steps that redo can repeat, the next one last.
    private(set) var done: [Step] = []
    private(set) var undone: [Step] = []
    /// The names that a stopped statement had bound, while it runs again.
    private(set) var suspended: (step: Step, commit: JournalLine.Commit)?
    /// The last step that a floor removed from `done`.
    private var sunkStep = 0
    private(set) var lastSequence = 0
    /// The statement that has begun and has neither committed nor failed.
    private(set) var open: Int?
    /// The last step in effect, 0 without one.
    var lastStep: Int { done.last?.sequence ?? sunkStep }

    /// A statement that can be resumed: it never ended, or a user stopped it, and the names that it
    /// read still have the same values.
    var resumable: Statement? {
        let last = statements.last {
            ($0.stopped != nil || $0.sequence == open) && !$0.isUndone && $0.block != $0.sequence
        }
        guard let last else { return nil }
        let isStep = last.commit != nil && done.last?.sequence == last.sequence
        return isStep || last.precedingStep == lastStep ? last : nil
    }

    /// Values that were stored after their statement.
    private var kept: [Place: (digest: String, bytes: Int)] = [:]

    /// Sorted by name.
    var names: [BindingInfo] {
        current.values.map(resolved).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    func binding(_ name: String) -> BindingInfo? { current[name].map(resolved) }

    func statement(_ sequence: Int) -> Statement? { places[sequence].map { statements[$0] } }

    /// The present form of a binding: stored, if its value was stored later.
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

    /// Applies one line.
    ///
    /// - Returns: false if the line contradicts the lines before it, as after a damaged line.
    @discardableResult
    mutating func follow(_ line: JournalLine) -> Bool {
        switch line {
        case .workspace: return true
        case .begin(
            let sequence, let time, let source, let seed, let program, let machine, let block):
            guard places[sequence] == nil else { return false }
            putBack()
            if let open, open != block, let place = places[open] {
                // Nothing ended it, so it can be resumed as long as its inputs are unchanged.
                statements[place].stopped = statements[place].stopped ?? statements[place].progress
            }
            add(
                Statement(
                    sequence: sequence, time: time, source: source, seed: seed, program: program,
                    machine: machine, block: block, precedingStep: lastStep))
            open = sequence
            return true
        case .commit(let commit):
            let place = place(commit.sequence, time: commit.time)
            guard statements[place].commit == nil else { return false }
            statements[place].commit = commit
            statements[place].message = nil
            statements[place].stopped = commit.stopped
            suspended = nil
            close(commit.sequence)
            let step = Step(sequence: commit.sequence, changes: changes(of: commit))
            if !step.changes.isEmpty {
                take(step)
                done.append(step)
                undone = []
            }
            return true
        case .fail(let sequence, let time, let message, let stopped):
            let place = place(sequence, time: time)
            if statements[place].commit != nil {
                // A stopped statement that keeps its names and will not be resumed.
                guard statements[place].stopped != nil, stopped == nil else { return false }
                statements[place].stopped = nil
            } else if open == sequence, suspended != nil {
                putBack()
            } else {
                statements[place].message = message
                statements[place].stopped = stopped
            }
            close(sequence)
            return true
        case .resume(let sequence, _) where statement(sequence)?.block == sequence:
            guard let place = places[sequence], canGoOn(withBlock: sequence) else { return false }
            statements[place].message = nil
            return true
        case .resume(let sequence, _):
            guard let place = places[sequence], resumable?.sequence == sequence else {
                return false
            }
            if let commit = statements[place].commit {
                let step = done.last?.sequence == sequence ? done.removeLast() : nil
                for change in step?.changes ?? [] { current[change.name] = change.before }
                suspended = (step ?? Step(sequence: sequence, changes: []), commit)
                statements[place].commit = nil
            }
            statements[place].message = nil
            statements[place].stopped = nil
            open = sequence
            return true
        case .checkpoint(let sequence, let time, let digest, let progress):
            let place = place(sequence, time: time)
            statements[place].checkpoint = digest
            statements[place].progress = progress
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
            let sunk = done.prefix(max(0, done.count - max(0, depth)))
            if sunk.count == done.count { sunkStep = done.last?.sequence ?? sunkStep }
            done.removeFirst(sunk.count)
            return true
        case .base(let sequence, _, let names, _):
            lastSequence = max(lastSequence, sequence)
            rebase(names)
            return true
        }
    }

    /// Whether a block did not reach its end, and nothing was done after it.
    func canGoOn(withBlock sequence: Int) -> Bool {
        guard let block = statement(sequence), block.block == sequence, !block.isUndone else {
            return false
        }
        return block.commit == nil && lastWithEffect?.block == sequence
    }

    /// The last statement that did not merely fail.
    private var lastWithEffect: Statement? {
        statements.last { !$0.isUndone && ($0.message == nil || $0.block == $0.sequence) }
    }

    /// Lists the names again; undo and redo end here.
    mutating func rebase(_ names: [BindingInfo]) {
        current = Dictionary(names.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        done = []
        undone = []
        sunkStep = 0
        if let suspended, let place = places[suspended.commit.sequence] {
            statements[place].commit = suspended.commit
        }
        suspended = nil
    }

    /// A stopped statement that ran again without reaching its end returns to its state at the
    /// stop.
    private mutating func putBack() {
        guard let (step, commit) = suspended else { return }
        if let place = places[commit.sequence] {
            statements[place].commit = commit
            let progress = statements[place].progress
            statements[place].stopped = progress.isEmpty ? commit.stopped : progress
        }
        if !step.changes.isEmpty {
            take(step)
            done.append(step)
        }
        suspended = nil
    }

    /// Numbers up to this one are used, even if the lines that used them are lost.
    mutating func skip(to sequence: Int) { lastSequence = max(lastSequence, sequence) }

    private mutating func add(_ statement: Statement) {
        places[statement.sequence] = statements.count
        statements.append(statement)
        lastSequence = max(lastSequence, statement.sequence)
    }

    /// The place of a statement in the list. A statement whose first line was damaged gets an entry
    /// without source.
    private mutating func place(_ sequence: Int, time: String) -> Int {
        if let place = places[sequence] { return place }
        add(Statement(sequence: sequence, time: time, source: "", seed: "", program: ""))
        return statements.count - 1
    }

    private mutating func close(_ sequence: Int) { if open == sequence { open = nil } }

    private mutating func mark(_ sequence: Int, undone: Bool) {
        guard let place = places[sequence] else { return }
        statements[place].isUndone = undone
        if let block = statements[place].block, let header = places[block] {
            statements[header].isUndone = undone
        }
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
