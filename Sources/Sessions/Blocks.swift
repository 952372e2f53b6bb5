import CommandLanguage
import Commands
import Rendering
import Values
import Workspaces

/// The state of the block that runs.
///
/// Expressions in a block bind names without a journal line of their own: a loop of a thousand
/// additions would otherwise write a thousand lines. The names are journaled together before the
/// next command, and at the end of the block.
struct RunningBlock {
    private(set) var pending: [(name: String, value: Value)] = []
    private(set) var sources: [String] = []
    /// Names and files that the pending expressions have read.
    private(set) var inputs: [String] = []
    private(set) var files: [InputFile] = []
    /// Number of statements that have run.
    var count = 0
    /// The statements of a stopped block that are not repeated; nil once it is past them.
    var recalled: RecalledBlock?

    func value(of name: String) -> Value? { pending.last { $0.name == name }?.value }

    mutating func bind(
        _ values: [(name: String, value: Value)], source: String, inputs: [String],
        files: [InputFile]
    ) {
        for (name, value) in values {
            pending.removeAll { $0.name == name }
            pending.append((name, value))
        }
        if !sources.contains(source) { sources.append(source) }
        for name in inputs where !self.inputs.contains(name) { self.inputs.append(name) }
        for file in files where !self.files.contains(file) { self.files.append(file) }
    }

    mutating func takePending() -> RunningBlock {
        let taken = self
        (pending, sources, inputs, files) = ([], [], [], [])
        return taken
    }
}

/// Loops and choices. A block is one statement of the journal, with its statements inside: undo
/// reverts them together, and a replay runs the block.
extension Session {
    func run(block statement: Statement, _ program: Program) throws -> Output {
        if block != nil {
            try walk(statement, program)
        } else {
            try runWhole(statement, program)
        }
        return Output(displays: [], notes: [])
    }

    private func runWhole(_ statement: Statement, _ program: Program) throws {
        let start = ContinuousClock.now
        if readsLastResult(statement) { try journalPending() }
        unjournaled = nil
        let recalled = takeRecalledBlock()
        if workspace.isWritable {
            if let recalled {
                try workspace.resumeBlock(recalled.block)
            } else {
                _ = try workspace.beginBlock(
                    source: statement.source, seed: seedText, number: replayedSequence)
            }
        }
        // The statements of the block take the numbers after its own, in a replay as well.
        let number = replayedSequence
        replayedSequence = nil
        block = RunningBlock()
        block?.recalled = recalled
        defer {
            block = nil
            replayedSequence = number
        }
        do {
            try walk(statement, program)
            try journalBlock()
            try endRecalling(before: "}")
        } catch {
            // The results so far are kept in any case; recalled ones are already there.
            if block?.recalled == nil { try? journalBlock() }
            leaveRecalled()
            if workspace.isWritable {
                try? workspace.endBlock(seconds: 0, failure: Failure.sentence(for: error))
            }
            throw error
        }
        if workspace.isWritable {
            try workspace.endBlock(seconds: (ContinuousClock.now - start).seconds)
        }
    }

    private func walk(_ statement: Statement, _ program: Program) throws {
        let evaluator = Evaluator(environment: self)
        switch statement.body {
        case .loop(let loop):
            for item in try evaluator.items(of: loop.list) {
                let parts = try Evaluator.parts(of: item, loop.names)
                block?.bind(
                    parts, source: "for \(loop.names.map(\.name).joined(separator: ", ")) in …",
                    inputs: inputs, files: [])
                try walk(loop.body, program)
                try stopIfInterrupted()
            }
        case .choice(let choice):
            let branch = try choice.branches.first { try evaluator.truth(of: $0.condition) }
            try walk(branch?.body ?? choice.otherwise, program)
        case .command, .expression, .function: break
        }
    }

    private func walk(_ statements: [Statement], _ program: Program) throws {
        for (index, statement) in statements.enumerated() {
            let outcome = perform(statement, program, number: index + 1, depth: sourceDepth + 1)
            if case .failure(let failure) = outcome.result { throw failure }
            block?.count += 1
            try stopIfInterrupted()
        }
    }

    private func stopIfInterrupted() throws {
        guard isInterrupted else { return }
        let done = NumberText.count(block?.count ?? 0, "statement")
        throw EvaluationError.interrupted(
            "the block was stopped after \(done); their results are kept, `undo` takes them back")
    }

    /// Journals the names that expressions of the block have bound.
    func journalBlock() throws {
        guard workspace.isWritable, let taken = block?.takePending(), !taken.pending.isEmpty else {
            return
        }
        if try recall(taken) { return }
        let own = (inputs, inputFiles)
        (inputs, inputFiles) = (taken.inputs, taken.files)
        defer { (inputs, inputFiles) = own }
        let sequence = try workspace.begin(
            source: taken.sources.joined(separator: "; "), seed: seedText)
        _ = try commit(sequence, bind: taken.pending, unbind: [], seconds: 0)
    }

    func readsLastResult(_ statement: Statement) -> Bool {
        statement.nodes.contains(where: readsLastResult)
            || statement.inner.contains(where: readsLastResult)
    }
}
