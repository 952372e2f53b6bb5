import CommandLanguage
import Rendering
import Values
import Workspaces

/// What a command may use of the session that runs it.
///
/// Commands lie below the session, so that a verb can be read, and tested, without it.
package protocol CommandContext: AnyObject, Environment {
    var workspace: Workspace { get }
    /// How outputs are drawn.
    var appearance: Appearance { get set }
    var settings: Settings { get set }
    /// Decides all random numbers of the session.
    var seed: UInt64 { get set }
    /// Relative paths of statements start here.
    var directory: String { get }
    /// The only folder that statements may write files in; nil where they may write anywhere.
    var writableFolder: String? { get }
    /// Whether the person wants the running statement to stop.
    var isInterrupted: Bool { get }
    /// Called with reports of long work.
    var progress: ((Progress) -> Void)? { get }

    func isBound(_ name: String) -> Bool
    /// Notes in the journal that the statement has read a file.
    func noteInput(_ file: InputFile)
    /// - Throws: at `span`, where the workspace is open for reading only.
    func requireWritable(at span: SourceSpan) throws
    /// Writes the values that were too large to be written at their statements. Returns sentences
    /// about those that could not be written.
    func keepAll() -> [String]

    // Verbs about the session itself.

    /// `_` has no value any more: undo and redo have changed what it was made of.
    func forgetLastResult()
    /// `open`: leaves the workspace for another. Returns what was found there.
    func open(_ path: String, access: Access) throws -> [String]
    /// `quit`
    func finish()
    /// `source`: runs the statements of a script, the first error of which is thrown.
    func run(script: String, file: String) throws
    /// `replay`: does this session again, or another one, or a script.
    func replay(
        _ path: String?, _ options: ReplayOptions
    ) throws -> (isWell: Bool, summary: String)
    /// `resume`
    func resume(_ unfinished: UnfinishedStatement, _ invocation: Invocation) throws -> CommandResult
}

/// Who may change the workspace.
public enum Access: Sendable {
    case readWrite, readOnly
    /// Nothing is kept; there is no folder to name.
    case ephemeral
}

/// How a session is done again.
public struct ReplayOptions: Sendable {
    /// Compares every value with the one that the session made.
    public var check = false
    /// The last statement to do, by its number in the journal; nil for all.
    public var upTo: Int?
    /// A workspace that is made and keeps what the statements make; nil keeps nothing.
    public var into: String?
    /// Whether statements may write files outside of the working folder.
    public var allowsWrites = false

    public init() {}
}
