import Foundation

/// A statement as the journal records it.
public struct HistoryEntry: Sendable {
    public enum Status: Sendable, Equatable {
        case committed
        /// Committed, then undone by `undo`.
        case undone
        case failed(String)
        /// It began, and no process runs it any more.
        case unfinished
        case running
    }

    public var sequence: Int
    /// The block that it is a statement of; the block itself has its own number. Nil outside of
    /// blocks.
    public var block: Int?
    /// Empty if the journal line that held it is damaged.
    public var source: String
    public var seed: String
    /// Name and version of the program that ran it.
    public var program: String
    /// The properties of the machine that decide its numbers to the last bit; empty if unknown.
    public var machine: String
    /// Its start time: UTC, ISO 8601.
    public var time: String
    public var status: Status
    public var seconds: Double?
    public var inputs: [BindingInfo]
    public var files: [InputFile]
    public var bound: [BindingInfo]
    public var unbound: [String]
    /// The digest of its last checkpoint.
    public var checkpoint: String?
    /// How far it came, if a user stopped it and did not resume it.
    public var stopped: String?
    /// Whether the present names are those right after this statement.
    public var isCurrent: Bool
}

/// The origin of a value: the value, the values that its statement read, their origins, and so on,
/// each once.
public struct Provenance: Sendable {
    public struct Step: Sendable {
        public var binding: BindingInfo
        /// Nil if the journal does not have it.
        public var statement: HistoryEntry?
        /// Positions in `steps` of the values that the statement read.
        public var inputs: [Int]
    }

    /// The requested value comes first; inputs come after the values that were made from them.
    public var steps: [Step]
    /// Whether the limit cut off further steps.
    public var isCut: Bool
}

extension HistoryEntry {
    /// Whether it is a loop or a choice, whose statements follow it.
    public var isBlock: Bool { block == sequence }
}

extension Workspace {
    /// Every statement, oldest first.
    public var history: [HistoryEntry] {
        locked { timeline.statements.map(entry) }
    }

    /// The number of the last statement; 0 without any.
    public var lastSequence: Int { locked { timeline.lastSequence } }

    /// Whether a block did not reach its end, and no statement after it has had an effect.
    public func canGoOn(withBlock sequence: Int) -> Bool {
        locked { timeline.canGoOn(withBlock: sequence) }
    }

    /// One statement; nil if there is none with this number.
    public func statement(_ sequence: Int) -> HistoryEntry? {
        locked { timeline.statement(sequence).map(entry) }
    }

    private func entry(_ statement: Timeline.Statement) -> HistoryEntry {
        let status: HistoryEntry.Status
        if statement.commit != nil {
            status = statement.isUndone ? .undone : .committed
        } else if let message = statement.message {
            status = .failed(message)
        } else {
            status =
                [running, runningBlock].contains(statement.sequence) ? .running : .unfinished
        }
        let commit = statement.commit
        return HistoryEntry(
            sequence: statement.sequence, block: statement.block, source: statement.source,
            seed: statement.seed, program: statement.program, machine: statement.machine,
            time: statement.time,
            status: status,
            seconds: commit?.seconds, inputs: commit?.inputs.map(timeline.resolved) ?? [],
            files: commit?.files ?? [], bound: commit?.bind.map(timeline.resolved) ?? [],
            unbound: commit?.unbind ?? [], checkpoint: statement.checkpoint,
            stopped: statement.stopped,
            isCurrent: isCurrent(statement))
    }

    private func isCurrent(_ statement: Timeline.Statement) -> Bool {
        guard let last = timeline.done.last?.sequence else { return false }
        return last == statement.sequence
            || statement.block == statement.sequence
                && timeline.statement(last)?.block == statement.sequence
    }

    /// Follows a value back to the files that it was made from.
    ///
    /// - Parameter limit: the largest number of steps to return.
    public func provenance(of name: String, limit: Int = 1000) throws -> Provenance {
        try locked {
            guard let start = timeline.binding(name) else { throw WorkspaceError.unknownName(name) }
            struct Key: Hashable {
                var name: String
                var sequence: Int
            }
            var steps = [Provenance.Step(binding: start, statement: nil, inputs: [])]
            var places = [Key(name: start.name, sequence: start.sequence): 0]
            var isCut = false
            var next = 0
            while next < steps.count {
                let statement = timeline.statement(steps[next].binding.sequence).map(entry)
                steps[next].statement = statement
                for input in statement?.inputs ?? [] {
                    let key = Key(name: input.name, sequence: input.sequence)
                    if let place = places[key] {
                        steps[next].inputs.append(place)
                    } else if steps.count < limit {
                        places[key] = steps.count
                        steps[next].inputs.append(steps.count)
                        steps.append(.init(binding: input, statement: nil, inputs: []))
                    } else {
                        isCut = true
                    }
                }
                next += 1
            }
            return Provenance(steps: steps, isCut: isCut)
        }
    }
}
