import CommandLanguage
import Rendering

/// What a host sees while a block runs, in the order in which it happens.
///
/// For each statement a host receives `started`, then any number of `progress`, then its displays,
/// and at last `finished`. A block that does not parse gives one `finished` for each mistake.
///
/// ```swift
/// session.evaluate(Session.parse("load model default; rollout")) { event in
///     switch event {
///     case .started(let statement): log(statement.source)
///     case .progress(let progress): showLine(progress.line(width: 80))
///     case .display(let display): print(display.text().plain)
///     case .finished(let outcome):
///         if case .failure(let failure) = outcome.result { print(failure.rendered()) }
///     }
/// }
/// ```
public enum SessionEvent: Sendable {
    case started(StartedStatement)
    /// At most ten times a second, and once more at the end of the work.
    case progress(Progress)
    /// Something to show. A statement that shows several things sends several displays. If the
    /// statement has a value, the last display is that of the value. A statement whose output is
    /// hidden sends only the notes about skipped or stopped work.
    case display(Display)
    /// The end of a statement. Its displays have been sent before.
    case finished(Outcome)
}

/// A statement that is about to run.
public struct StartedStatement: Sendable {
    /// As it stands in the block: with the comments before it, the `;` that hides its output, and
    /// a comment on the rest of its line.
    public var source: String
    /// Its number in the block, from 1.
    public var number: Int
    /// The file of the block; nil at a prompt.
    public var file: String?
    public var position: SourcePosition
    /// 0 for a statement of the block, 1 for one of a script that it runs with `source`, and so
    /// on. The failure of an inner statement is reported as that of the statement of the block.
    public var depth: Int
    /// Whether it is a statement of a script that `source` or `tour` runs, and no inner one of a
    /// block.
    public var isOfScript = false
    /// Whether the script was asked to wait before each statement. A host shows such a statement
    /// even where there is nobody to wait for.
    public var isStep = false
    /// Whether it only shows something, so that a host may show its output page by page.
    public var isLook = false
    /// Its verb; nil for an expression and for a block.
    public var verb: String?
}
