import Foundation
import JSON
import Notebooks
import Rendering
import Sessions

/// The progress of a long statement, in one output that changes.
struct LiveDisplay {
    typealias Message = (type: String, content: [JSON.Member])

    /// Work that ends sooner, in seconds, shows no progress.
    private static let delay = 0.3

    /// The id by which a client finds the output; nil before there is one.
    private var id: String?
    /// The last report of the statement's own work. Other work, such as writing the result, is
    /// shown while it takes long, and leaves no trace.
    private var last: Sessions.Progress?
    private var start = ContinuousClock.now

    /// The message for a report; nil if it is not worth one.
    mutating func message(for report: Sessions.Progress) -> Message? {
        if last == nil { start = .now }
        let isOwnWork = last.map { $0.work == report.work } ?? true
        if isOwnWork { last = report }
        guard !report.isFinished, report.elapsed >= LiveDisplay.delay else { return nil }
        return message(report)
    }

    /// The message at the end of the statement, which stays in the notebook: its work, and how long
    /// it took; nil if no progress was shown.
    mutating func end() -> Message? {
        defer { self = LiveDisplay() }
        guard id != nil, var last else { return nil }
        last.isFinished = true
        last.elapsed = (ContinuousClock.now - start) / .seconds(1)
        last.remaining = nil
        last.task = String(last.work)
        return message(last)
    }

    private mutating func message(_ report: Sessions.Progress) -> Message {
        let type = id == nil ? "display_data" : "update_display_data"
        let id = self.id ?? UUID().uuidString.lowercased()
        self.id = id
        return (
            type,
            [
                .init("data", report.display(Appearance()).mimeBundle),
                .init("metadata", CellOutput.progressMark),
                .init("transient", ["display_id": .string(id)]),
            ]
        )
    }
}

extension Sessions.Progress {
    /// "iterate" of the task "iterate: rollout".
    fileprivate var work: Substring { task.prefix { $0 != ":" } }
}
