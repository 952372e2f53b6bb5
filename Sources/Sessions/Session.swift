import CommandLanguage
import Commands
import Foundation
import Ranks
import Rendering
import Tensors
import Tokenizers
import Values
import Workspaces

/// What a person answers before a statement of a script.
public typealias StepAnswer = Commands.StepAnswer

/// The progress of a long statement. The name alone would also mean Foundation's class.
public typealias Progress = Commands.Progress

/// One user's session on one workspace: reads statements, runs them, journals them, and returns the
/// output.
///
/// Not `Sendable`: one thread uses it at a time, and every call returns when its work is done. Only
/// its `interruption` may be used from other threads.
///
/// ```swift
/// let session = try Session(.init())
/// session.evaluate(Session.parse("load model default; describe model")) { event in
///     if case .display(let display) = event { print(display.text().plain) }
/// }
/// session.close()
/// ```
public final class Session {
    public struct Configuration: Sendable {
        /// The workspace's folder; an ephemeral session ignores it.
        public var workspace = "session.samiws"
        public var access = Access.readWrite
        /// The folder that relative paths in statements start from; nil for the current directory.
        public var directory: String?
        public var appearance = Appearance()
        /// Name and version of the program, for the journal.
        public var program = "sami"
        /// Nil takes the seed that the workspace last used, or 0 for a new workspace.
        public var seed: UInt64?
        /// Processes that compute for its models; nil or 1 for none.
        public var ranks: Int?

        public init() {}
    }

    /// A host sets the appearance of its terminal; `set width=` and `set color=` are stronger.
    public var appearance: Appearance {
        get {
            var appearance = hostAppearance
            if let width = settings.width { appearance.width = width }
            if let color = settings.color { appearance.color = color }
            return appearance
        }
        set { hostAppearance = newValue }
    }
    var hostAppearance: Appearance
    /// A host with a person at a terminal sets it; `edit` needs it.
    public var editor: TextEditor?
    /// A host with a person at a terminal sets it: asked before each statement of a script that
    /// `source pause=true` runs.
    public var askStep: (() -> StepAnswer)?
    public let interruption = Interruption()
    /// Sentences about the state found on opening, shown once.
    public internal(set) var notices: [String] = []
    /// When to look at the size of old values again.
    var storageWatch = StorageWatch()
    /// True after `quit`.
    public internal(set) var isFinished = false

    package var seed: UInt64
    /// The next statement's number in the journal minus the one it draws random numbers under.
    var shift: Int
    package var settings = Settings()
    package var metrics: MetricsFile?
    package var crew: RankCrew?
    package let directory: String
    let program: String
    /// The only folder that a stranger's statements may write to; nil if they may write anywhere.
    package internal(set) var writableFolder: String?
    var bindings: Bindings
    package internal(set) var lastResult: Value?
    /// Expressions that set `_` and are not yet in the journal. A statement that reads `_` journals
    /// them first, so that it can be replayed.
    var unjournaled: String?
    /// Values from `-p name=value` that replace a script's own assignments.
    var parameters: [String: String] = [:]
    /// Names and files that the present statement has read.
    var inputs: [String] = []
    var inputFiles: [InputFile] = []
    var sourceDepth = 0
    /// Whether a host shows the statements of the running script.
    var showsScript = false
    /// How the running script waits before each statement; nil for one that does not.
    var stepping: Stepping?
    /// Whether a person has left the script that ran last before its end.
    var wasLeft = false
    /// The block that runs; nil outside of blocks.
    var block: RunningBlock?
    /// What a script that goes on does not repeat; nil once it is past that.
    var earlierRun: EarlierRun?
    /// The stopped block that runs next.
    var recalledBlock: RecalledBlock?
    /// Receives the events of the running block; `source` sends those of its statements too.
    var events: ((SessionEvent) -> Void)?
    /// In a replay, the original number of the present statement.
    var replayedSequence: Int?
    /// The conditions that the replayed statement had; see `seedText`.
    var replayedConditions: StatementConditions?
    /// In a replay, the answers that servers gave in the original session.
    package var replayedAnswers: KeptAnswers?
    /// The interruption of the session that this session works for.
    var outerInterruption: Interruption?

    package var workspace: Workspace { bindings.workspace }

    /// - Throws: `WorkspaceError` if the workspace cannot be used.
    public init(_ configuration: Configuration) throws {
        hostAppearance = configuration.appearance
        directory = configuration.directory ?? FileManager.default.currentDirectoryPath
        let path = Paths.absolute(configuration.workspace, in: directory)
        program = configuration.program
        let workspace = try Workspace.open(
            path, mode: configuration.access.mode, program: program,
            machine: NumericEnvironment.description)
        bindings = Bindings(workspace)
        seed = configuration.seed ?? Session.lastSeed(of: workspace) ?? 0
        shift = Session.lastShift(of: workspace)
        if let ranks = configuration.ranks, ranks > 1 {
            crew = try RankCrew.start(RankPlan(count: ranks))
        }
        welcome()
    }

    deinit { workspace.close() }

    /// Writes the delayed values and releases the workspace's lock. Returns sentences about values
    /// that could not be kept.
    @discardableResult
    public func close() -> [String] {
        // The values of an ephemeral session need not be written; for a large checkpoint that would
        // take minutes.
        crew?.end()
        let problems = workspace.isEphemeral ? [] : bindings.keepAll()
        workspace.close()
        isFinished = true
        return problems
    }

    public var isReadOnly: Bool { !workspace.isWritable }

    /// Whether a host may show long output page by page: `set pager=`.
    public var pagesOutput: Bool { settings.pager == .auto }

    /// The present names and the kinds of their values.
    public var boundNames: [(name: String, kind: String)] {
        workspace.names.filter { !$0.name.hasPrefix(".") }.map { ($0.name, $0.kind) }
    }

    /// `-p name=value`: bound at once; the script's own `name = literal` is then skipped. A value
    /// that is not a literal is text.
    public func setParameter(_ name: String, _ value: String) throws {
        let statement = "\(name) = \(CommandGrammar.literal(value))"
        // A run that goes on has bound it. Another value is refused at the first statement.
        let isBound = earlierRun?.takes(statement) ?? false
        if !isBound, earlierRun?.isOver ?? true {
            for outcome in outcomes(of: statement) { _ = try outcome.result.get() }
        }
        parameters[name] = value
    }
}

extension Access {
    var mode: Workspace.Mode {
        switch self {
        case .readWrite: .readWrite
        case .readOnly: .readOnly
        case .ephemeral: .ephemeral
        }
    }
}

extension Session: Environment {
    package func value(of name: String) throws -> Value? {
        if let value = block?.value(of: name) { return value }
        if block?.recalled?.has(name) == true { return try block?.recalled?.value(of: name) }
        guard let value = try bindings.value(of: name) else { return nil }
        if !inputs.contains(name) { inputs.append(name) }
        return value
    }

    package var names: [String] {
        bindings.names.filter { !$0.hasPrefix(".") } + (block?.pending.map(\.name) ?? [])
    }

    package func maker(of object: String) -> String? { CommandTable.maker(of: object) }
}
