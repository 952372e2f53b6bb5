import CommandLanguage
import Commands
import Rendering
import Sessions

/// A session as the shell's host.
public final class SessionHost: ShellHost {
    private let session: Session

    public init(_ session: Session) { self.session = session }

    public var notices: [String] { session.notices }
    public var isFinished: Bool { session.isFinished }

    public var interrupt: @Sendable () -> Void {
        let interruption = session.interruption
        return { interruption.request() }
    }

    public func forgetInterrupt() { session.interruption.clear() }

    public var showsColor: Bool { session.appearance.color != .none }

    public var progress: ((ShellProgress) -> Void)? {
        didSet {
            guard let progress else {
                session.progress = nil
                return
            }
            session.progress = { progress(ShellProgress($0)) }
        }
    }

    public func draw(with appearance: ShellAppearance) {
        session.appearance = Appearance(appearance)
    }

    public func completeness(of source: String) -> Completeness {
        session.completeness(of: source)
    }

    public func offers(in source: String, at cursor: Int) -> OfferList {
        let found = session.completions(in: source, at: cursor)
        return OfferList(
            replacing: found.replacing.lower..<found.replacing.upper,
            offers: found.items.map { Offer($0.text, $0.summary, continues: !$0.isWhole) })
    }

    public func evaluate(
        _ block: SourceBlock, keepGoing: Bool, willRun: ((String) -> Void)?,
        report: (ShellOutcome) -> Void
    ) -> Bool {
        // Empty lines before a block give its diagnostics the line numbers of the stream.
        let source = String(repeating: "\n", count: block.firstLine - 1) + block.source
        let color = session.appearance.color
        return session.evaluate(
            source, origin: block.file.map { .file($0) } ?? .prompt, keepGoing: keepGoing,
            willRun: willRun, forgetsInterruption: false
        ) { report(ShellOutcome($0, color)) }
    }
}

extension ShellOutcome {
    public init(_ outcome: Outcome, _ color: Color) {
        self.init(isInterrupted: outcome.isInterrupted, json: outcome.json)
        switch outcome.result {
        case .success(let output):
            // A note about skipped or stopped work is not output: `;` does not hide it.
            text =
                output.isHidden
                ? output.notes.joined(separator: "\n") : output.text.rendered(color)
        case .failure(let failure): error = failure.rendered(color)
        }
    }
}

extension ShellProgress {
    init(_ progress: Progress) {
        self.init(elapsed: progress.elapsed, isFinished: progress.isFinished) {
            progress.line(width: $0)
        }
    }
}

extension Appearance {
    public init(_ appearance: ShellAppearance) {
        let color: Color =
            switch appearance.color {
            case .none: .none
            case .basic: .basic
            case .palette: .palette
            case .full: .full
            }
        self.init(width: appearance.width, color: color, isUnicode: appearance.isUnicode)
    }
}
