import CommandLanguage
import Foundation
import Workspaces

/// Does a session again from its journal.
struct Replay {
    var entries: [HistoryEntry]
    var directory: String
    var appearance: Appearance
    var interruption: Interruption
    var progress: ((Progress) -> Void)?

    struct Report {
        var statements = 0
        var values = 0
        /// Names whose values came out different, with the statement that made them.
        var differences: [String] = []
        var failure: Failure?
        var isStopped = false

        var isWell: Bool { differences.isEmpty && failure == nil && !isStopped }

        var sentence: String {
            if let failure { return "replay failed: \(failure.message)" }
            if isStopped {
                return "replay stopped after \(NumberText.count(statements, "statement"))"
            }
            if let first = differences.first {
                return "replay differs: \(first)"
                    + (differences.count > 1 ? " and \(differences.count - 1) more" : "")
            }
            return "replayed \(NumberText.count(statements, "statement"))"
                + (values > 0
                    ? ", \(NumberText.count(values, "value")) the same to the last bit" : "")
        }
    }

    /// Runs every statement that stands, with the seed and number it had, in a session of its own
    /// that keeps nothing.
    func run(check: Bool, report: (Outcome) -> Void) throws -> Report {
        var configuration = Session.Configuration()
        configuration.access = .ephemeral
        configuration.directory = directory
        configuration.appearance = appearance
        let session = try Session(configuration)
        defer { session.close() }
        session.progress = progress
        session.outerInterruption = interruption
        var result = Report()
        for entry in entries where entry.status == .committed {
            if interruption.isRequested {
                result.isStopped = true
                break
            }
            session.seed = UInt64(entry.seed.prefix { $0 != "/" }) ?? 0
            session.replayedSequence = entry.sequence
            var failure: Failure?
            session.evaluate(entry.source) { outcome in
                if case .failure(let found) = outcome.result { failure = found }
                report(outcome)
            }
            if let failure {
                result.failure = failure
                break
            }
            result.statements += 1
            guard check else { continue }
            for bound in entry.bound {
                guard let digest = bound.digest else { continue }
                result.values += 1
                if session.workspace.binding(bound.name)?.digest != digest {
                    result.differences.append(
                        "`\(bound.name)` of #\(entry.sequence) \(TextWidth.oneLine(entry.source))")
                }
            }
        }
        return result
    }
}

extension Session {
    /// `sami replay WORKSPACE [--check]`: does a session again, statement by statement, without
    /// changing its workspace.
    ///
    /// - Parameter report: called with the outcome of each statement.
    /// - Returns: whether every statement ran and, with `check`, every value came out the same to
    ///   the last bit, and a sentence that says so.
    /// - Throws: `WorkspaceError` when the workspace cannot be read.
    public static func replay(
        _ path: String, check: Bool, appearance: Appearance = Appearance(),
        interruption: Interruption = Interruption(), progress: ((Progress) -> Void)? = nil,
        report: (Outcome) -> Void
    ) throws -> (isWell: Bool, summary: String) {
        let directory = FileManager.default.currentDirectoryPath
        let workspace = try Workspace.open(absolute(path, in: directory), mode: .readOnly)
        defer { workspace.close() }
        let replay = Replay(
            entries: workspace.history, directory: directory, appearance: appearance,
            interruption: interruption, progress: progress)
        let result = try replay.run(check: check, report: report)
        return (result.isWell, result.sentence)
    }
}
