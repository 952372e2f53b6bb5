import Rendering
import Sessions

/// Makes the outputs of one cell from the events of its statements.
///
/// The last display is the cell's result if its statement has a value, so each display waits until
/// the next event shows whether it is the last one.
public struct CellOutputs {
    private var waiting: (display: Display, isValue: Bool)?
    /// The failures so far. A cell has one error output, whatever the number of its mistakes.
    public var failures: [Failure] = []

    public init() {}

    /// - Returns: the outputs that are certain after this event.
    public mutating func take(_ event: SessionEvent) -> [CellOutput] {
        switch event {
        case .started: return released()
        case .progress: return []
        case .display(let display):
            let before = released()
            if !display.text().plain.isEmpty || display.svg != nil { waiting = (display, false) }
            return before
        case .finished(let outcome):
            switch outcome.result {
            case .success(let output):
                waiting?.isValue = output.value != nil && !output.isHidden
            case .failure(let failure): failures.append(failure)
            }
            return []
        }
    }

    /// The rest, at the end of the cell.
    public mutating func finish() -> [CellOutput] {
        guard failures.isEmpty else { return released() + [.error(failures)] }
        guard let waiting, waiting.isValue else { return released() }
        self.waiting = nil
        return [.result(waiting.display)]
    }

    private mutating func released() -> [CellOutput] {
        defer { waiting = nil }
        return waiting.map { [.display($0.display)] } ?? []
    }
}
