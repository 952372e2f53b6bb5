import CommandLanguage
import Foundation
import Ranks
import Rendering
import Values
import Workspaces

/// The part of the session that a command may use.
///
/// Commands lie below the session in the module order, so a verb can be read and tested without a
/// session.
package protocol CommandContext: AnyObject, Environment {
    var workspace: Workspace { get }
    /// The appearance of outputs.
    var appearance: Appearance { get }
    var settings: Settings { get set }
    /// Decides all random numbers of the session.
    var seed: UInt64 { get set }
    /// The next statement draws random numbers as if it had this number.
    ///
    /// - Throws: inside of a block.
    func drawNext(asStatement number: Int) throws
    /// The file that steps of training are written to; nil for none.
    var metrics: MetricsFile? { get set }
    /// The processes that compute for its models; nil if this one does.
    var crew: RankCrew? { get set }
    /// The folder that relative paths of statements start from.
    var directory: String { get }
    /// The only folder that statements may write files in; nil if they may write anywhere.
    var writableFolder: String? { get }
    /// Whether the user wants to stop the running statement.
    var isInterrupted: Bool { get }
    /// The same for work that knows no session.
    var stopWatch: @Sendable () -> Bool { get }
    /// The answers of servers in the session that is replayed; nil for other work.
    var replayedAnswers: KeptAnswers? { get }
    /// Opens texts in a person's editor; nil where no person is at a terminal.
    var editor: TextEditor? { get }
    /// Asks a person before each statement of a script; nil where nobody can be asked.
    var askStep: (() -> StepAnswer)? { get }
    /// Called with reports of long work.
    var progress: ((Progress) -> Void)? { get }

    func isBound(_ name: String) -> Bool
    /// Notes in the journal that the statement has read a file.
    func noteInput(_ file: InputFile)
    /// - Throws: at `span`, if the workspace is open for reading only.
    func requireWritable(at span: SourceSpan) throws
    /// Writes the values that were too large to be written at their statements. Returns sentences
    /// about those that could not be written.
    func keepAll() -> [String]

    // Verbs about the session itself.

    /// Removes the value of `_`: undo and redo have changed the values it was computed from.
    func forgetLastResult()
    /// `open`: leaves the workspace for another. Returns the notices of opening it.
    func open(_ path: String, access: Access) throws -> [String]
    /// `quit`
    func finish()
    /// `source`: runs the statements of a script and throws its first error.
    ///
    /// - Returns: false if the person left it before its end.
    @discardableResult
    func run(script: Data, file: String, _ manner: ScriptManner) throws -> Bool
    /// `replay`: replays this session, another session, or a script.
    func replay(
        _ path: String?, _ options: ReplayOptions
    ) throws -> (isWell: Bool, summary: String)
    /// `resume`
    func resume(_ unfinished: UnfinishedStatement, _ invocation: Invocation) throws -> CommandResult
}

/// The editor of a person at a terminal, which a host offers.
public struct TextEditor: Sendable {
    /// Opens a file and returns once the person has left the editor. Throws an error with a
    /// sentence if the editor cannot be started or fails.
    public var open: @Sendable (_ path: String) throws -> Void
    /// Shows the fault of the edited text and asks whether to open it again.
    public var asksAgain: @Sendable (_ complaint: String) -> Bool

    public init(
        open: @escaping @Sendable (String) throws -> Void,
        asksAgain: @escaping @Sendable (String) -> Bool
    ) {
        self.open = open
        self.asksAgain = asksAgain
    }
}

/// How the statements of a script run.
package enum ScriptManner: Sendable {
    /// A host does not show them.
    case hidden
    /// A host shows each before it runs.
    case shown
    /// A host shows each, and a person is asked before it runs.
    case stepped
}

/// What a person answers before a statement of a script that waits.
public enum StepAnswer: Sendable, Hashable {
    /// Runs the statement.
    case run
    /// Leaves the script.
    case leave
    /// Runs another statement first.
    case statement(String)
}

/// Who may change the workspace.
public enum Access: Sendable {
    case readWrite, readOnly
    /// Nothing is kept; there is no folder.
    case ephemeral
}

/// Options for replaying a session.
public struct ReplayOptions: Sendable {
    /// Whether to compare every value with the session's.
    public var check = false
    /// The number of the last statement to replay; nil for all.
    public var upTo: Int?
    /// A new workspace for the values of the statements; nil keeps nothing.
    public var into: String?
    /// Whether statements may write files outside of the working folder.
    public var allowsWrites = false

    public init() {}
}
