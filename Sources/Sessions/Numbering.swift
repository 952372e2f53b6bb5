import Commands
import Tensors
import Values
import Workspaces

/// The numbers under which statements draw random numbers.
///
/// In a new workspace a statement draws under its number in the journal. Statements that failed or
/// were undone have numbers too. A script that goes on after them draws as if they had never been:
/// the session's `shift` is the difference, and the journal keeps it.
extension Session {
    /// The key of the statement with this number in the journal; 0 for one that is not journaled.
    func key(of sequence: Int) -> RandomKey {
        let number = sequence == 0 ? 0 : sequence &- shift
        return RandomKey(seed: seed).child(UInt64(bitPattern: Int64(number)))
    }

    /// The key of the next statement. An expression is evaluated before its statement is journaled
    /// under this number.
    var nextKey: RandomKey { key(of: replayedSequence ?? workspace.lastSequence + 1) }

    /// The next statement draws as the one that follows this number.
    func goOn(afterNumber number: Int) { shift = workspace.lastSequence &- number }

    /// `seed 7 statement=12`
    package func drawNext(asStatement number: Int) throws {
        guard block == nil else {
            throw EvaluationError.other(
                "`statement=` cannot stand inside a block, whose statements follow its number")
        }
        // It would otherwise take the number when a later statement reads `_`.
        if workspace.isWritable { try journalPending() }
        earlierRun?.lastNumber = number - 1
        goOn(afterNumber: number - 1)
    }

    /// The seed of the last statement, which the journal keeps with its conditions.
    static func lastSeed(of workspace: Workspace) -> UInt64? {
        workspace.history.last.flatMap { UInt64($0.seed.prefix { $0 != "/" }) }
    }

    /// The shift of the last statement; 0 in a new workspace.
    static func lastShift(of workspace: Workspace) -> Int {
        workspace.history.last.map { StatementConditions(journal: $0.seed).shift } ?? 0
    }
}
