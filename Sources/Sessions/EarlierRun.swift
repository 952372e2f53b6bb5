import CommandLanguage
import Commands
import Values
import Workspaces

/// What a workspace has done of a script, for a run that goes on after it.
///
/// The statements of the script are matched with those of the journal, in order and by their text.
/// A statement that is done does not run again: its values are there. The statement that was
/// stopped continues from its checkpoint. Of a block that was stopped, the statements that are done
/// are recalled (``RecalledBlock``).
struct EarlierRun {
    /// What becomes of the next statement of the script.
    enum Step {
        /// It ran to its end.
        case done
        /// It was stopped or killed.
        case stopped(UnfinishedStatement)
        /// It is a block that did not reach its end, with its statements so far.
        case begun(HistoryEntry, [HistoryEntry])
        /// It never began, or leaves nothing in a workspace.
        case new
    }

    /// Statements outside of blocks, and blocks, oldest first.
    private var entries: ArraySlice<HistoryEntry>
    private let inner: [Int: [HistoryEntry]]
    private let unfinished: UnfinishedStatement?
    /// Number of statements that the script does not repeat.
    private(set) var count = 0
    /// The number under which the last of them drew random numbers.
    var lastNumber = 0

    init(_ workspace: Workspace) {
        let history = workspace.history
        unfinished = workspace.unfinished
        let stopped = unfinished?.sequence
        let repeated = history.repeated
        inner = Dictionary(
            grouping: history.filter { entry in
                guard entry.block != nil, !entry.isBlock else { return false }
                return entry.sequence == stopped
                    || entry.status == .committed && !repeated.contains(entry.sequence)
            }, by: { $0.block ?? 0 })
        entries =
            history.filter { entry in
                switch entry.status {
                case _ where entry.sequence == stopped: entry.block == nil
                case .committed: entry.block == nil || entry.isBlock
                // What a block has done before it failed is kept.
                case .failed, .unfinished: workspace.canGoOn(withBlock: entry.sequence)
                case .undone, .running: false
                }
            }[...]
    }

    var isOver: Bool { entries.isEmpty }

    /// Whether the journal continues with this statement, a parameter; takes it then.
    mutating func takes(_ source: String) -> Bool {
        guard let entry = entries.first, entry.source == source else { return false }
        entries.removeFirst()
        pass(entry)
        return true
    }

    private mutating func pass(_ entry: HistoryEntry) {
        lastNumber = max(entry.number, inner[entry.sequence]?.last?.number ?? entry.number)
    }

    /// - Parameter isJournaled: whether the statement writes to the journal.
    /// - Throws: if the workspace went on with something else.
    mutating func step(
        _ statement: Statement, isJournaled: Bool
    ) throws(EvaluationError) -> Step {
        guard let entry = entries.first else { return .new }
        guard entry.source == statement.source else {
            guard isJournaled else { return .done }
            throw .other(
                "this workspace went on with statement \(entry.sequence), "
                    + "`\(entry.source.split(separator: "\n").first ?? "")`, so the script cannot go "
                    + "on in it",
                suggestion: "undo what was typed since, or run the script in a new workspace")
        }
        entries.removeFirst()
        if let unfinished, unfinished.sequence == entry.sequence { return .stopped(unfinished) }
        count += 1
        guard entry.isBlock, entry.status != .committed else {
            pass(entry)
            return .done
        }
        return .begun(entry, inner[entry.sequence] ?? [])
    }
}

/// The statements of a stopped block that are not repeated when it runs again: commands take their
/// values from the journal, and expressions are computed again, as they cost little.
struct RecalledBlock {
    let block: Int
    /// The number under which the last statement taken drew random numbers; first the block's own.
    private(set) var lastNumber: Int
    private let workspace: Workspace
    private var entries: ArraySlice<HistoryEntry>
    /// The names of the block as of before it, and as its recalled statements left them.
    private var names: [String: BindingInfo?]
    private var values: [String: Value] = [:]

    init(_ entry: HistoryEntry, _ inner: [HistoryEntry], _ workspace: Workspace) {
        block = entry.sequence
        lastNumber = entry.number
        self.workspace = workspace
        entries = inner[...]
        names = workspace.names(beforeBlock: entry.sequence)
    }

    /// The next statement; nil after the last one.
    var next: HistoryEntry? { entries.first }

    /// Whether one is left. It may be the line with the expressions before the block was stopped,
    /// which are only a part of those that stand there now.
    var isAtLast: Bool { entries.count == 1 }

    /// Takes the next statement if it has this text and ended: its names have its values from then
    /// on.
    mutating func take(_ source: String, bindsItself: Bool = false) -> Bool {
        guard let entry = entries.first, entry.source == source, entry.status == .committed,
            entry.stopped == nil
        else { return false }
        entries.removeFirst()
        lastNumber = entry.number
        guard !bindsItself else { return true }
        for name in entry.unbound { set(name, nil) }
        for binding in entry.bound { set(binding.name, binding) }
        return true
    }

    mutating func bind(_ bound: [(name: String, value: Value)]) {
        for (name, value) in bound {
            values[name] = value
            names[name] = nil as BindingInfo?
        }
    }

    private mutating func set(_ name: String, _ binding: BindingInfo?) {
        values[name] = nil
        names.updateValue(binding, forKey: name)
    }

    /// Whether the block changed the name, so that its present value is not the one of this place.
    func has(_ name: String) -> Bool { values[name] != nil || names[name] != nil }

    /// The name's value at this place; nil if it has none.
    ///
    /// - Throws: if the workspace does not keep that value any more.
    mutating func value(of name: String) throws -> Value? {
        if let value = values[name] { return value }
        guard let binding = names[name] ?? nil else { return nil }
        guard let digest = binding.digest, workspace.isStored(digest) else {
            throw EvaluationError.notKept(
                name: name, reason: "statement \(binding.sequence) of the stopped block made it")
        }
        let value = try Value(
            try workspace.read(digest: digest), of: binding, in: workspace)
        values[name] = value
        return value
    }
}
