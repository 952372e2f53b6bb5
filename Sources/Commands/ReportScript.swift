import CommandLanguage
import Rendering
import Workspaces

/// The statements that led to the present values, as a script for a new workspace.
///
/// Random numbers depend on the seed and the number of a statement. Statements that failed or were
/// undone are left out, so the script says the number of a statement that would get another one.
/// `set` lines give precision and memory as the user has set them. An automatic budget of memory is
/// a share of the free memory and differs from statement to statement; a line for each would hide
/// the script, and the results depend on it only where memory is short.
struct ReportScript {
    private var lines: [String] = []
    // The conditions of the next statement of the script; nil if they depend on what ran before.
    private var seed: String? = "0"
    private var number: Int? = 1
    private var precision: Precision? = .auto
    private var memory: String? = ReportScript.automatic

    private static let automatic = "auto"

    var text: String { lines.joined(separator: "\n") }

    init(_ history: [HistoryEntry]) {
        let repeated = history.repeated
        let inner = Dictionary(
            grouping: history.filter {
                $0.block != nil && !$0.isBlock && $0.status == .committed
                    && !repeated.contains($0.sequence)
            }, by: { $0.block ?? 0 })
        for entry in history where entry.block == nil || entry.isBlock {
            let inside = inner[entry.sequence] ?? []
            if entry.status == .committed {
                add(entry, inside)
            } else if !inside.isEmpty {
                let count = NumberText.count(inside.count, "statement")
                note("This block did not reach its end. Missing here, its first \(count):", entry)
            }
        }
    }

    private mutating func add(_ entry: HistoryEntry, _ inside: [HistoryEntry]) {
        guard !entry.source.isEmpty else {
            return note("The journal has lost the text of statement \(entry.sequence).")
        }
        if let stopped = entry.stopped {
            let place = stopped.isEmpty ? "" : ", at \(stopped)"
            return note("Stopped by the user\(place), which a script cannot repeat:", entry)
        }
        setConditions(of: entry)
        lines.append(entry.source)
        number = (inside.last?.number ?? entry.number) + 1
        guard let statement = CommandTable.grammar.parse(entry.source).statements.first else {
            return
        }
        // A bare expression takes a number only if a later statement reads `_`, or if it draws.
        if case .expression = statement.body, statement.target == nil { number = nil }
        let verbs = Self.verbs(inside: statement)
        if verbs.contains("seed") { seed = nil }
        if verbs.contains("set") { (precision, memory) = (nil, nil) }
    }

    private mutating func setConditions(of entry: HistoryEntry) {
        let conditions = StatementConditions(journal: entry.seed)
        let ownSeed = String(entry.seed.prefix { $0 != "/" })
        let ownMemory =
            conditions.memory.flatMap { conditions.isMemorySet ? "\($0)B" : nil } ?? Self.automatic
        if ownMemory != memory { lines.append("set memory=\(ownMemory)") }
        if conditions.precision != precision {
            lines.append("set precision=\(conditions.precision.rawValue)")
        }
        if entry.number != number {
            lines.append("seed \(ownSeed) statement=\(entry.number)")
        } else if ownSeed != seed {
            lines.append("seed \(ownSeed)")
        }
        (seed, precision, memory) = (ownSeed, conditions.precision, ownMemory)
    }

    private mutating func note(_ text: String, _ entry: HistoryEntry? = nil) {
        lines.append("# " + text)
        if let entry {
            lines.append("#   " + TextWidth.cut(TextWidth.oneLine(entry.source), to: 90))
        }
    }

    /// The verbs of the statements inside of a block.
    private static func verbs(inside statement: Statement) -> Set<String> {
        var verbs: Set<String> = []
        for inner in statement.inner {
            if case .command(let call) = inner.body { verbs.insert(call.verb.name) }
            verbs.formUnion(self.verbs(inside: inner))
        }
        return verbs
    }
}
