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
    private static let appearance = Appearance(width: 120)

    /// The verb of the statement; nil if it has none.
    private let verb: String?
    /// The id by which a client finds the output; nil before there is one.
    private var id: String?
    /// The last report of the work of the statement itself. Writing the result is shown while it
    /// takes long, and leaves no trace.
    private var last: Sessions.Progress?
    private let start = ContinuousClock.now

    init(verb: String?) { self.verb = verb }

    /// The message for a report; nil if it is not worth one.
    mutating func message(for report: Sessions.Progress) -> Message? {
        if !report.isOfWriting { last = report }
        guard !report.isFinished, report.elapsed >= LiveDisplay.delay else { return nil }
        return message(report.display(LiveDisplay.appearance))
    }

    /// The message at the end of the statement, which stays in the notebook: the work done, and how
    /// long it took; nil if no progress was shown.
    mutating func end(isStopped: Bool) -> Message? {
        guard id != nil, var last else { return nil }
        if let verb { last.task = verb }
        last.remaining = nil
        last.elapsed = (ContinuousClock.now - start) / .seconds(1)
        // Stopped work keeps the share that it had done.
        last.isFinished = !isStopped
        self.last = nil
        let line = last.line(width: LiveDisplay.appearance.width)
        // Without a course of the loss, a line says it all.
        return message(
            last.losses.points.count > 1
                ? last.display(LiveDisplay.appearance) : Display(text: { StyledText(line) }))
    }

    private mutating func message(_ display: Display) -> Message {
        let type = id == nil ? "display_data" : "update_display_data"
        let id = self.id ?? UUID().uuidString.lowercased()
        self.id = id
        return (
            type,
            [
                .init("data", display.mimeBundle),
                .init("metadata", CellOutput.progressMark),
                .init("transient", ["display_id": .string(id)]),
            ]
        )
    }
}
