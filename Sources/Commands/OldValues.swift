import Rendering
import Workspaces

extension CommandContext {
    /// A sentence about the values on disk that only undo needs, and what `gc` would free; nil if
    /// they take less than `least` bytes.
    package func oldValues(from least: Int) throws -> (sentence: String, bytes: Int)? {
        guard !workspace.isEphemeral else { return nil }
        let depth = settings.undoDepth ?? Settings.usualUndoDepth
        let report = try workspace.storage(keepingUndo: depth)
        guard report.old >= least else { return nil }
        var sentence = "old values, for undo, take \(NumberText.bytes(report.old))"
        if report.freeable > 0 {
            sentence +=
                "; `gc` would free \(NumberText.bytes(report.freeable)) and keep "
                + NumberText.count(depth, "step")
        } else {
            sentence += "; `gc N` keeps only N steps"
        }
        return (sentence, report.old)
    }
}
