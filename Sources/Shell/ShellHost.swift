import CommandLanguage
import Rendering

/// What the shell needs of whoever evaluates statements.
///
/// The shell knows keys and screens, and nothing about models or workspaces; a session stands
/// behind this protocol in the program, and something of a few lines in tests. All calls come from
/// one thread, except ``interrupt``.
public protocol ShellHost: AnyObject {
    /// Sentences to show once before the first prompt.
    var notices: [String] { get }
    /// After `quit`.
    var isFinished: Bool { get }
    /// Asks the running evaluation to stop at its next step. Called from another thread.
    var interrupt: @Sendable () -> Void { get }
    /// Called by the evaluating thread while long work runs.
    var progress: ((ShellProgress) -> Void)? { get set }

    /// Says how outputs are to be drawn from now on.
    func draw(with appearance: ShellAppearance)
    func completeness(of source: String) -> Completeness
    /// What could stand at a UTF-8 offset of a source.
    func offers(in source: String, at cursor: Int) -> OfferList
    /// Runs a block and hands over every statement's outcome as soon as it is there. Stops at the
    /// first failure unless told otherwise. Gives false when a statement failed.
    func evaluate(
        _ block: SourceBlock, keepGoing: Bool, willRun: ((String) -> Void)?,
        report: (ShellOutcome) -> Void
    ) -> Bool
}

/// Statements to run, and where they stand.
public struct SourceBlock: Sendable {
    public var source: String
    /// With a file, diagnostics open with `file:line:column:`; nil at a prompt.
    public var file: String?
    /// The line of the file that the source starts on, from 1.
    public var firstLine: Int

    public init(_ source: String, file: String? = nil, firstLine: Int = 1) {
        self.source = source
        self.file = file
        self.firstLine = firstLine
    }
}

/// What one statement gave.
public struct ShellOutcome: Sendable {
    /// What to print, drawn for the host's present appearance; empty for nothing.
    public var text: String
    /// The whole rendered diagnostic of a statement that failed.
    public var error: String?
    /// The statement stopped because it was interrupted.
    public var isInterrupted: Bool
    /// One line for `--json`.
    public var json: String

    public init(
        text: String = "", error: String? = nil, isInterrupted: Bool = false, json: String = "{}"
    ) {
        self.text = text
        self.error = error
        self.isInterrupted = isInterrupted
        self.json = json
    }
}

/// How outputs are drawn.
public struct ShellAppearance: Hashable, Sendable {
    public enum Color: Hashable, Sendable { case none, basic, palette, full }

    /// Cells of a line.
    public var width: Int
    public var color: Color
    /// Characters beyond ASCII can be shown.
    public var isUnicode: Bool

    public init(width: Int = 80, color: Color = .none, isUnicode: Bool = true) {
        self.width = width
        self.color = color
        self.isUnicode = isUnicode
    }
}

/// How far long work has come.
public struct ShellProgress: Sendable {
    /// One line that fits a width in cells.
    public var line: @Sendable (_ width: Int) -> String
    /// Seconds since the work began.
    public var elapsed: Double
    public var isFinished: Bool

    public init(
        elapsed: Double, isFinished: Bool = false, line: @escaping @Sendable (Int) -> String
    ) {
        self.line = line
        self.elapsed = elapsed
        self.isFinished = isFinished
    }
}

/// What could stand at the cursor.
public struct OfferList: Sendable {
    /// UTF-8 offsets of what an offer replaces; ends at the cursor.
    public var replacing: Range<Int>
    public var offers: [Offer]

    public init(replacing: Range<Int>, offers: [Offer]) {
        self.replacing = replacing
        self.offers = offers
    }
}

/// One completion.
public struct Offer: Hashable, Sendable {
    public var text: String
    /// One line about it; may be empty.
    public var summary: String
    /// More follows without a blank: `key=`, `folder/`.
    public var continues: Bool

    public init(_ text: String, _ summary: String = "", continues: Bool = false) {
        self.text = text
        self.summary = summary
        self.continues = continues
    }
}
