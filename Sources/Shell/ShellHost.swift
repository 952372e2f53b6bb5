import CommandLanguage
import Rendering

/// The functions that the shell needs from a host that evaluates statements.
///
/// The shell knows keys and screens, but no models or workspaces. In the program a session
/// implements this protocol, in tests a type of a few lines. All calls come from one thread, except
/// ``interrupt``.
public protocol ShellHost: AnyObject {
    /// Sentences to show once before the first prompt.
    var notices: [String] { get }
    /// True after `quit`.
    var isFinished: Bool { get }
    /// Asks the running evaluation to stop at its next step. Called from another thread.
    var interrupt: @Sendable () -> Void { get }
    /// Forgets an interrupt of an earlier evaluation.
    func forgetInterrupt()
    /// Whether outputs are in color.
    var showsColor: Bool { get }
    /// Called by the evaluating thread while long work runs.
    var progress: ((ShellProgress) -> Void)? { get set }

    /// Sets the appearance of outputs from now on.
    func draw(with appearance: ShellAppearance)
    func completeness(of source: String) -> Completeness
    /// The completions at a UTF-8 offset of a source.
    func offers(in source: String, at cursor: Int) -> OfferList
    /// Runs a block and reports the outcome of every statement as soon as it is known. Stops at the
    /// first failure unless told otherwise. Returns false if a statement failed.
    func evaluate(
        _ block: SourceBlock, keepGoing: Bool, willRun: ((String) -> Void)?,
        report: (ShellOutcome) -> Void
    ) -> Bool
}

/// Statements to run, with their place in a file.
public struct SourceBlock: Sendable {
    public var source: String
    /// If there is a file, diagnostics begin with `file:line:column:`; nil at a prompt.
    public var file: String?
    /// The number of the source's first line in the file, from 1.
    public var firstLine: Int

    public init(_ source: String, file: String? = nil, firstLine: Int = 1) {
        self.source = source
        self.file = file
        self.firstLine = firstLine
    }
}

/// The result of one statement.
public struct ShellOutcome: Sendable {
    /// The text to print in the host's present appearance; empty for nothing.
    public var text: String
    /// The complete rendered diagnostic of a failed statement.
    public var error: String?
    /// Whether the statement stopped because of an interrupt.
    public var isInterrupted: Bool
    /// One line for `--json`.
    public var json: @Sendable () -> String

    public init(
        text: String = "", error: String? = nil, isInterrupted: Bool = false,
        json: @autoclosure @escaping @Sendable () -> String = "{}"
    ) {
        self.text = text
        self.error = error
        self.isInterrupted = isInterrupted
        self.json = json
    }
}

/// The appearance of outputs.
public struct ShellAppearance: Hashable, Sendable {
    public enum Color: Hashable, Sendable { case none, basic, palette, full }

    /// Number of cells in a line.
    public var width: Int
    public var color: Color
    /// Whether characters beyond ASCII can be shown.
    public var isUnicode: Bool

    public init(width: Int = 80, color: Color = .none, isUnicode: Bool = true) {
        self.width = width
        self.color = color
        self.isUnicode = isUnicode
    }
}

/// The progress of long work.
public struct ShellProgress: Sendable {
    /// One line that fits in a number of cells.
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

/// The completions at the cursor.
public struct OfferList: Sendable {
    /// UTF-8 offsets of the text that an offer replaces; the range ends at the cursor.
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
    /// A description of one line; may be empty.
    public var summary: String
    /// Whether more text follows without a blank: `key=`, `folder/`.
    public var continues: Bool

    public init(_ text: String, _ summary: String = "", continues: Bool = false) {
        self.text = text
        self.summary = summary
        self.continues = continues
    }
}
